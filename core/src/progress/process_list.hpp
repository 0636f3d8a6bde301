// ProcessList: the processes that may have left something outside of the target (staged files), so that what a dead one left is removed.
// Kept in the target.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <set>
#include <string>

#include "progress/locks.hpp"
#include "progress/stored.hpp"
#include "progress/table_access.hpp"

namespace cdcrt::progress {

/// Thread-safe; does nothing without on_abandoned(). `access` and `locks` must outlive it.
class ProcessList {
 public:
  /// `owner`: this process.
  ProcessList(const TableAccess& access, const Locks& locks, std::string owner)
      : access_(access), locks_(locks), owner_(std::move(owner)) {}
  /// What to do once a process holds no lease any more and its transactions have ended; it may fail and is then asked again after
  /// a later claim. Set before the first use; without it nobody keeps a list of processes.
  void on_abandoned(std::function<Result<void>(const std::string& process)> clean) { abandoned_ = std::move(clean); }

  /// Puts this process on the list.
  Result<void> enlist(plugin::Connection& connection);
  /// Removes what ended processes left: those that held no lease at the last claim, and hold none now.
  Result<void> clean_after_ended_processes(plugin::Connection& connection);
  [[nodiscard]] bool has_ended_processes() const;
  [[nodiscard]] const std::string& owner() const { return owner_; }

 protected:
  [[nodiscard]] bool is_kept() const { return abandoned_ != nullptr; }
  /// Reads of leases and of the list.
  void add_lease_owners(Reads& reads, Stored& stored) const;
  /// Of this process's entry, which is there or not.
  void add_own(Reads& reads, bool& is_listed) const;
  /// Inside the caller's transaction, under the claims' lock.
  Result<void> list_process(plugin::Connection& connection, cdcrt_write_kind kind = CDCRT_WRITE_UPSERT) const;
  /// Notes the processes that have no lease, as of before the claim waited for the transactions of others.
  void note_ended(const Stored& holders);

 private:
  [[nodiscard]] std::set<std::string> without_lease(const Stored& stored) const;

  const TableAccess& access_;
  const Locks& locks_;
  const std::string owner_;
  std::function<Result<void>(const std::string&)> abandoned_;
  std::atomic<bool> enlisted_{false};
  mutable std::mutex mutex_;
  std::set<std::string> ended_;
};

}  // namespace cdcrt::progress
