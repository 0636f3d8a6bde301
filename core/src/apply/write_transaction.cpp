#include "apply/write_transaction.hpp"

#include <algorithm>

#include "apply/key_change.hpp"
#include "apply/left_behind.hpp"
#include "apply/open_dead_letters.hpp"
#include "apply/table.hpp"
#include "apply/table_writer.hpp"

namespace cdcrt::apply {
namespace {

// Told once for a table.
std::string overtaken_text(const Sealed& sealed) {
  uint64_t loaded = 0;
  for (const auto& part : sealed.partitions) {
    for (const Entry& entry : part.fold.entries())
      loaded += entry.effect == Effect::kNothing && entry.snapshot && entry.order.empty() ? 1 : 0;
  }
  const std::string& target = sealed.identity->target();
  if (loaded == 0)
    return "table '" + target + "': changes came after later ones of their rows, from another partition or read again. The later ones stay";
  return "table '" + target + "': " + std::to_string(loaded) +
         " rows of a load or snapshot were left out, and more may follow without a word: cdcrt knows later changes of these rows. That is "
         "right where the table changed while it was loaded. If it was loaded again to repair it, these rows keep what they have: begin anew "
         "with cdcrt progress rewind --table " +
         target + " --to TIME --empty, TIME being before the new load";
}

std::vector<progress::TablePosition> positions_of(const Sealed& sealed) {
  std::vector<progress::TablePosition> positions;
  for (const auto& part : sealed.partitions) positions.push_back({part.partition, part.next_offset, part.order});
  return positions;
}

// Of which something is kept: a sink that takes events keeps nothing.
std::vector<std::string> kept_targets(const std::vector<Sealed*>& batches) {
  std::vector<std::string> targets;
  for (const Sealed* sealed : batches) {
    if (!sealed->table->identity().events) targets.push_back(sealed->table->identity().target());
  }
  return targets;
}

}  // namespace

Outcome WriteTransaction::lose(const std::vector<const progress::Partition*>& partitions) {
  for (const progress::Partition* partition : partitions) {
    if (!partition->is_assigned() || !context_.lost) {
      return make_error(CDCRT_FATAL, "another process of the pipeline, or a command that sent it back, took over " + partition->name(),
                        "run one process per pipeline on this source; after cdcrt progress rewind simply start again");
    }
    context_.lost(*partition);
  }
  return Outcome::repeat("partitions were taken over by another process");
}

Result<void> WriteTransaction::claim(std::vector<const progress::Partition*> partitions) {
  std::erase_if(partitions, [](const progress::Partition* partition) { return partition->is_assigned(); });
  return context_.store->claim_new(*connection_, partitions, context_.always_ours);
}

Result<void> WriteTransaction::begin(const std::vector<Sealed*>& batches) {
  if (auto begun = connection_->begin(); !begun) return begun;
  if (context_.store == nullptr) return {};
  auto locked = context_.store->lock_targets(*connection_, kept_targets(batches));
  if (!locked) connection_.roll_back();
  return locked;
}

// The leases stay ours until the transaction ends.
Outcome WriteTransaction::lock_leases(const std::vector<const Sealed*>& batches, const progress::Store::Checked* checked) {
  std::vector<const progress::Partition*> lost;
  if (checked != nullptr) {
    lost = checked->lost;
  } else {
    auto asked = context_.store->check(*connection_, partitions_of(batches));
    if (!asked) return std::move(asked.error());
    lost = std::move(*asked);
  }
  if (!lost.empty()) return lose(lost);
  // Given up and claimed again just before the lock: the lease is ours, but the rows are of the time before.
  if (std::none_of(batches.begin(), batches.end(), [](const Sealed* sealed) { return sealed->has_lost(); })) return {};
  return Outcome::repeat("partitions were given up meanwhile");
}

// Locks the tables' rows for the transaction. What another process changed since is taken over first.
Outcome WriteTransaction::lock_kept_tables(const std::vector<Sealed*>& batches, const progress::Store::Checked* checked) {
  std::vector<std::string> shared, alone;
  for (const Sealed* sealed : batches) {
    if (sealed->table->identity().events) continue;
    (sealed->needs_table() ? alone : shared).push_back(sealed->table->identity().target());
  }
  // In one order, whoever asks.
  std::sort(alone.begin(), alone.end());
  std::map<std::string, progress::StoredTable> rows;
  if (checked != nullptr) {
    rows = checked->tables;
    alone.clear();
    shared.clear();
  }
  for (const auto& [targets, lock] : {std::pair{&alone, CDCRT_LOCK_UPDATE}, std::pair{&shared, CDCRT_LOCK_SHARE}}) {
    if (targets->empty()) continue;
    auto locked = context_.store->lock_tables(*connection_, *targets, lock);
    if (!locked) return std::move(locked.error());
    rows.merge(*locked);
  }
  bool changed = false;
  for (const Sealed* sealed : batches) {
    if (sealed->table->identity().events) continue;
    KeptRow& kept = sealed->table->kept();
    const auto row = rows.find(sealed->table->identity().target());
    if (row != rows.end() && kept.is(row->second.version)) continue;
    kept.look_again();
    changed = true;
  }
  return changed ? Outcome::repeat("another process changed what is known of the table") : Outcome();
}

Outcome WriteTransaction::lock(const std::vector<Sealed*>& batches) {
  if (auto locked = lock_leases({batches.begin(), batches.end()}); !locked) return locked;
  return lock_kept_tables(batches, nullptr);
}

Outcome WriteTransaction::write(const std::vector<Sealed*>& batches, std::vector<const Entry*>& missing) {
  if (context_.store != nullptr) {
    std::optional<progress::Store::Checked> checked;
    if (context_.store->prepares_together()) {
      auto all = context_.store->check_with_tables(*connection_, partitions_of({batches.begin(), batches.end()}), kept_targets(batches));
      if (!all) return std::move(all.error());
      checked = std::move(*all);
    }
    if (auto locked = lock_leases({batches.begin(), batches.end()}, checked ? &*checked : nullptr); !locked) return locked;
    for (Sealed* sealed : batches) {
      if (sealed->table->identity().events) continue;
      if (auto found = look_up_dead_letters(*connection_, *context_.store, *sealed); !found) return found;
    }
    if (auto locked = lock_kept_tables(batches, checked ? &*checked : nullptr); !locked) return locked;
  }
  if (context_.store != nullptr) {
    for (Sealed* sealed : batches) {
      if (auto decided = decide_by_source(*sealed); !decided) return decided;
      find_blocked(*sealed, missing);
      settle_dead_letters(*sealed, touches_dead_letters(*sealed) ? entries_of(*sealed) : std::vector<const Entry*>(), {});
    }
    if (!missing.empty()) return make_error(CDCRT_BAD_RECORD, "partial changes of rows with an open dead letter");
  }
  // Deletes of rows that the batch itself brought find none: told with COMMIT, that would look like a failure.
  std::vector<cdcrt_table> tables;
  for (const Sealed* sealed : batches) {
    if (!sealed->table->identity().events && !takes_back_rows(*sealed)) tables.push_back(sealed->table->abi());
  }
  if (auto expected = connection_->expect(tables, false); !expected) return expected;
  for (Sealed* sealed : batches) {
    if (sealed->clear) {
      if (auto cleared = clear(*sealed); !cleared) return cleared;
    }
    if (auto written = write_settled(*sealed, nullptr, missing); !written) return written;
  }
  // Last, since all tables that are kept in source order share these, and whoever else writes them waits from here on.
  for (Sealed* sealed : batches) {
    if (!sealed->by_source) continue;
    if (auto saved = sealed->attempt.source_order.save(*connection_, *context_.store, *sealed); !saved) return saved;
  }
  if (!missing.empty()) return make_error(CDCRT_BAD_RECORD, "partial changes without a row");
  return finish(batches);
}

// Once more in each transaction: another process may have changed the rows since.
Outcome WriteTransaction::decide_by_source(Sealed& sealed, const SourceOrder::Refused& refused) {
  if (!sealed.by_source) return {};
  Table& table = *sealed.table;
  auto decided = sealed.attempt.source_order.decide(*connection_, *context_.store, sealed, refused);
  if (!decided && !sealed.refusal.empty()) {
    // The table is stopped in a transaction of its own.
    return Outcome::repeat(sealed.refusal);
  }
  if (decided && sealed.attempt.source_order.overtaken() > 0 && table.keys().tell_overtaken()) context_.warn(overtaken_text(sealed));
  return decided;
}

Result<void> WriteTransaction::clear(const Sealed& sealed) {
  auto cleared = clear_table(*connection_, sealed);
  if (!cleared || context_.store == nullptr) return cleared;
  if (!sealed.by_source && !sealed.table->kept().row().remembers_keys) return {};
  return context_.store->forget_row_orders(*connection_, sealed.table->identity().target());
}

Result<void> WriteTransaction::write_settled(Sealed& sealed, const std::vector<const Entry*>* only, std::vector<const Entry*>& missing,
                                             bool is_trial) {
  if (context_.store == nullptr || sealed.key.empty()) {
    return write_entries(*connection_, sealed, only != nullptr ? *only : entries_of(sealed), missing);
  }
  SettledEntries settled;
  if (auto done = settle_key_changes(*connection_, *context_.store, sealed, settled, only); !done) return done;
  if (!settled.never_filled().empty() && !is_trial) {
    std::string names;
    for (const auto& name : settled.never_filled()) names += (names.empty() ? "" : ", ") + name;
    context_.warn(
        "table '" + sealed.table->identity().target() + "': a row changed its key, and its event under the new key lacks columns (" +
        names +
        "). The row under the old key, which would have them, was never read: NULL stands there. Take a new snapshot of the row at the source");
  }
  std::vector<const Entry*> chosen = settled.entries();
  missing.insert(missing.end(), settled.missing().begin(), settled.missing().end());
  LeftBehind left(*connection_, *context_.store, sealed);
  if (auto done = left.settle(chosen); !done) return done;
  if (left.is_unsure() && !is_trial && sealed.table->keys().tell_left_behind()) {
    context_.warn(
        "table '" + sealed.table->identity().target() +
        "': its primary_key holds more columns than the message key, and updates come without an image of the row before. Where such a column changes, the "
        "old row may stay beside the new one: rows come from several partitions, source tables or pipelines, so that the message key does not tell which row it was. "
        "Set REPLICA IDENTITY FULL (or its like) at the source");
  }
  std::vector<const Entry*> not_found;
  auto written = write_entries(*connection_, sealed, chosen, not_found);
  for (const Entry* entry : not_found) {
    const Entry* const own = left.original(entry);
    const Entry* const original = own != nullptr ? settled.original(own) : nullptr;
    if (original != nullptr) missing.push_back(original);
  }
  return written;
}

Result<void> WriteTransaction::finish(const std::vector<Sealed*>& batches) {
  if (context_.store != nullptr) {
    std::map<progress::PartitionKey, int64_t> lowered;
    progress::PositionsByTarget reached;
    for (const Sealed* sealed : batches) {
      auto& of_table = reached[sealed->table->identity().target()];
      for (const auto& part : sealed->partitions) {
        of_table[part.partition->key()] = {part.next_offset, part.order};
        if (!sealed->clear) continue;
        auto& next = lowered.try_emplace(part.partition->key(), part.next_offset).first->second;
        next = std::min(next, part.next_offset);
      }
    }
    if (auto saved = context_.store->save_progress(*connection_, std::move(reached)); !saved) return saved;
    // What all tables share, in one order, so that transactions wait for each other rather than in a ring.
    for (const Sealed* sealed : batches) {
      if (sealed->clear && sealed->key.empty()) {
        if (auto passed = context_.store->pass_open_dead_letters(*connection_, sealed->table->identity().target()); !passed) return passed;
      } else if (sealed->clear && !sealed->table->dead_letters().is_whole()) {
        if (auto forgotten = context_.store->forget_open_dead_letters(*connection_, sealed->table->identity().target()); !forgotten)
          return forgotten;
      }
      if (auto saved = context_.store->save_open_dead_letters(*connection_, sealed->table->identity().target(),
                                                              sealed->attempt.dead_letters_closed, sealed->attempt.dead_letters_opened);
          !saved)
        return saved;
    }
    for (const Sealed* sealed : batches) {
      const auto& identity = sealed->table->identity();
      if (sealed->raises_version()) {
        progress::StoredTable row = sealed->table->kept().row();
        ++row.version;
        if (sealed->clear) row.floor = sealed->floor;
        if (auto saved = context_.store->save_table(*connection_, identity.target(), row); !saved) return saved;
      }
      if (sealed->clear) {
        if (auto sent = context_.store->send_others_back(*connection_, identity.target(), sealed->floor, partitions_of({sealed})); !sent)
          return sent;
      }
    }
    // A truncate may have sent partitions back: a restart must read them from there.
    if (auto saved = context_.store->lower_watermarks(*connection_, lowered); !saved) return saved;
  }
  auto flushed = context_.dead_letters.flush({&*connection_, context_.store});
  if (!flushed) return std::move(flushed.error());
  return commit(batches, *flushed);
}

Result<void> WriteTransaction::commit(const std::vector<Sealed*>& batches, const dead_letters::Flushed& dead_letters) {
  auto committed = connection_->commit();
  if (committed && context_.store != nullptr) context_.dead_letters.committed(*context_.store, dead_letters);
  if (!committed && is_outage(committed.error())) {
    for (Sealed* sealed : batches) sealed->attempt.commit_unknown = true;
  }
  return committed;
}

// After a lost answer to COMMIT the progress in the target tells what happened, once the old transaction has surely ended; rows
// without a key would be doubled otherwise.
Outcome WriteTransaction::find_commit(Sealed& sealed, bool& is_there) {
  is_there = false;
  if (!sealed.attempt.commit_unknown || context_.store == nullptr) return {};
  if (const auto stranded = sealed.drop_lost(); !stranded.empty()) return lose(stranded);
  auto gone = context_.store->reclaim(*connection_, sealed.table->identity().target(), partitions_of({&sealed}));
  // The old transaction is still there. Nothing else may be done with these rows before it is gone, however long that takes.
  if (!gone && gone.error().code == CDCRT_BUSY) return Outcome::wait_for_target(std::move(gone.error()));
  if (!gone) return std::move(gone.error());
  if (!gone->empty()) {
    if (auto lost = lose(*gone); lost.next() == Next::kStop) return lost;
    if (const auto stranded = sealed.drop_lost(); !stranded.empty()) return lose(stranded);
  }
  if (sealed.partitions.empty()) return {};
  if (auto begun = connection_->begin(); !begun) return begun;
  auto stands = context_.store->stands_at(*connection_, sealed.table->identity().target(), positions_of(sealed));
  connection_.roll_back();
  if (!stands) return std::move(stands.error());
  sealed.attempt.commit_unknown = false;
  is_there = *stands;
  return {};
}

}  // namespace cdcrt::apply
