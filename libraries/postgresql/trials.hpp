// Trials: for which tables a shorter way of writing is worth a try.
#pragma once

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

namespace cdcrt::postgresql {

/// One per sink and way, shared by its connections; thread-safe. Whether rows can go that way (are new, so that they can be copied; are
/// taken, so that nobody has to wait for the answer) is not known before they do: a table where that failed is left alone for some times
/// (writes, or transactions), for more each time, up to a thousand. So a table where it never works costs next to nothing, and one where it
/// failed once is back soon.
class Trials {
 public:
  /// Asked once each time that it could go so.
  [[nodiscard]] bool may_try(const std::string& table) {
    const std::lock_guard lock(mutex_);
    const auto found = tables_.find(table);
    if (found == tables_.end() || found->second.skips == 0) return true;
    --found->second.skips;
    return false;
  }
  void went_well(const std::string& table) {
    const std::lock_guard lock(mutex_);
    const auto found = tables_.find(table);
    if (found != tables_.end() && --found->second.failures == 0) tables_.erase(found);
  }
  /// It is empty, or another one.
  void forget(const std::string& table) {
    const std::lock_guard lock(mutex_);
    tables_.erase(table);
  }
  void failed(const std::string& table) {
    const std::lock_guard lock(mutex_);
    Trial& trial = tables_[table];
    trial.failures = std::min(trial.failures + 1, kMaxDoublings);
    trial.skips = kFirstSkips << (trial.failures - 1);
  }

 private:
  static constexpr uint32_t kFirstSkips = 16, kMaxDoublings = 7;
  struct Trial {
    uint32_t failures = 0, skips = 0;
  };
  std::mutex mutex_;
  std::unordered_map<std::string, Trial> tables_;
};

}  // namespace cdcrt::postgresql
