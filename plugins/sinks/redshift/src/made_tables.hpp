// MadeTables: tables that this process has made and not yet written.
#pragma once

#include <mutex>
#include <set>
#include <string>

namespace cdcrt::redshift {

/// One per sink, shared by its connections; any thread. Worth a look whether they are empty: what goes into an empty table replaces
/// nothing.
class MadeTables {
 public:
  void add(const std::set<std::string>& tables) {
    const std::lock_guard lock(mutex_);
    tables_.insert(tables.begin(), tables.end());
  }
  /// Whether the table is one of them; from now on it is not.
  bool take(const std::string& table) {
    const std::lock_guard lock(mutex_);
    return tables_.erase(table) > 0;
  }

 private:
  std::mutex mutex_;
  std::set<std::string> tables_;
};

}  // namespace cdcrt::redshift
