#include "apply/writer.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <random>
#include <set>
#include <thread>

#include "apply/key_change.hpp"
#include "apply/left_behind.hpp"
#include "apply/open_dead_letters.hpp"
#include "apply/table_writer.hpp"
#include "apply/target_trial.hpp"

namespace cdcrt::apply {
namespace {

bool is_outage(const Error& error) { return error.code == CDCRT_RETRY || error.code == CDCRT_UNREACHABLE; }
bool is_transient(const Error& error) { return is_outage(error) || error.code == CDCRT_BUSY; }

std::vector<progress::TablePosition> positions_of(const Sealed& sealed) {
  std::vector<progress::TablePosition> positions;
  for (const auto& part : sealed.partitions) positions.push_back({part.partition, part.next_offset, part.order});
  return positions;
}

void remember_keys(Sealed& sealed) {
  if (sealed.in_order) sealed.table->target.keys.remember(sealed);
}

std::vector<const progress::Partition*> always_ours(std::vector<const progress::Partition*> partitions) {
  std::erase_if(partitions, [](const progress::Partition* partition) { return partition->is_assigned(); });
  return partitions;
}

constexpr int kTogetherAttempts = 2;

// SQLSTATEs that speak of the server or of the session: resources, its disk, cursors, transactions. Triggers and functions of a table
// raise them too, and a damaged file of one table does.
bool may_be_of_a_table(const Error& error) {
  static constexpr std::array<std::string_view, 8> kClasses = {"07", "24", "25", "26", "34", "53", "57", "58"};
  return is_outage(error) && error.sqlstate.size() == 5 &&
         std::any_of(kClasses.begin(), kClasses.end(), [&](std::string_view each) { return error.sqlstate.starts_with(each); });
}

}  // namespace

std::optional<std::string> Outage::fails(const void* who, const Error& error) {
  const std::lock_guard lock(mutex_);
  failing_.insert(who);
  if (!reminder_.lasts()) return std::nullopt;
  const auto seconds = reminder_.duration().count();
  return "waiting for the target" + (seconds > 0 ? ", for " + std::to_string(seconds) + " s by now" : std::string()) + ": " + explain(error);
}

void Outage::locked(const void* who, bool is) {
  const std::lock_guard lock(mutex_);
  is ? (void)locked_.insert(who) : (void)locked_.erase(who);
}

bool Outage::is_of_locks() const {
  const std::lock_guard lock(mutex_);
  return !locked_.empty() && std::includes(locked_.begin(), locked_.end(), failing_.begin(), failing_.end());
}

bool Outage::works(const void* who) {
  const std::lock_guard lock(mutex_);
  if (failing_.erase(who) == 0 || !failing_.empty()) return false;
  return reminder_.ends();
}

void Writer::gives_way() {
  failures_ = 0;
  if (std::exchange(told_outage_, false)) (void)context_.outage->works(this);
  if (context_.outage != nullptr) context_.outage->locked(this, false);
}

// A batch that got through says nothing of one that failed with it and is still to be tried: the outage may be of that table alone.
void Writer::reached() {
  if (context_.outage != nullptr) context_.outage->locked(this, false);
  failures_ = 0;
  if (!told_outage_ || others_wait_) return;
  told_outage_ = false;
  if (context_.outage->works(this)) context_.warn("the target answers again");
}

Result<void> Writer::connect() {
  if (connection_ && connection_->is_broken()) connection_.reset();
  if (connection_) return {};
  auto opened = context_.sink.open();
  if (!opened) {
    // Credentials that were right at the start are being changed: the operator mends them while we wait.
    if (opened.error().code == CDCRT_AUTH) opened.error().code = CDCRT_UNREACHABLE;
    return std::move(opened.error());
  }
  connection_.emplace(std::move(*opened));
  return {};
}

void Writer::roll_back() {
  if (!connection_) return;
  if (auto rolled_back = connection_->rollback(); !rolled_back) connection_.reset();
}

// Where only one connection may write, whoever locks something locks all of it.
bool Writer::is_locked_whole(const Error& error) const { return error.code == CDCRT_BUSY && context_.turn != nullptr; }

// Exponential back-off with jitter.
Result<void> Writer::wait(const Error& error) {
  const bool lost = is_outage(error), outage = lost || is_locked_whole(error);
  if (context_.outage != nullptr) context_.outage->locked(this, error.code == CDCRT_BUSY);
  if (failures_++ == 0) failing_since_ = std::chrono::steady_clock::now();
  if (outage && context_.outage != nullptr) {
    told_outage_ = true;
    if (const auto text = context_.outage->fails(this, error)) context_.warn(*text);
  } else if (outage && failures_ == 1) {
    context_.warn("waiting for the target: " + explain(error));
  }
  if (lost) connection_.reset();
  static thread_local std::minstd_rand random(std::random_device{}());
  const double ceiling = std::min(lost ? 30.0 : 2.0, 0.05 * static_cast<double>(1U << std::min(failures_, 10U)));
  auto left = std::chrono::duration<double>(std::uniform_real_distribution<>(ceiling / 2, ceiling)(random));
  while (left.count() > 0) {
    if (context_.gives_up()) return error;
    if (context_.pause) {
      context_.pause(std::chrono::duration_cast<std::chrono::microseconds>(left));
      return {};
    }
    const auto step = std::min(left, std::chrono::duration<double>(0.05));
    std::this_thread::sleep_for(step);
    left -= step;
  }
  return {};
}

// Whether the target takes what is of no table: then what it refuses is that table's own trouble.
bool Writer::takes_other_rows() {
  if (context_.progress_schema.empty()) return false;
  connection_.reset();  // what is left of the session says nothing
  if (!connect()) return false;
  const auto turn = context_.turn != nullptr ? std::unique_lock(*context_.turn) : std::unique_lock<std::mutex>();
  const auto tried = try_row(*connection_, context_.sink.has(CDCRT_SINK_SCHEMAS), context_.progress_schema);
  return tried.ok() || tried.error().code == CDCRT_UNSUPPORTED || tried.error().code == CDCRT_BAD_CONFIG;  // no right to make a table
}

Result<void> Writer::with_retries(const Table& table, const bool& commit_unknown, const std::function<Result<void>()>& body) {
  while (true) {
    auto done = connect();
    if (done) {
      const auto turn = context_.turn != nullptr ? std::unique_lock(*context_.turn) : std::unique_lock<std::mutex>();
      done = body();
    }
    if (done || !is_transient(done.error())) {
      reached();
      return done;
    }
    const bool whole = is_locked_whole(done.error());
    // The others go on; or all of them wait for the same, and it is left to the next start where this one ends.
    const auto takes_too_long = [&] {
      if (context_.stall_after.count() == 0) return true;
      if (whole) return context_.stopping && context_.stopping();
      if (failures_ == 0) return false;
      return std::chrono::steady_clock::now() - failing_since_ >= context_.stall_after || (context_.crowded && context_.crowded(table));
    };
    if (!commit_unknown && done.error().code == CDCRT_BUSY && takes_too_long()) {
      whole ? gives_way() : reached();
      return done;
    }
    if (!commit_unknown && may_be_of_a_table(done.error()) && takes_too_long() && takes_other_rows()) {
      reached();
      done.error().code = CDCRT_UNSUPPORTED;
      return done;
    }
    if (auto waited = wait(done.error()); !waited) return waited;
  }
}

// What they wrote before counts for nothing; the caller repeats without them.
Result<void> Writer::lose(const std::vector<const progress::Partition*>& partitions) {
  for (const progress::Partition* partition : partitions) {
    if (!partition->is_assigned() || !context_.lost) {
      return make_error(CDCRT_FATAL, "another process of the pipeline, or a command that sent it back, took over " + partition->name(),
                        "run one process per pipeline on this source; after cdcrt progress rewind simply start again");
    }
    context_.lost(*partition);
  }
  again_ = true;
  return make_error(CDCRT_STALE_SCHEMA, "partitions were taken over by another process");
}

// Leases are claimed, tables are there, have the columns, and are to be written.
Result<void> Writer::prepare(const std::vector<Sealed*>& batches) {
  const bool transactional = context_.sink.has(CDCRT_SINK_TRANSACTIONS);
  for (Sealed* sealed : batches) {
    if (const auto stranded = sealed->drop_lost(); !stranded.empty()) return lose(stranded);
  }
  if (context_.store != nullptr) {
    const auto partitions = partitions_of({batches.begin(), batches.end()});
    if (auto claimed = context_.store->claim_new(*connection_, always_ours(partitions), context_.always_ours); !claimed) return claimed;
  }
  std::set<const Sealed*> paused;
  for (Sealed* sealed : batches) {
    if (sealed->table->target.row.state == progress::TableState::kPaused) paused.insert(sealed);
    // An operator may have taken back what was asked: only what is stored now counts.
    if (sealed->table->target.row.state != progress::TableState::kActive) sealed->table->target.row_known = false;
  }
  if (context_.store != nullptr && context_.store->prepares_together()) {
    if (auto prepared = prepare_tables_of(batches, transactional); !prepared) return prepared;
  }
  for (Sealed* sealed : batches) {
    if (auto prepared = prepare_tables_of({sealed}, transactional); !prepared) return prepared;
    const bool was_paused = paused.contains(sealed);
    if (const auto& row = sealed->table->target.row; row.state != progress::TableState::kActive) {
      sealed->table->skip(row.state == progress::TableState::kSkipped);
      sealed->table->pause(row.state == progress::TableState::kPaused);
      if (progress::is_own_reason(row.reason)) return make_error(CDCRT_UNSUPPORTED, row.reason);
      return make_error(CDCRT_UNSUPPORTED, "an operator " + std::string(progress::to_text(row.state)) + " the table" +
                                               (row.reason.empty() ? "" : ": " + row.reason));
    }
    // Whoever resumed it takes the rows that stand as they are.
    if (was_paused) sealed->table->forgets_keys = true;
    if (auto ordered = put_in_order(*sealed); !ordered) return ordered;
  }
  return {};
}

Result<void> Writer::prepare_tables_of(const std::vector<Sealed*>& batches, bool transactional) {
  std::vector<const progress::Partition*> lost;
  auto prepared = prepare_tables(*connection_, context_.store, transactional, batches, lost);
  if (prepared) return lost.empty() ? std::move(prepared) : lose(lost);
  // A definition that the target refuses is no row's fault: nothing to isolate.
  if (prepared.error().code == CDCRT_BAD_RECORD) prepared.error().code = CDCRT_UNSUPPORTED;
  if (prepared.error().code == CDCRT_STALE_SCHEMA) {
    for (Sealed* sealed : batches) sealed->table->target.described = false;
  }
  return prepared;
}

// Once for each batch: it may be tried again.
Result<void> Writer::put_in_order(Sealed& sealed) {
  const auto& identity = sealed.table->identity();
  if (!identity.keeps_rows() || sealed.key.empty()) return {};
  if (sealed.by_source) {
    if (context_.store == nullptr) {
      return make_error(CDCRT_UNSUPPORTED, "the table is to be kept in source order, and the sink keeps nothing of the rows that it wrote",
                        "leave ordering out of the route");
    }
    return sealed.refusal.empty() ? Result<void>() : stop_for_good(sealed);
  }
  KeyOrder& keys = sealed.table->target.keys;
  // The bytes of a key are those of its columns' types.
  std::vector<uint8_t> kinds;
  for (const uint32_t slot : sealed.key) kinds.push_back(sealed.columns[slot].type.kind);
  const bool are_others = kinds != std::exchange(sealed.table->target.key_kinds, kinds);
  if (sealed.table->forgets_keys.exchange(false) || sealed.clear || are_others) keys.clear();
  if (!std::exchange(sealed.in_order, true)) {
    if (auto read = read_known_keys(sealed); !read) {
      sealed.in_order = false;
      return read;
    }
    const bool was_silent = keys.overtaken() == 0;
    const bool settled = keys.settle(sealed);
    const bool may_change = context_.store != nullptr && context_.sink.has(CDCRT_SINK_TRANSACTIONS) && identity.route.ordering == route::Ordering::kAuto;
    if (keys.met() && may_change) {
      sealed.in_order = false;
      sealed.refusal.clear();
      return keep_by_source(sealed);
    }
    if (settled && was_silent && keys.overtaken() > 0) {
      context_.warn("table '" + identity.target() +
                    "': changes of one key come from several partitions, an older one after a newer one. The newer one stays; cdcrt compares them "
                    "with the last " +
                    std::to_string(KeyOrder::kOfSeveral) + " keys that it wrote, so send all changes of a key to one partition");
    }
  }
  return sealed.refusal.empty() ? Result<void>() : stop_for_good(sealed);
}

// The next start would meet the key in one partition only, and not notice.
Result<void> Writer::stop_for_good(Sealed& sealed) {
  const std::string name = sealed.table->identity().target();
  const std::string reason = std::string(progress::kOwnReason) + sealed.refusal +
                             ". Give the route a primary_key that tells such rows apart, or send all changes of a key to one partition; "
                             "then read the table again: cdcrt progress rewind --table " +
                             name + " --to earliest --empty. Or let what comes later stand over what is written: cdcrt table resume " + name +
                             " (it stops again where neither is written yet)";
  Error stopped = make_error(CDCRT_UNSUPPORTED, reason);
  if (context_.store == nullptr) return stopped;
  if (auto begun = begin({&sealed}); !begun) return begun;
  const auto body = [&]() -> Result<void> {
    auto rows = context_.store->lock_tables(*connection_, {name}, CDCRT_LOCK_UPDATE);
    if (!rows) return std::move(rows.error());
    const auto row = rows->find(name);
    if (row == rows->end()) return make_error(CDCRT_RETRY, "table '" + name + "' has no row in the progress any more");
    if (row->second.state == progress::TableState::kActive) {
      row->second.state = progress::TableState::kPaused;
      row->second.reason = reason;
      ++row->second.version;
      if (auto saved = context_.store->save_table(*connection_, name, row->second); !saved) return saved;
    }
    return connection_->commit();
  };
  if (auto done = body(); !done) {
    roll_back();
    return done;
  }
  sealed.table->target.row_known = false;
  sealed.table->target.row.state = progress::TableState::kPaused;
  sealed.table->pause(true);
  return stopped;
}

Result<void> Writer::attempt(std::vector<Sealed*>& batches, std::vector<const Entry*>& missing) {
  again_ = false;
  if (auto prepared = prepare(batches); !prepared) return prepared;
  if (auto begun = begin(batches); !begun) return begun;
  auto done = write_rows(batches, missing);
  if (!done) {
    roll_back();
    for (Sealed* sealed : batches) sealed->source_order.take_back();
  }
  if (!done && done.error().code == CDCRT_STALE_SCHEMA) {
    for (Sealed* sealed : batches) sealed->table->target.described = false;
  }
  return done;
}

Result<void> Writer::write_rows(std::vector<Sealed*>& batches, std::vector<const Entry*>& missing) {
  if (context_.store != nullptr) {
    std::optional<progress::Store::Checked> checked;
    if (context_.store->prepares_together()) {
      auto all = check_at_once(batches);
      if (!all) return std::move(all.error());
      checked = std::move(*all);
    }
    if (auto held = hold_leases({batches.begin(), batches.end()}, checked ? &*checked : nullptr); !held) return held;
    for (Sealed* sealed : batches) {
      if (sealed->table->identity().events) continue;
      if (auto found = look_up_letters(*connection_, *context_.store, *sealed); !found) return found;
    }
    auto changed = tables_changed(batches, checked ? &*checked : nullptr);
    if (!changed) return std::move(changed.error());
    if (*changed) {
      again_ = true;
      return make_error(CDCRT_STALE_SCHEMA, "another process changed what is known of the table");
    }
  }
  if (context_.store != nullptr) {
    for (Sealed* sealed : batches) {
      if (auto decided = decide_by_source(*sealed); !decided) return decided;
      find_blocked(*sealed, missing);
      settle_dead_letters(*sealed, touches_letters(*sealed) ? entries_of(*sealed) : std::vector<const Entry*>(), {});
    }
    if (!missing.empty()) return make_error(CDCRT_BAD_RECORD, "partial changes of rows with an open dead letter");
  }
  std::vector<cdcrt_table> tables;
  for (const Sealed* sealed : batches) {
    if (!sealed->table->identity().events) tables.push_back(sealed->table->abi());
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
    if (auto saved = sealed->source_order.save(*connection_, *context_.store, *sealed); !saved) return saved;
  }
  if (!missing.empty()) return make_error(CDCRT_BAD_RECORD, "partial changes without a row");
  return finish(batches);
}

// Begins a transaction that may write these tables.
Result<void> Writer::begin(const std::vector<Sealed*>& batches) {
  if (auto begun = connection_->begin(); !begun) return begun;
  if (context_.store == nullptr) return {};
  std::vector<std::string> targets;
  for (const Sealed* sealed : batches) {
    if (!sealed->table->identity().events) targets.push_back(sealed->table->identity().target());
  }
  auto held = context_.store->hold(*connection_, targets);
  if (!held) roll_back();
  return held;
}

// The leases stay ours until the transaction ends.
Result<void> Writer::hold_leases(const std::vector<const Sealed*>& batches, const progress::Store::Checked* checked) {
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
  again_ = true;
  return make_error(CDCRT_STALE_SCHEMA, "partitions were given up meanwhile");
}

// Leases and the tables' rows, as of this transaction.
Result<progress::Store::Checked> Writer::check_at_once(const std::vector<Sealed*>& batches) {
  std::vector<std::string> targets;
  for (const Sealed* sealed : batches) {
    if (!sealed->table->identity().events) targets.push_back(sealed->table->identity().target());
  }
  return context_.store->check_with_tables(*connection_, partitions_of({batches.begin(), batches.end()}), targets);
}

// Locks the tables' rows for the transaction; true: another process changed one of them since.
Result<bool> Writer::tables_changed(const std::vector<Sealed*>& batches, const progress::Store::Checked* checked) {
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
    Table::Target& target = sealed->table->target;
    const auto row = rows.find(sealed->table->identity().target());
    if (row != rows.end() && target.row_known && row->second.version == target.row.version) continue;
    target.row_known = false;
    changed = true;
  }
  return changed;
}

