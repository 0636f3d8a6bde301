// Leases: who reads a partition, and how an older reader is shut out (decision 0011).
#include <algorithm>
#include <deque>

#include "progress/host_tables.hpp"

namespace cdcrt::progress {

Result<void> Store::lock_creation(plugin::Connection& connection) {
  if (locks_tables_) return {};  // claims, or the table's own lock, stand for it
  auto version = format_version(connection, CDCRT_LOCK_UPDATE);
  if (!version) return std::move(version.error());
  return {};
}

Result<Store::Leases> Store::read_leases(plugin::Connection& connection, const std::vector<PartitionKey>& keys, cdcrt_lock lock) {
  Leases leases;
  std::vector<cdcrt_cell> cells;
  for (const auto& key : keys) append_key(cells, key);
  auto ok = read(connection, kLeases, lock, [&](const cdcrt_cell* row) { leases[key_of(row)] = lease_of(row); }, cells, 3);
  if (!ok) return std::move(ok.error());
  return leases;
}

Result<void> Store::write_leases(plugin::Connection& connection, const Leases& leases) {
  std::deque<std::string> storage;
  std::vector<cdcrt_cell> cells;
  for (const auto& [key, lease] : leases) {
    cells.insert(cells.end(), {text(pipeline_), text(sink_)});
    append_key(cells, key);
    cells.insert(cells.end(), {integer(lease.epoch), text(lease.owner), text(storage.emplace_back(to_text(lease.waits_for)))});
  }
  return write(connection, kLeases, cells);
}

Result<Store::Takeable> Store::read_to_take(plugin::Connection& connection, const std::vector<PartitionKey>& keys) {
  Takeable now;
  if (!locks_tables_) {
    auto leases = read_leases(connection, keys, CDCRT_LOCK_UPDATE);
    if (!leases) return std::move(leases.error());
    now.leases = std::move(*leases);
    return now;
  }
  std::vector<cdcrt_cell> cells;
  for (const auto& key : keys) append_key(cells, key);
  Reads reads(*this);
  reads.add(kLeases, [&](const cdcrt_cell* row) { now.leases[key_of(row)] = lease_of(row); }, cells, 3);
  if (abandoned_) reads.add(kProcesses, [&](const cdcrt_cell*) { now.is_listed = true; }, {text(owner_)}, 1);
  if (auto done = reads.run(connection); !done) return std::move(done.error());
  return now;
}

// Raises them in our name, beside `changed`.
Result<void> Store::take(plugin::Connection& connection, const std::vector<PartitionKey>& keys, const Takeable& now, Leases changed,
                         Epochs& epochs) {
  for (const auto& key : keys) {
    const auto lease = now.leases.find(key);
    StoredPartition& taken = changed[key];
    if (lease != now.leases.end()) taken = lease->second;
    taken.owner = owner_;
    epochs[key] = ++taken.epoch;
  }
  if (auto saved = write_leases(connection, changed); !saved) return saved;
  // Others may have taken it off while it held no lease.
  return now.is_listed ? Result<void>() : list_process(connection);
}

Result<Stored> Store::claim(plugin::Connection& connection, const std::vector<PartitionKey>& wanted, const std::vector<Origin>& fresh) {
  Stored stored;
  Epochs epochs;
  auto done = in_transaction(connection, [&]() -> Result<void> {
    if (auto held = hold_claims(connection); !held) return held;
    // Two processes that meet the same new topic give it one start.
    if (!fresh.empty()) {
      if (auto locked = lock_creation(connection); !locked) return locked;
    }
    std::vector<PartitionKey> keys = wanted;
    for (const auto& origin : fresh) keys.push_back(origin.key);
    auto now = read_to_take(connection, keys);
    if (!now) return std::move(now.error());
    Leases* const leases = &now->leases;
    const auto is_known = [known = *leases](const PartitionKey& fresh_key) {
      return std::any_of(known.begin(), known.end(),
                         [&](const auto& each) { return each.first.source == fresh_key.source && each.first.topic == fresh_key.topic; });
    };
    Leases made, starts;
    for (const auto& origin : fresh) {
      if (leases->contains(origin.key)) continue;
      // It may have been added since the other looked, and then has to wait for the older ones.
      if (origin.is_first && is_known(origin.key)) {
        return make_error(CDCRT_RETRY, "another process met topic '" + origin.key.topic + "' at the same time");
      }
      made[origin.key].waits_for = (*leases)[origin.key].waits_for = origin.waits_for;
      starts[origin.key].next_offset = origin.offset;
      starts[origin.key].exact = true;
    }
    if (auto saved = write_watermarks(connection, starts); !saved) return saved;
    if (auto taken = take(connection, wanted, *now, std::move(made), epochs); !taken) return taken;
    return locks_tables_ ? Result<void>() : read_kept(connection, stored);
  });
  if (!done) return std::move(done.error());
  if (locks_tables_) {
    auto read = read_after_claim(connection);
    if (!read) return std::move(read.error());
    stored = std::move(*read);
  }
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
      if (!epochs_.contains(key_of(*partition))) missing.push_back(key_of(*partition));
    }
    return missing;
  };
  if (unclaimed(partitions).empty()) return {};
  // Two writers that meet a new partition at once would raise it twice, and hold the older epoch.
  const std::lock_guard turn(claiming_);
  std::vector<PartitionKey> missing = unclaimed(partitions);
  if (missing.empty()) return {};
  // Where claims wait for one another, one for all that are there by now.
  if (locks_tables_ && more) {
    std::set<PartitionKey> all(missing.begin(), missing.end());
    for (auto& key : unclaimed(more())) all.insert(std::move(key));
    missing.assign(all.begin(), all.end());
  }
  Epochs claimed;
  std::vector<PartitionKey> unread = missing;
  auto done = in_transaction(connection, [&]() -> Result<void> {
    if (auto held = hold_claims(connection); !held) return held;
    if (auto locked = lock_creation(connection); !locked) return locked;
    auto now = read_to_take(connection, missing);
    if (!now) return std::move(now.error());
    std::erase_if(unread, [&](const PartitionKey& key) { return now->leases.contains(key); });
    return take(connection, missing, *now, {}, claimed);
  });
  if (!done) return done;
  const std::lock_guard lock(mutex_);
  // Without a lease nobody could store progress of it.
  for (const auto& key : unread) has_progress_.try_emplace(key);
  epochs_.merge(claimed);
  return {};
}

