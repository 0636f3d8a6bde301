// AwaitedLater: for which tables of a connection's transaction nobody waits for the answer of a write.
#pragma once

#include <map>
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
    // Once for the whole transaction: however many writes it has, what failed is waited for as a whole when it comes again.
    if (tried_ != nullptr && may_wait_.count(table) == 0) may_wait_.emplace(table, tried_->may_try(table));
  }
  [[nodiscard]] bool may_wait(const std::string& table) const {
    const auto found = may_wait_.find(table);
    return found != may_wait_.end() && found->second;
  }
  void left(const std::string& table) { left_.insert(table); }
  void end(bool is_committed) {
    for (const std::string& table : left_) is_committed ? tried_->went_well(table) : tried_->failed(table);
    may_wait_.clear();
    left_.clear();
  }

 private:
  Trials* const tried_;
  std::map<std::string, bool> may_wait_;  // of the tables that are expected
  std::set<std::string> left_;
};

}  // namespace cdcrt::postgresql