Result<void> Writer::write_settled(Sealed& sealed, const std::vector<const Entry*>* only, std::vector<const Entry*>& missing) {
  if (context_.store == nullptr || sealed.key.empty()) {
    return write_entries(*connection_, sealed, only != nullptr ? *only : entries_of(sealed), missing);
  }
  SettledEntries settled;
  if (auto done = settle_key_changes(*connection_, *context_.store, sealed, settled); !done) return done;
  if (!settled.never_filled().empty()) {
    std::string names;
    for (const auto& name : settled.never_filled()) names += (names.empty() ? "" : ", ") + name;
    context_.warn("table '" + sealed.table->identity().target() + "': a row changed its key, and its event under the new key lacks columns (" + names +
                  "). The row under the old key, which would have them, was never read: NULL stands there. Take a new snapshot of the row at the source");
  }
  std::vector<const Entry*> chosen = settled.entries();
  if (only == nullptr) missing.insert(missing.end(), settled.missing().begin(), settled.missing().end());
  if (only != nullptr) {
    const std::set<const Entry*> kept(only->begin(), only->end());
    std::erase_if(chosen, [&](const Entry* entry) { return settled.original(entry) != nullptr && !kept.contains(settled.original(entry)); });
  }
  LeftBehind left(*connection_, sealed);
  if (auto done = left.settle(chosen); !done) return done;
  if (left.is_unsure() && sealed.table->tells_left_behind.exchange(false)) {
    context_.warn("table '" + sealed.table->identity().target() +
                  "': its primary_key holds more columns than the message key, and updates come without an image of the row before. Where such a column changes, the "
                  "old row may stay beside the new one: rows come from several partitions or source tables, so that the message key does not tell which row it was. "
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

// Progress, letters, commit: the end of every transaction that carries rows.
Result<void> Writer::finish(const std::vector<Sealed*>& batches) {
  if (context_.store != nullptr) {
    std::map<progress::PartitionKey, int64_t> lowered;
    for (const Sealed* sealed : batches) {
      const auto& identity = sealed->table->identity();
      for (const auto& part : sealed->partitions) {
        if (!sealed->clear) continue;
        auto& next = lowered.try_emplace(part.partition->key(), part.next_offset).first->second;
        next = std::min(next, part.next_offset);
      }
      if (auto saved = context_.store->save_progress(*connection_, identity.target(), positions_of(*sealed)); !saved) return saved;
    }
    // What all tables share, in one order, so that transactions wait for each other rather than in a ring.
    for (const Sealed* sealed : batches) {
      if (sealed->clear && sealed->key.empty()) {
        if (auto passed = context_.store->pass_open_dead_letters(*connection_, sealed->table->identity().target()); !passed) return passed;
      } else if (sealed->clear && !sealed->table->target.dead_letters_whole) {
        if (auto forgotten = context_.store->forget_open_dead_letters(*connection_, sealed->table->identity().target()); !forgotten) return forgotten;
      }
      if (auto saved = context_.store->save_open_dead_letters(*connection_, sealed->table->identity().target(), sealed->letters_closed, sealed->letters_opened); !saved) return saved;
    }
    for (const Sealed* sealed : batches) {
      const auto& identity = sealed->table->identity();
      if (sealed->raises_version()) {
        progress::StoredTable row = sealed->table->target.row;
        ++row.version;
        if (sealed->clear) row.floor = sealed->floor;
        if (auto saved = context_.store->save_table(*connection_, identity.target(), row); !saved) return saved;
      }
      if (sealed->clear) {
        if (auto sent = context_.store->send_others_back(*connection_, identity.target(), sealed->floor, partitions_of({sealed})); !sent) return sent;
      }
    }
    // A truncate may have sent partitions back: a restart must read them from there.
    if (auto saved = context_.store->lower_watermarks(*connection_, lowered); !saved) return saved;
  }
  auto flushed = context_.letters.flush({&*connection_, context_.store});
  if (!flushed) return std::move(flushed.error());
  return commit(batches, *flushed);
}

Result<void> Writer::commit(const std::vector<Sealed*>& batches, const dead_letters::Flushed& letters) {
  auto committed = connection_->commit();
  if (committed && context_.store != nullptr) context_.letters.committed(*context_.store, letters);
  if (!committed && is_outage(committed.error())) {
    for (Sealed* sealed : batches) sealed->commit_unknown = true;
  }
  return committed;
}

void Writer::completed(Sealed& sealed) {
  auto& row = sealed.table->target.row;
  if (sealed.raises_version()) ++row.version;
  take_letters(sealed);
  if (sealed.clear) row.floor = sealed.floor;
  remember_keys(sealed);
  sealed.table->complete(sealed);
}

void Writer::completed_part(const Sealed& portion) {
  auto& row = portion.table->target.row;
  if (portion.raises_version()) ++row.version;
  take_letters(portion);
  if (portion.clear) row.floor = portion.floor;
  portion.table->advance(portion);
}

// Nothing of it is ours any more, and nothing was written: what an attempt had found out in its transaction went with that.
void Writer::dropped(Sealed& sealed) {
  Table::Target& target = sealed.table->target;
  target.row_known = false;
  sealed.key_changes = target.key_changes;
  sealed.key_changes_moved = false;
  sealed.letters_closed.clear();
  sealed.letters_opened.clear();
  sealed.table->complete(sealed);
}

// After a lost answer to COMMIT the progress in the target tells what happened, once the old transaction has surely ended; rows
// without a key would be doubled otherwise.
Result<bool> Writer::already_committed(Sealed& sealed) {
  if (!sealed.commit_unknown || context_.store == nullptr) return false;
  if (const auto stranded = sealed.drop_lost(); !stranded.empty()) return std::move(lose(stranded).error());
  auto gone = context_.store->reclaim(*connection_, sealed.table->identity().target(), partitions_of({&sealed}));
  if (!gone) {
    // The old transaction is still there. Nothing else may be done with these rows before it is gone, however long that takes.
    if (gone.error().code == CDCRT_BUSY) gone.error().code = CDCRT_RETRY;
    return std::move(gone.error());
  }
  if (!gone->empty()) {
    if (auto lost = lose(*gone); lost.error().code == CDCRT_FATAL) return std::move(lost.error());
    if (const auto stranded = sealed.drop_lost(); !stranded.empty()) return std::move(lose(stranded).error());
  }
  if (sealed.partitions.empty()) return false;
  if (auto begun = connection_->begin(); !begun) return std::move(begun.error());
  auto stands = context_.store->stands_at(*connection_, sealed.table->identity().target(), positions_of(sealed));
  roll_back();
  if (stands) sealed.commit_unknown = false;
  return stands;
}

Result<void> Writer::write(std::vector<Sealed>& batches) {
  // A truncate may lower watermarks.
  std::unique_lock<std::mutex> lowering;
  const bool clears = std::any_of(batches.begin(), batches.end(), [](const Sealed& sealed) { return sealed.clear; });
  if (clears && context_.store != nullptr) lowering = context_.store->hold_watermarks();
  std::vector<Sealed*> together;
  for (Sealed& sealed : batches) together.push_back(&sealed);
  if (together.size() > 1) {
    auto done = write_together(together);
    if (!done) return std::move(done.error());
    if (*done) together.clear();
  }
  for (Sealed* sealed : together) {
    others_wait_ = sealed != together.back();
    auto done = write_alone(*sealed);
    others_wait_ = false;
    if (!done) return done;
  }
  for (const Sealed& sealed : batches) {
    if (sealed.by_source && context_.store != nullptr) purge_tombstones(*sealed.table);
  }
  return {};
}

// False: they are to be written one by one.
Result<bool> Writer::write_together(std::vector<Sealed*>& batches) {
  for (int number = 1;; ++number) {
    std::vector<const Entry*> missing;
    auto done = connect();
    if (done) {
      const auto turn = context_.turn != nullptr ? std::unique_lock(*context_.turn) : std::unique_lock<std::mutex>();
      done = attempt(batches, missing);
    }
    if (done) {
      for (Sealed* sealed : batches) completed(*sealed);
      reached();
      return true;
    }
    const cdcrt_code code = done.error().code;
    if (code == CDCRT_FATAL) return std::move(done.error());
    if (is_transient(done.error())) {
      if (auto waited = wait(done.error()); !waited) return std::move(waited.error());
    }
    // A conflict, or a definition that changed, is nobody's fault, and each of them alone would be a commit more.
    const bool passes = code == CDCRT_BUSY || code == CDCRT_STALE_SCHEMA;
    const bool whole = std::none_of(batches.begin(), batches.end(), [](const Sealed* sealed) { return sealed->has_lost() || sealed->empty() || sealed->commit_unknown; });
    if (!passes || !whole || number == kTogetherAttempts) return false;
  }
}

Result<void> Writer::write_alone(Sealed& sealed) {
  std::vector<Sealed*> one{&sealed};
  for (int stale = 0;;) {
    std::vector<const Entry*> missing;
    bool was_dropped = false;
    auto done = with_retries(*sealed.table, sealed.commit_unknown, [&]() -> Result<void> {
      auto committed = already_committed(sealed);
      if (!committed) return std::move(committed.error());
      if (*committed) return {};
      if (const auto stranded = sealed.drop_lost(); !stranded.empty()) return lose(stranded);
      was_dropped = sealed.empty();
      if (was_dropped) return {};
      if (!connection_) return make_error(CDCRT_RETRY, "connection lost");
      missing.clear();
      return attempt(one, missing);
    });
    if (done) {
      was_dropped ? dropped(sealed) : completed(sealed);
      return {};
    }
    if (again_ && done.error().code == CDCRT_STALE_SCHEMA) {
      if (context_.gives_up()) return done;
      continue;
    }
    switch (done.error().code) {
      case CDCRT_STALE_SCHEMA:
        if (++stale < kStaleAttempts) continue;
        break;
      case CDCRT_BAD_RECORD: {
        if (!context_.sink.has(CDCRT_SINK_TRANSACTIONS)) break;  // nothing could be tried and taken back
        auto isolated = write_refused(sealed, missing);
        if (isolated) return {};
        if (isolated.error().code == CDCRT_FATAL || is_outage(isolated.error())) return isolated;
        if (isolated.error().code == CDCRT_STALE_SCHEMA && (again_ || ++stale < kStaleAttempts)) {
          sealed.table->target.described = false;
          continue;
        }
        done = std::move(isolated);
        break;
      }
      case CDCRT_FATAL:
      case CDCRT_RETRY:
      case CDCRT_UNREACHABLE: return done;
      default: break;
    }
    sealed.table->detach(explain(done.error()), &sealed);
    return {};
  }
}

Result<void> Writer::run(const std::function<Result<void>(plugin::Connection&)>& body) {
  auto done = connect();
  if (done) {
    const auto turn = context_.turn != nullptr ? std::unique_lock(*context_.turn) : std::unique_lock<std::mutex>();
    done = body(*connection_);
  }
  if (!done && is_outage(done.error())) connection_.reset();
  return done;
}

Result<void> Writer::save_watermarks(std::vector<progress::Store::Watermark> watermarks) {
  if (context_.store == nullptr || (watermarks.empty() && !context_.letters.waits_for(context_.store->sink()))) return {};
  return run([&](plugin::Connection& connection) -> Result<void> {
    std::vector<const progress::Partition*> partitions;
    for (const auto& watermark : watermarks) partitions.push_back(watermark.partition);
    if (auto claimed = context_.store->claim_new(connection, always_ours(partitions), context_.always_ours); !claimed) return claimed;
    if (auto begun = connection.begin(); !begun) return begun;
    const auto body = [&]() -> Result<void> {
      if (auto held = context_.store->hold_claims(connection); !held) return held;
      auto lost = context_.store->check(connection, partitions);
      if (!lost) return std::move(lost.error());
      if (!lost->empty()) return lose(*lost);
      std::erase_if(watermarks, [](const auto& watermark) { return watermark.session != watermark.partition->session(); });
      if (auto saved = context_.store->save_watermarks(connection, watermarks); !saved) return saved;
      auto flushed = context_.letters.flush({&connection, context_.store});
      if (!flushed) return std::move(flushed.error());
      auto committed = connection.commit();
      if (committed) context_.letters.committed(*context_.store, *flushed);
      return committed;
    };
    auto done = body();
    if (!done) (void)connection.rollback();
    return done;
  });
}

}  // namespace cdcrt::apply
