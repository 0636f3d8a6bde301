// SpelledNames: two spellings of one folded table name are two tables to whoever reads the source, and must not meet in one.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace cdcrt::redshift {

/// Of a process. Any thread.
class SpelledNames {
 public:
  /// The first spelling that `folded` was asked for with, where it is not `written`.
  std::optional<std::string> other(const std::string& folded, std::string_view written) {
    const std::lock_guard lock(mutex_);
    const auto [first, added] = first_.try_emplace(folded, written);
    if (added || first->second == written) return std::nullopt;
    return first->second;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::string> first_;
};

}  // namespace cdcrt::redshift