bool Store::is_held(const PartitionKey& key, const StoredPartition& lease) const {
  const std::lock_guard lock(mutex_);
  const auto held = epochs_.find(key);
  if (held == epochs_.end() || lease.owner != owner_) return false;
  const auto raising = raising_.find(key);
  return held->second == lease.epoch || (raising != raising_.end() && raising->second == lease.epoch);
}

Result<std::vector<const Partition*>> Store::reclaim(plugin::Connection& connection, const std::string& target,
                                                     const std::vector<const Partition*>& partitions) {
  std::vector<const Partition*> gone;
  Epochs raised;
  auto done = in_transaction(connection, [&]() -> Result<void> {
    if (auto held = hold_claims(connection); !held) return held;
    auto leases = read_leases(connection, keys_of(partitions), CDCRT_LOCK_UPDATE);
    if (!leases) return std::move(leases.error());
    Leases changed;
    for (const Partition* partition : partitions) {
      const PartitionKey key = key_of(*partition);
      StoredPartition& lease = (*leases)[key];
      if (!is_held(key, lease)) {
        gone.push_back(partition);
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
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, epoch] : raised) epochs_[key] = epoch;
  }
  if (!locks_tables_) return gone;
  // The old transaction holds the table until it has ended.
  done = in_reading_transaction(connection, [&] { return hold(connection, {target}); });
  if (!done) return std::move(done.error());
  return gone;
}

Result<void> Store::save_waits_for(plugin::Connection& connection, const PartitionKey& key, const WaitsFor& waits_for) {
  return in_transaction(connection, [&]() -> Result<void> {
    if (auto held = hold_claims(connection); !held) return held;
    auto leases = read_leases(connection, {key}, CDCRT_LOCK_UPDATE);
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
  std::vector<const Partition*> gone;
  auto looked = in_reading_transaction(connection, [&]() -> Result<void> {
    auto checked = check(connection, partitions, CDCRT_LOCK_NONE);
    if (!checked) return std::move(checked.error());
    gone = std::move(*checked);
    return {};
  });
  if (!looked) return std::move(looked.error());
  return gone;
}

Result<void> Store::look(plugin::Connection& connection) {
  return in_reading_transaction(connection, [&]() -> Result<void> {
    auto version = format_version(connection, CDCRT_LOCK_NONE);
    return version ? Result<void>() : std::move(version.error());
  });
}

Result<std::vector<const Partition*>> Store::check(plugin::Connection& connection, const std::vector<const Partition*>& partitions, cdcrt_lock lock) {
  auto current = read_leases(connection, keys_of(partitions), lock);
  if (!current) return std::move(current.error());
  return not_held(partitions, *current);
}

std::vector<const Partition*> Store::not_held(const std::vector<const Partition*>& partitions, const Leases& current) const {
  std::vector<const Partition*> gone;
  for (const Partition* partition : partitions) {
    const auto lease = current.find(key_of(*partition));
    if (lease == current.end() || !is_held(lease->first, lease->second)) gone.push_back(partition);
  }
  return gone;
}

Result<Store::Checked> Store::check_with_tables(plugin::Connection& connection, const std::vector<const Partition*>& partitions,
                                                const std::vector<std::string>& targets) {
  Checked checked;
  Leases current;
  const auto keys = keys_of(partitions);
  std::vector<cdcrt_cell> partition_cells, target_cells;
  for (const auto& key : keys) append_key(partition_cells, key);
  for (const auto& target : targets) target_cells.push_back(text(target));
  Reads reads(*this);
  reads.add(kLeases, [&](const cdcrt_cell* cells) { current[key_of(cells)] = lease_of(cells); }, partition_cells, 3);
  reads.add(kTables, [&](const cdcrt_cell* cells) { table_row_into(cells, checked.tables[string_of(cells[0])]); }, target_cells, 1);
  if (auto done = reads.run(connection); !done) return std::move(done.error());
  checked.lost = not_held(partitions, current);
  return checked;
}

void Store::forget(const Partition& partition) {
  const std::lock_guard lock(mutex_);
  has_progress_.erase(key_of(partition));
  epochs_.erase(key_of(partition));
}

}  // namespace cdcrt::progress
