#include "progress/locks.hpp"

#include "progress/row_locks.hpp"
#include "progress/table_locks.hpp"

namespace cdcrt::progress {

std::unique_ptr<Locks> make_locks(uint32_t capabilities, const TableAccess& access) {
  if ((capabilities & CDCRT_SINK_TABLE_LOCKS) != 0) return std::make_unique<TableLocks>(access);
  return std::make_unique<RowLocks>(access);
}

StoredPartition lease_of(const Row& row) {
  StoredPartition lease;
  lease.epoch = row.integer(kLeases.epoch);
  lease.owner = row.text(kLeases.owner);
  lease.waits_for = waits_for_from(row.text(kLeases.waits_for));
  return lease;
}

Result<Leases> read_leases(plugin::Connection& connection, const TableAccess& access, const std::vector<PartitionKey>& keys,
                           cdcrt_lock lock) {
  Leases leases;
  auto done = access.read(
      connection, kLeases, lock, [&](const Row& row) { leases[row.partition(kLeases.partition)] = lease_of(row); }, keys_of(keys));
  if (!done) return std::move(done.error());
  return leases;
}

}  // namespace cdcrt::progress
