// TargetTemplate: the name of a target table out of the parts of a source table.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "diagnostics/result.hpp"
#include "route/pattern.hpp"

namespace cdcrt::route {

struct TargetTable {
  std::string schema;  ///< empty: the connection's default
  std::string table;
  friend bool operator==(const TargetTable&, const TargetTable&) = default;
};

/// "shop.{table}", "{schema}_{table}", "archive.{1}": one part (table) or two (schema.table). A dot inside a value that is put
/// in never splits. Braces double to stand for themselves. Immutable; any thread.
class TargetTemplate {
 public:
  static Result<TargetTemplate> parse(std::string_view text);

  /// `captures`: what the pattern that matched captured. BAD_CONFIG where a part comes out empty.
  [[nodiscard]] Result<TargetTable> expand(const SourceTable& table, const std::vector<std::string>& captures) const;

  /// The highest {n}; 0: none.
  [[nodiscard]] std::size_t highest_capture() const { return highest_capture_; }
  /// No placeholder: every source table meets in one target.
  [[nodiscard]] bool is_constant() const;

 private:
  enum class Kind : uint8_t { kText, kSource, kTopic, kDatabase, kSchema, kTable, kCapture };
  struct Piece {
    Kind kind = Kind::kText;
    std::string text;
    std::size_t capture = 0;
  };
  TargetTemplate() = default;
  std::string text_;
  std::vector<std::vector<Piece>> parts_;
  std::size_t highest_capture_ = 0;
};

}  // namespace cdcrt::route
