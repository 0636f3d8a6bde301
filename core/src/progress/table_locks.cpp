#include "progress/table_locks.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <iterator>

#include "cdcrt/sdk/hash.hpp"

namespace cdcrt::progress {
namespace {

constexpr std::size_t kMadeApart = 8;  // tables; of fewer a COMMIT more costs more than others wait

}  // namespace

HostTable TableLocks::progress_of(const std::string& target) const {
  HostTable table = kProgress;
  const std::string identity = access_.pipeline() + '\0' + access_.sink() + '\0' + target;
  std::array<char, 17> mark{};  // part of a name in the target
  (void)std::snprintf(mark.data(), mark.size(), "%016llx", static_cast<unsigned long long>(sdk::fnv1a(identity)));
  table.name += "_";
  table.name += mark.data();
  return table;
}

Result<void> TableLocks::lock_targets(plugin::Connection& connection, const std::vector<std::string>& targets) const {
  std::vector<HostTable> tables;
  for (const auto& target : targets) tables.push_back(progress_of(target));
  std::sort(tables.begin(), tables.end(), [](const HostTable& left, const HostTable& right) { return left.name < right.name; });
  tables.erase(
      std::unique(tables.begin(), tables.end(), [](const HostTable& left, const HostTable& right) { return left.name == right.name; }),
      tables.end());
  return access_.lock(connection, tables);
}

Result<void> TableLocks::wait_for_writers(plugin::Connection& connection, const std::string& target) const {
  return in_reading_transaction(connection, [&] { return lock_targets(connection, {target}); });
}

Result<void> TableLocks::prepare_locks(plugin::Connection& connection, const std::vector<std::string>& targets) {
  std::vector<std::string> missing;
  {
    const std::lock_guard guard(mutex_);
    std::copy_if(targets.begin(), targets.end(), std::back_inserter(missing),
                 [&](const auto& target) { return !prepared_.contains(target); });
  }
  if (missing.empty()) return {};
  // Many are made by a transaction of their own first, so that the others who make some, and claims, do not wait for that. Nobody uses
  // what is not listed, and two that make one table at once meet here and do it again below, one after the other.
  bool are_made = false;
  if (missing.size() >= kMadeApart) {
    auto made = in_transaction(connection, [&] { return make_progress_tables(connection, missing); });
    are_made = made.ok();
    const bool raced =
        !are_made && (made.error().code == CDCRT_RETRY || made.error().code == CDCRT_BUSY || made.error().code == CDCRT_STALE_SCHEMA);
    if (!are_made && !raced) return made;
  }
  // Both or neither: a claim waits for the tables that are listed.
  auto done = in_transaction(connection, [&]() -> Result<void> {
    if (auto locked = lock_claims(connection); !locked) return locked;
    if (!are_made) {
      if (auto made = make_progress_tables(connection, missing); !made) return made;
    }
    Rows listed = rows_of(kProgressTables);
    for (const auto& target : missing) access_.add(listed)[kProgressTables.target] = text(target);
    return access_.write(connection, listed);
  });
  if (done) know_places(missing);
  return done;
}

Result<void> TableLocks::make_progress_tables(plugin::Connection& connection, const std::vector<std::string>& targets) const {
  for (const auto& target : targets) {
    if (auto made = access_.create(connection, progress_of(target)); !made) return made;
  }
  return {};
}

// Without a lock on the leases: the claims' lock stands for it.
Result<Leases> TableLocks::read_to_take(plugin::Connection& connection, const std::vector<PartitionKey>& keys,
                                        const AddReads& beside) const {
  Leases leases;
  Reads reads(access_);
  reads.add(
      kLeases, [&](const Row& row) { leases[row.partition(kLeases.partition)] = lease_of(row); }, keys_of(keys));
  beside(reads);
  if (auto done = reads.run(connection); !done) return std::move(done.error());
  return leases;
}

// Whoever checked the leases before they were raised holds a table that is listed by now; who begins later sees them raised.
Result<void> TableLocks::read_after_claim(plugin::Connection& connection, const AddReads& beside, const Body& read) {
  std::vector<std::string> targets;
  Reads reads(access_);
  add_places(reads, targets);
  beside(reads);
  if (auto done = reads.run(connection); !done) return done;
  return in_reading_transaction(connection, [&]() -> Result<void> {
    if (auto locked = lock_targets(connection, targets); !locked) return locked;
    return read();
  });
}

void TableLocks::add_progress(Reads& reads, const std::vector<std::string>& targets, const Visit& visit) const {
  for (const auto& target : targets) reads.add(progress_of(target), visit);
}

void TableLocks::add_places(Reads& reads, std::vector<std::string>& where) const {
  reads.add(kProgressTables, [&where](const Row& row) { where.push_back(row.text(kProgressTables.target)); });
}

Result<void> TableLocks::read_progress(plugin::Connection& connection, const std::vector<std::string>& where, const Visit& visit) {
  Reads reads(access_);
  add_progress(reads, where, visit);
  if (auto done = reads.run(connection); !done) return done;
  know_places(where);
  return {};
}

void TableLocks::know_places(const std::vector<std::string>& where) {
  const std::lock_guard guard(mutex_);
  prepared_.insert(where.begin(), where.end());
}

// In one statement, before anything is read: what is read then is of after the lock.
Result<void> TableLocks::lock_out(plugin::Connection& connection, const std::vector<HostTable>& tables) const {
  if (tables.empty()) return {};
  std::vector<HostTable> locked{kClaims};
  locked.insert(locked.end(), tables.begin(), tables.end());
  return access_.lock(connection, locked);
}

}  // namespace cdcrt::progress
