// Where only tables can be locked: each target table's progress table is its lock, claims have one of their own (decision 0014).
//
// Order, so that nobody waits in a ring: a transaction locks either claims alone, or progress tables by name; never one after another.
#include <algorithm>
#include <array>
#include <cstdio>
#include <deque>
#include <iterator>
#include <optional>

#include "cdcrt/sdk/hash.hpp"
#include "cdcrt/sdk/status.hpp"
#include "progress/host_tables.hpp"

namespace cdcrt::progress {
namespace {

constexpr std::size_t kMadeApart = 8;  // tables; of fewer a COMMIT more costs more than others wait

}  // namespace


Store::HostTable Store::progress_of(const std::string& target) const {
  HostTable table = kProgress;
  if (!locks_tables_) return table;
  const std::string identity = pipeline_ + '\0' + sink_ + '\0' + target;
  std::array<char, 17> mark{};  // part of a name in the target
  (void)std::snprintf(mark.data(), mark.size(), "%016llx", static_cast<unsigned long long>(sdk::fnv1a(identity)));
  table.name += "_";
  table.name += mark.data();
  return table;
}

Result<void> Store::lock(plugin::Connection& connection, const std::vector<HostTable>& tables) {
  std::vector<std::string> storage(tables.size());
  std::vector<cdcrt_table> names;
  for (std::size_t i = 0; i < tables.size(); ++i) names.push_back(name_of(tables[i], storage[i]));
  return names.empty() ? Result<void>() : connection.lock(names);
}

Result<void> Store::hold(plugin::Connection& connection, const std::vector<std::string>& targets) {
  if (!locks_tables_) return {};
  std::vector<HostTable> tables;
  for (const auto& target : targets) tables.push_back(progress_of(target));
  std::sort(tables.begin(), tables.end(), [](const HostTable& left, const HostTable& right) { return left.name < right.name; });
  tables.erase(std::unique(tables.begin(), tables.end(), [](const HostTable& left, const HostTable& right) { return left.name == right.name; }),
               tables.end());
  return lock(connection, tables);
}

Result<void> Store::hold_claims(plugin::Connection& connection) { return locks_tables_ ? lock(connection, {kClaims}) : Result<void>(); }

Result<void> Store::prepare_hold(plugin::Connection& connection, const std::vector<std::string>& targets) {
  if (!locks_tables_) return {};
  std::vector<std::string> missing;
  {
    const std::lock_guard guard(mutex_);
    std::copy_if(targets.begin(), targets.end(), std::back_inserter(missing), [&](const auto& target) { return !prepared_.contains(target); });
  }
  if (missing.empty()) return {};
  // Many are made by a transaction of their own first, so that the others who make some, and claims, do not wait for that. Nobody uses
  // what is not listed, and two that make one table at once meet here and do it again below, one after the other.
  bool are_made = false;
  if (missing.size() >= kMadeApart) {
    auto made = in_transaction(connection, [&] { return make_progress_tables(connection, missing); });
    are_made = made.ok();
    const bool raced = !are_made && (made.error().code == CDCRT_RETRY || made.error().code == CDCRT_BUSY || made.error().code == CDCRT_STALE_SCHEMA);
    if (!are_made && !raced) return made;
  }
  // Both or neither: a claim waits for the tables that are listed.
  auto done = in_transaction(connection, [&]() -> Result<void> {
    if (auto held = hold_claims(connection); !held) return held;
    if (!are_made) {
      if (auto made = make_progress_tables(connection, missing); !made) return made;
    }
    std::vector<cdcrt_cell> listed;
    for (const auto& target : missing) listed.insert(listed.end(), {text(pipeline_), text(sink_), text(target)});
    return write(connection, kHolds, listed);
  });
  if (!done) return done;
  const std::lock_guard guard(mutex_);
  prepared_.insert(missing.begin(), missing.end());
  return {};
}

Result<void> Store::make_progress_tables(plugin::Connection& connection, const std::vector<std::string>& targets) {
  for (const auto& target : targets) {
    if (auto made = create(connection, progress_of(target)); !made) return made;
  }
  return {};
}

// Whoever checked the leases before they were raised holds a table that is listed by now; who begins later sees them raised.
Result<Stored> Store::read_after_claim(plugin::Connection& connection) {
  std::vector<std::string> targets;
  auto done = in_one_look(connection, [&]() -> Result<void> {
    Stored now;
    Reads reads(*this);
    reads.add(kHolds, [&](const cdcrt_cell* cells) { targets.push_back(string_of(cells[0])); });
    add_holders(reads, now);
    if (auto ok = reads.run(connection); !ok) return ok;
    const std::lock_guard guard(mutex_);
    gone_ = gone(now);
    return {};
  });
  if (!done) return std::move(done.error());
  Stored stored;
  done = in_reading_transaction(connection, [&]() -> Result<void> {
    if (auto held = hold(connection, targets); !held) return held;
    return read_kept(connection, stored);
  });
  if (!done) return std::move(done.error());
  return stored;
}

std::set<std::string> Store::gone(const Stored& stored) const {
  std::set<std::string> gone = stored.processes;
  gone.erase(owner_);
  for (const auto& [key, lease] : stored.partitions) gone.erase(lease.owner);
  return gone;
}

// Under the claims' lock, so that a process found without a lease cannot get one meanwhile: what it left was written under leases
// that it lost.
Result<void> Store::clean_after_the_gone(plugin::Connection& connection) {
  std::optional<Error> failure;
  std::set<std::string> left;
  auto done = in_transaction(connection, [&]() -> Result<void> {
    if (auto held = hold_claims(connection); !held) return held;
    Stored now;
    if (auto ok = read_holders(connection, now); !ok) return ok;
    std::deque<std::string> names;
    std::vector<cdcrt_cell> cleaned;
    std::set<std::string> candidates;
    {
      const std::lock_guard guard(mutex_);
      candidates = gone_;
    }
    for (const auto& process : gone(now)) {
      if (!candidates.contains(process)) continue;
      if (auto removed = abandoned_(process); !removed) {
        failure = std::move(removed.error());
        left.insert(process);
        continue;
      }
      cleaned.insert(cleaned.end(), {text(pipeline_), text(sink_), text(names.emplace_back(process))});
    }
    return write(connection, kProcesses, cleaned, CDCRT_WRITE_DELETE);
  });
  if (!done) return done;
  {
    const std::lock_guard guard(mutex_);
    std::erase_if(gone_, [&](const std::string& process) { return !left.contains(process); });
  }
  if (failure) return std::move(*failure);
  return {};
}

bool Store::has_gone() const {
  const std::lock_guard guard(mutex_);
  return abandoned_ && !gone_.empty();
}

Result<void> Store::enlist(plugin::Connection& connection) {
  if (!abandoned_) return {};
  return in_transaction(connection, [&]() -> Result<void> {
    if (auto held = hold_claims(connection); !held) return held;
    // Nobody had this name before; only after a lost answer to COMMIT it may be there.
    return list_process(connection, enlisted_.exchange(true) ? CDCRT_WRITE_UPSERT : CDCRT_WRITE_APPEND);
  });
}

Result<void> Store::list_process(plugin::Connection& connection, cdcrt_write_kind kind) {
  return abandoned_ ? write(connection, kProcesses, {text(pipeline_), text(sink_), text(owner_)}, kind) : Result<void>();
}

// The other half of a key change may be longer than the longest text.
Store::HostTable Store::moved() const {
  HostTable table = kMoved;
  if (limits_.text_bytes != 0) table.columns.back().kind = CDCRT_TYPE_BYTES;
  return table;
}

}  // namespace cdcrt::progress
