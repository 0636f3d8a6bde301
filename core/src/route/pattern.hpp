// Pattern: which tables a route means.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "diagnostics/result.hpp"

namespace cdcrt::route {

/// A table at its source. Borrowed; parts that the source does not have are empty.
struct SourceTable {
  std::string_view source, topic;  ///< component's name and topic: for templates only
  std::string_view database, schema, table;
  std::string_view server;  ///< tells tables of one name apart; empty: unknown
};

/// database.schema.table without the parts that are missing.
std::string dotted(const SourceTable& table);

/// "orders", "sales.*", "shop.sales.order_*", or "re:" and a regular expression over the whole dotted name.
/// A pattern of n parts matches the last n parts of database.schema.table; `*` stands for any characters of one part.
/// Immutable and cheap to copy; any thread.
class Pattern {
 public:
  /// Names longer than this match no regular expression: the matcher's depth grows with the text.
  static constexpr std::size_t kMaxName = 1024;

  static Result<Pattern> parse(std::string_view text);

  /// True on a match; `captures` (may be null) receives what each `*` or group stood for.
  [[nodiscard]] bool matches(const SourceTable& table, std::vector<std::string>* captures = nullptr) const;

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] bool is_exact() const;
  [[nodiscard]] bool is_regular_expression() const { return expression_ != nullptr; }
  /// Number of `*` or groups.
  [[nodiscard]] std::size_t capture_count() const { return capture_count_; }

  /// Less is more specific: exact before globs before regular expressions, then more literal characters.
  [[nodiscard]] bool more_specific_than(const Pattern& other) const;
  [[nodiscard]] bool as_specific_as(const Pattern& other) const;

 private:
  struct Expression;
  Pattern() = default;
  [[nodiscard]] int rank() const;
  std::string text_;
  std::vector<std::string> parts_;
  std::size_t literals_ = 0;
  std::size_t capture_count_ = 0;
  std::shared_ptr<const Expression> expression_;
};

}  // namespace cdcrt::route
