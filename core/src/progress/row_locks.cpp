#include "progress/row_locks.hpp"

namespace cdcrt::progress {

// The row of the format is there from the first start on.
Result<void> RowLocks::lock_creation(plugin::Connection& connection) const {
  auto version = access_.format_version(connection, CDCRT_LOCK_UPDATE);
  return version ? Result<void>() : std::move(version.error());
}

Result<Leases> RowLocks::read_to_take(plugin::Connection& connection, const std::vector<PartitionKey>& keys, const AddReads&) const {
  return read_leases(connection, access_, keys, CDCRT_LOCK_UPDATE);
}

void RowLocks::add_progress(Reads& reads, const std::vector<std::string>&, const Visit& visit) const { reads.add(kProgress, visit); }

Result<void> RowLocks::read_progress(plugin::Connection& connection, const std::vector<std::string>&, const Visit& visit) {
  return access_.read(connection, kProgress, CDCRT_LOCK_NONE, visit);
}

// Whoever writes one of them has locked a lease.
Result<void> RowLocks::lock_out(plugin::Connection& connection, const std::vector<HostTable>& tables) const {
  return tables.empty() ? Result<void>() : access_.read_every_row(connection, kLeases, CDCRT_LOCK_UPDATE, [](const Row&) {});
}

}  // namespace cdcrt::progress
