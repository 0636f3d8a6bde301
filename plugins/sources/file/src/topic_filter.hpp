// TopicFilter: which topics are wanted.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cdcrt/sdk/status.hpp"

namespace cdcrt::file_source {

/// Globs, where * stands for any characters (dots too) and ? for one, or "re:..." for a regular expression that must match the
/// whole name. No pattern at all: everything is wanted. One thread, once parsed any.
class TopicFilter {
 public:
  TopicFilter();
  ~TopicFilter();
  TopicFilter(TopicFilter&&) noexcept;
  TopicFilter& operator=(TopicFilter&&) noexcept;
  /// BAD_CONFIG for `key` where a regular expression is wrong.
  static sdk::Status parse(const char* key, const std::vector<std::string>& patterns, TopicFilter& to);
  [[nodiscard]] bool wants(std::string_view topic) const;
  /// The same, and notes what met.
  bool meets(std::string_view topic);
  /// Patterns that met none of the topics given to meets(). Any thread.
  [[nodiscard]] std::vector<std::string> unmet() const;

 private:
  struct Pattern;
  std::vector<std::unique_ptr<Pattern>> patterns_;
};

}  // namespace cdcrt::file_source
