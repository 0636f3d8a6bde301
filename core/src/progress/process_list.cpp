#include "progress/process_list.hpp"

#include <optional>

#include "progress/host_tables.hpp"

namespace cdcrt::progress {

void ProcessList::add_lease_owners(Reads& reads, Stored& stored) const {
  reads.add(kLeases, [&stored](const Row& row) {
    StoredPartition& partition = stored.partitions[row.partition(kLeases.partition)];
    StoredPartition lease = lease_of(row);
    partition.epoch = lease.epoch;
    partition.owner = std::move(lease.owner);
    partition.waits_for = std::move(lease.waits_for);
  });
  if (is_kept()) reads.add(kProcesses, [&stored](const Row& row) { stored.processes.insert(row.text(kProcesses.process)); });
}

void ProcessList::add_own(Reads& reads, bool& is_listed) const {
  if (is_kept()) reads.add(kProcesses, [&is_listed](const Row&) { is_listed = true; }, {1, {text(owner_)}});
}

std::set<std::string> ProcessList::without_lease(const Stored& stored) const {
  std::set<std::string> ended = stored.processes;
  ended.erase(owner_);
  for (const auto& [key, lease] : stored.partitions) ended.erase(lease.owner);
  return ended;
}

void ProcessList::note_ended(const Stored& holders) {
  const std::lock_guard guard(mutex_);
  ended_ = without_lease(holders);
}

// Under the claims' lock, so that a process found without a lease cannot get one meanwhile: what it left was written under leases
// that it lost.
Result<void> ProcessList::clean_after_ended_processes(plugin::Connection& connection) {
  std::optional<Error> failure;
  std::set<std::string> left;
  auto done = in_transaction(connection, [&]() -> Result<void> {
    if (auto locked = locks_.lock_claims(connection); !locked) return locked;
    Stored now;
    Reads reads(access_);
    add_lease_owners(reads, now);
    if (auto read = reads.run(connection); !read) return read;
    Rows cleaned = keys_of_rows(kProcesses);
    std::set<std::string> candidates;
    {
      const std::lock_guard guard(mutex_);
      candidates = ended_;
    }
    for (const auto& process : without_lease(now)) {
      if (!candidates.contains(process)) continue;
      if (auto removed = abandoned_(process); !removed) {
        failure = std::move(removed.error());
        left.insert(process);
        continue;
      }
      access_.add(cleaned)[kProcesses.process] = text(cleaned.keep(process));
    }
    return access_.write(connection, cleaned, CDCRT_WRITE_DELETE);
  });
  if (!done) return done;
  {
    const std::lock_guard guard(mutex_);
    std::erase_if(ended_, [&](const std::string& process) { return !left.contains(process); });
  }
  if (failure) return std::move(*failure);
  return {};
}

bool ProcessList::has_ended_processes() const {
  const std::lock_guard guard(mutex_);
  return is_kept() && !ended_.empty();
}

Result<void> ProcessList::enlist(plugin::Connection& connection) {
  if (!is_kept()) return {};
  return in_transaction(connection, [&]() -> Result<void> {
    if (auto locked = locks_.lock_claims(connection); !locked) return locked;
    // Nobody had this name before; only after a lost answer to COMMIT it may be there.
    return list_process(connection, enlisted_.exchange(true) ? CDCRT_WRITE_UPSERT : CDCRT_WRITE_APPEND);
  });
}

Result<void> ProcessList::list_process(plugin::Connection& connection, cdcrt_write_kind kind) const {
  if (!is_kept()) return {};
  Rows rows = rows_of(kProcesses);
  access_.add(rows)[kProcesses.process] = text(owner_);
  return access_.write(connection, rows, kind);
}

}  // namespace cdcrt::progress
