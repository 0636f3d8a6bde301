// TableLocks: where only tables can be locked, each target has a progress table of its own, whose lock stands for both, and claims have
// a table that is nothing but their lock (decision 0014).
//
// Order, so that nobody waits in a ring: a transaction locks either claims alone, or progress tables by name; never one after another.
#pragma once

#include <mutex>
#include <set>

#include "progress/locks.hpp"

namespace cdcrt::progress {

class TableLocks final : public Locks {
 public:
  explicit TableLocks(const TableAccess& access) : access_(access) {}

  Result<void> prepare_locks(plugin::Connection& connection, const std::vector<std::string>& targets) override;
  Result<void> lock_targets(plugin::Connection& connection, const std::vector<std::string>& targets) const override;
  Result<void> wait_for_writers(plugin::Connection& connection, const std::string& target) const override;
  [[nodiscard]] bool excludes_others() const override { return true; }

  Result<void> lock_claims(plugin::Connection& connection) const override { return access_.lock(connection, {kClaims}); }
  /// Not needed: whoever creates one has locked the claims, or the target.
  Result<void> lock_creation(plugin::Connection&) const override { return {}; }
  Result<Leases> read_to_take(plugin::Connection& connection, const std::vector<PartitionKey>& keys, const AddReads& beside) const override;
  Result<void> read_in_claim(const Body&) const override { return {}; }
  Result<void> read_after_claim(plugin::Connection& connection, const AddReads& beside, const Body& read) override;
  [[nodiscard]] bool claims_wait() const override { return true; }

  [[nodiscard]] std::vector<const HostTable*> own_tables() const override { return {&kClaims, &kProgressTables}; }
  [[nodiscard]] HostTable progress_of(const std::string& target) const override;
  void add_progress(Reads& reads, const std::vector<std::string>& targets, const Visit& visit) const override;
  void add_places(Reads& reads, std::vector<std::string>& where) const override;
  Result<void> read_progress(plugin::Connection& connection, const std::vector<std::string>& where, const Visit& visit) override;
  void know_places(const std::vector<std::string>& where) override;
  Result<void> in_one_look(plugin::Connection&, const Body& body) const override { return body(); }
  [[nodiscard]] bool finds_by_key() const override { return false; }

  Result<void> lock_out(plugin::Connection& connection, const std::vector<HostTable>& tables) const override;

 private:
  Result<void> make_progress_tables(plugin::Connection& connection, const std::vector<std::string>& targets) const;

  const TableAccess& access_;
  std::mutex mutex_;
  std::set<std::string> prepared_;  ///< targets that lock_targets() may name
};

}  // namespace cdcrt::progress
