// Leases: who reads a partition, and how an older reader is shut out (decision 0011).
#include <algorithm>

#include "progress/store.hpp"
#include "progress/table_rows.hpp"

namespace cdcrt::progress {

namespace {

std::vector<PartitionKey> partition_keys_of(const std::vector<const Partition*>& partitions) {
  std::vector<PartitionKey> keys;
  for (const Partition* partition : partitions) keys.push_back(partition->key());
  return keys;
}

}  // namespace

Result<void> Store::write_leases(plugin::Connection& connection, const Leases& leases) {
  Rows rows = rows_of(kLeases);
  for (const auto& [key, lease] : leases) {
    auto row = tables_.add(rows);
    row.set(kLeases.partition, key);
    row[kLeases.epoch] = integer(lease.epoch);
    row[kLeases.owner] = text(lease.owner);
    row[kLeases.waits_for] = text(rows.keep(to_text(lease.waits_for)));
  }
  return tables_.write(connection, rows);
}

Result<void> Store::take(plugin::Connection& connection, const std::vector<PartitionKey>& keys, const Leases& now, bool is_listed,
                         Leases changed, Epochs& epochs) {
  for (const auto& key : keys) {
    const auto lease = now.find(key);
    StoredPartition& taken = changed[key];
    if (lease != now.end()) taken = lease->second;
    taken.owner = owner();
    epochs[key] = ++taken.epoch;
  }
  if (auto saved = write_leases(connection, changed); !saved) return saved;
  // Others may have taken it off while it held no lease.
  return is_listed ? Result<void>() : list_process(connection);
}

Result<Stored> Store::claim(plugin::Connection& connection, const std::vector<PartitionKey>& wanted,
                            const std::vector<StartOffset>& fresh) {
  Stored stored;
  Epochs epochs;
  const Body read = [&] { return read_kept(connection, stored, {}); };
  auto done = in_transaction(connection, [&]() -> Result<void> {
    if (auto locked = lock_claims(connection); !locked) return locked;
    // Two processes that meet the same new topic give it one start.
    if (!fresh.empty()) {
      if (auto locked = lock_creation(connection); !locked) return locked;
    }
    std::vector<PartitionKey> keys = wanted;
    for (const auto& start : fresh) keys.push_back(start.key);
    bool is_listed = false;
    auto leases = protocol_->read_to_take(connection, keys, [&](Reads& reads) { add_own(reads, is_listed); });
    if (!leases) return std::move(leases.error());
    std::set<std::pair<std::string, std::string>> known_topics;
    for (const auto& [key, lease] : *leases) known_topics.emplace(key.source, key.topic);
    Leases made, starts;
    for (const auto& start : fresh) {
      if (leases->contains(start.key)) continue;
      // It may have been added since the other looked, and then has to wait for the older ones.
      if (start.is_first && known_topics.contains({start.key.source, start.key.topic})) {
        return make_error(CDCRT_RETRY, "another process met topic '" + start.key.topic + "' at the same time");
      }
      made[start.key].waits_for = (*leases)[start.key].waits_for = start.waits_for;
      starts[start.key].next_offset = start.offset;
      starts[start.key].exact = true;
    }
    if (auto saved = write_watermarks(connection, starts); !saved) return saved;
    if (auto taken = take(connection, wanted, *leases, is_listed, std::move(made), epochs); !taken) return taken;
    return protocol_->read_in_claim(read);
  });
  if (!done) return std::move(done.error());
  Stored holders;
  done = protocol_->read_after_claim(
      connection, [&](Reads& reads) { add_lease_owners(reads, holders); }, read);
  if (!done) return std::move(done.error());
  note_ended(holders);
  know_progress(wanted, stored);
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, epoch] : epochs) epochs_[key] = epoch;
  }
  return stored;
}

