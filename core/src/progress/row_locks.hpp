// RowLocks: a transaction locks the rows of its leases and of its tables (decision 0011).
#pragma once

#include "progress/locks.hpp"

namespace cdcrt::progress {

class RowLocks final : public Locks {
 public:
  explicit RowLocks(const TableAccess& access) : access_(access) {}

  Result<void> prepare_locks(plugin::Connection&, const std::vector<std::string>&) override { return {}; }
  Result<void> lock_targets(plugin::Connection&, const std::vector<std::string>&) const override { return {}; }
  /// Raising a lease waited for those who had checked it.
  Result<void> wait_for_writers(plugin::Connection&, const std::string&) const override { return {}; }
  [[nodiscard]] bool excludes_others() const override { return false; }

  Result<void> lock_claims(plugin::Connection&) const override { return {}; }
  Result<void> lock_creation(plugin::Connection& connection) const override;
  Result<Leases> read_to_take(plugin::Connection& connection, const std::vector<PartitionKey>& keys, const AddReads& beside) const override;
  Result<void> read_in_claim(const Body& read) const override { return read(); }
  Result<void> read_after_claim(plugin::Connection&, const AddReads&, const Body&) override { return {}; }
  [[nodiscard]] bool claims_wait() const override { return false; }

  [[nodiscard]] std::vector<const HostTable*> own_tables() const override { return {}; }
  [[nodiscard]] HostTable progress_of(const std::string&) const override { return kProgress; }
  void add_progress(Reads& reads, const std::vector<std::string>& targets, const Visit& visit) const override;
  void add_places(Reads&, std::vector<std::string>&) const override {}
  Result<void> read_progress(plugin::Connection& connection, const std::vector<std::string>& where, const Visit& visit) override;
  void know_places(const std::vector<std::string>&) override {}
  Result<void> in_one_look(plugin::Connection& connection, const Body& body) const override {
    return in_reading_transaction(connection, body);
  }
  [[nodiscard]] bool finds_by_key() const override { return true; }

  Result<void> lock_out(plugin::Connection& connection, const std::vector<HostTable>& tables) const override;

 private:
  const TableAccess& access_;
};

}  // namespace cdcrt::progress
