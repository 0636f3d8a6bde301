// AwaitedLater: for which tables of a connection's transaction nobody waits for the answer of a write.
#pragma once

#include <set>
#include <string>

#include "postgresql/trials.hpp"

namespace cdcrt::postgresql {

/// One thread. Tables by the names that the connections of a sink know them by.
class AwaitedLater {
 public:
  /// `tried`: shared by the connections of a sink; null: every write is waited for.
  explicit AwaitedLater(Trials* tried) : tried_(tried) {}

  /// The host writes the table in this transaction, and does all of it again where a later call says so.
  void expect(const std::string& table) {
    if (tried_ != nullptr) expected_.insert(table);
  }
  /// Asked once for each write that could go so.
  [[nodiscard]] bool may_wait(const std::string& table) const { return expected_.count(table) > 0 && tried_->may_try(table); }
  void left(const std::string& table) { left_.insert(table); }
  void end(bool is_committed) {
    for (const std::string& table : left_) is_committed ? tried_->went_well(table) : tried_->failed(table);
    expected_.clear();
    left_.clear();
  }

 private:
  Trials* const tried_;
  std::set<std::string> expected_, left_;
};

}  // namespace cdcrt::postgresql