// Nobody else adds progress of a partition while its lease is ours.
void Store::know_progress(const std::vector<PartitionKey>& claimed, const Stored& stored) {
  const std::lock_guard lock(mutex_);
  for (const auto& key : claimed) has_progress_[key].clear();
  for (const auto& [target, table] : stored.tables) {
    for (const auto& [key, position] : table.progress) {
      if (const auto known = has_progress_.find(key); known != has_progress_.end()) known->second.insert(target);
    }
  }
}

Result<void> Store::claim_new(plugin::Connection& connection, const std::vector<const Partition*>& partitions, const MorePartitions& more) {
  const auto unclaimed = [&](const std::vector<const Partition*>& asked) {
    std::vector<PartitionKey> missing;
    const std::lock_guard lock(mutex_);
    for (const Partition* partition : asked) {
      if (!epochs_.contains(partition->key())) missing.push_back(partition->key());
    }
    return missing;
  };
  if (unclaimed(partitions).empty()) return {};
  // Two writers that meet a new partition at once would raise it twice, and hold the older epoch.
  const std::lock_guard turn(claiming_);
  std::vector<PartitionKey> missing = unclaimed(partitions);
  if (missing.empty()) return {};
  // Where claims wait for one another, one for all that are there by now.
  if (protocol_->claims_wait() && more) {
    std::set<PartitionKey> all(missing.begin(), missing.end());
    for (auto& key : unclaimed(more())) all.insert(std::move(key));
    missing.assign(all.begin(), all.end());
  }
  Epochs claimed;
  std::vector<PartitionKey> unread = missing;
  auto done = in_transaction(connection, [&]() -> Result<void> {
    if (auto locked = lock_claims(connection); !locked) return locked;
    if (auto locked = lock_creation(connection); !locked) return locked;
    bool is_listed = false;
    auto leases = protocol_->read_to_take(connection, missing, [&](Reads& reads) { add_own(reads, is_listed); });
    if (!leases) return std::move(leases.error());
    std::erase_if(unread, [&](const PartitionKey& key) { return leases->contains(key); });
    return take(connection, missing, *leases, is_listed, {}, claimed);
  });
  if (!done) return done;
  const std::lock_guard lock(mutex_);
  // Without a lease nobody could store progress of it.
  for (const auto& key : unread) has_progress_.try_emplace(key);
  epochs_.merge(claimed);
  return {};
}

bool Store::is_owned(const PartitionKey& key, const StoredPartition& lease) const {
  const std::lock_guard lock(mutex_);
  const auto owned = epochs_.find(key);
  if (owned == epochs_.end() || lease.owner != owner()) return false;
  const auto raising = raising_.find(key);
  return owned->second == lease.epoch || (raising != raising_.end() && raising->second == lease.epoch);
}

Result<std::vector<const Partition*>> Store::reclaim(plugin::Connection& connection, const std::string& target,
                                                     const std::vector<const Partition*>& partitions) {
  auto lost = reclaim(connection, partitions);
  if (!lost) return lost;
  // The old transaction holds the table until it has ended.
  if (auto done = protocol_->wait_for_writers(connection, target); !done) return std::move(done.error());
  return lost;
}

Result<std::vector<const Partition*>> Store::reclaim(plugin::Connection& connection, const std::vector<const Partition*>& partitions) {
  std::vector<const Partition*> lost;
  Epochs raised;
  auto done = in_transaction(connection, [&]() -> Result<void> {
    if (auto locked = lock_claims(connection); !locked) return locked;
    auto leases = read_leases(connection, tables_, partition_keys_of(partitions), CDCRT_LOCK_UPDATE);
    if (!leases) return std::move(leases.error());
    Leases changed;
    for (const Partition* partition : partitions) {
      const PartitionKey key = partition->key();
      StoredPartition& lease = (*leases)[key];
      if (!is_owned(key, lease)) {
        lost.push_back(partition);
        continue;
      }
      raised[key] = ++lease.epoch;
      changed[key] = lease;
    }
    if (auto saved = write_leases(connection, changed); !saved) return saved;
    // Others of this process may see them raised before we know that they are, or without an answer to COMMIT.
    const std::lock_guard lock(mutex_);
    for (const auto& [key, epoch] : raised) raising_[key] = epoch;
    return {};
  });
  if (!done) return std::move(done.error());
  const std::lock_guard lock(mutex_);
  for (const auto& [key, epoch] : raised) epochs_[key] = epoch;
  return lost;
}

Result<void> Store::save_waits_for(plugin::Connection& connection, const PartitionKey& key, const WaitsFor& waits_for) {
  return in_transaction(connection, [&]() -> Result<void> {
    if (auto locked = lock_claims(connection); !locked) return locked;
    auto leases = read_leases(connection, tables_, {key}, CDCRT_LOCK_UPDATE);
    if (!leases) return std::move(leases.error());
    StoredPartition& lease = (*leases)[key];
    lease.waits_for = waits_for;
    return write_leases(connection, {{key, lease}});
  });
}

Result<std::vector<const Partition*>> Store::check(plugin::Connection& connection, const std::vector<const Partition*>& partitions) {
  return check(connection, partitions, CDCRT_LOCK_SHARE);
}

Result<std::vector<const Partition*>> Store::look(plugin::Connection& connection, const std::vector<const Partition*>& partitions) {
  std::vector<const Partition*> lost;
  auto looked = in_reading_transaction(connection, [&]() -> Result<void> {
    auto checked = check(connection, partitions, CDCRT_LOCK_NONE);
    if (!checked) return std::move(checked.error());
    lost = std::move(*checked);
    return {};
  });
  if (!looked) return std::move(looked.error());
  return lost;
}

Result<void> Store::look(plugin::Connection& connection) {
  return in_reading_transaction(connection, [&]() -> Result<void> {
    auto version = tables_.format_version(connection, CDCRT_LOCK_NONE);
    return version ? Result<void>() : std::move(version.error());
  });
}

Result<std::vector<const Partition*>> Store::check(plugin::Connection& connection, const std::vector<const Partition*>& partitions,
                                                   cdcrt_lock lock) {
  auto current = read_leases(connection, tables_, partition_keys_of(partitions), lock);
  if (!current) return std::move(current.error());
  auto lost = not_owned(partitions, *current);
  if (lost.empty() || lock == CDCRT_LOCK_NONE) return lost;
  // Under a lock the first answer may be what an earlier transaction was told, which COMMIT proves. What nothing is committed on the
  // strength of is asked for again.
  current = read_leases(connection, tables_, partition_keys_of(partitions), lock);
  if (!current) return std::move(current.error());
  return not_owned(partitions, *current);
}

std::vector<const Partition*> Store::not_owned(const std::vector<const Partition*>& partitions, const Leases& current) const {
  std::vector<const Partition*> lost;
  for (const Partition* partition : partitions) {
    const auto lease = current.find(partition->key());
    if (lease == current.end() || !is_owned(lease->first, lease->second)) lost.push_back(partition);
  }
  return lost;
}

Result<Store::Checked> Store::check_with_tables(plugin::Connection& connection, const std::vector<const Partition*>& partitions,
                                                const std::vector<std::string>& targets) {
  Checked checked;
  Leases current;
  const auto partition_keys = partition_keys_of(partitions);
  Keys target_keys{1};
  for (const auto& target : targets) target_keys.cells.push_back(text(target));
  Reads reads(tables_);
  reads.add(
      kLeases, [&](const Row& row) { current[row.partition(kLeases.partition)] = lease_of(row); }, keys_of(partition_keys));
  reads.add(
      kTables, [&](const Row& row) { table_into(row, checked.tables[row.text(kTables.target)]); }, target_keys);
  if (auto done = reads.run(connection); !done) return std::move(done.error());
  checked.lost = not_owned(partitions, current);
  return checked;
}

void Store::forget(const Partition& partition) {
  const std::lock_guard lock(mutex_);
  has_progress_.erase(partition.key());
  epochs_.erase(partition.key());
}

}  // namespace cdcrt::progress
