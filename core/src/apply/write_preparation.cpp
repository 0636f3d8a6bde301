#include "apply/write_preparation.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "apply/table.hpp"
#include "apply/table_preparation.hpp"
#include "apply/table_writer.hpp"
#include "apply/write_transaction.hpp"

namespace cdcrt::apply {
namespace {

// Each takes some places in the server's table of locks, which others use as well, and whoever claims a partition waits meanwhile.
constexpr std::size_t kMadeTogether = 32;

/// Of which nothing is kept, as far as is known.
std::vector<Sealed*> new_ones(const std::vector<Sealed*>& batches) {
  std::vector<Sealed*> found;
  std::copy_if(batches.begin(), batches.end(), std::back_inserter(found),
               [](const Sealed* sealed) { return sealed->table->kept().row().version == 0; });
  return found;
}

}  // namespace

Outcome WritePreparation::prepare(const std::vector<Sealed*>& batches) {
  const bool transactional = context_.sink.has(CDCRT_SINK_TRANSACTIONS);
  for (Sealed* sealed : batches) {
    if (const auto stranded = sealed->drop_lost(); !stranded.empty()) return transaction_.lose(stranded);
  }
  if (context_.store != nullptr) {
    if (auto claimed = transaction_.claim(partitions_of({batches.begin(), batches.end()})); !claimed) return claimed;
  }
  std::set<const Sealed*> paused;
  for (Sealed* sealed : batches) {
    KeptRow& kept = sealed->table->kept();
    if (kept.row().state == progress::TableState::kPaused) paused.insert(sealed);
    // An operator may have taken back what was asked: only what is stored now counts.
    if (kept.row().state != progress::TableState::kActive) kept.look_again();
  }
  if (context_.store != nullptr) {
    if (auto prepared = prepare_together(batches, transactional); !prepared) return prepared;
  }
  for (Sealed* sealed : batches) {
    if (auto prepared = prepare_tables_of({sealed}, transactional); !prepared) return prepared;
    const bool was_paused = paused.contains(sealed);
    if (const auto& row = sealed->table->kept().row(); row.state != progress::TableState::kActive) {
      sealed->table->skip(row.state == progress::TableState::kSkipped);
      sealed->table->pause(row.state == progress::TableState::kPaused);
      if (progress::is_own_reason(row.reason)) return make_error(CDCRT_UNSUPPORTED, row.reason);
      return make_error(CDCRT_UNSUPPORTED, "an operator " + std::string(progress::to_text(row.state)) + " the table" +
                                               (row.reason.empty() ? "" : ": " + row.reason));
    }
    tell_unshown_columns(*sealed);
    // Whoever resumed it takes the rows that stand as they are.
    if (was_paused) sealed->table->keys().forget();
    if (auto ordered = put_in_order(*sealed); !ordered) return ordered;
  }
  return {};
}

// What can be prepared at once; the rest is prepared one by one.
Outcome WritePreparation::prepare_together(const std::vector<Sealed*>& batches, bool transactional) {
  if (context_.store->prepares_together()) return prepare_tables_of(batches, transactional);
  if (!transactional) return {};
  // Whoever makes a table keeps all others from making any until that is committed: so several are made at once.
  const std::vector<Sealed*> made = new_ones(batches);
  for (std::size_t first = 0; first + 1 < made.size(); first += kMadeTogether) {
    const std::size_t end = std::min(first + kMadeTogether, made.size());
    const std::vector<Sealed*> some(made.begin() + static_cast<std::ptrdiff_t>(first), made.begin() + static_cast<std::ptrdiff_t>(end));
    if (auto prepared = prepare_tables_of(some, transactional); !prepared) return prepared;
  }
  return {};
}

Outcome WritePreparation::prepare_tables_of(const std::vector<Sealed*>& batches, bool transactional) {
  std::vector<const progress::Partition*> lost;
  auto prepared = prepare_tables(*connection_, context_.store, transactional, batches, lost);
  for (Sealed* sealed : batches) {
    if (!prepared || !std::exchange(sealed->is_mixed, false)) continue;
    const std::string name = sealed->table->identity().target();
    context_.warn(
        "table '" + name +
        "': columns took each other's names at the source, and rows from after that were read before it was told, under the names as they "
        "were: they may have values of one column in the other. Read them again: cdcrt progress rewind --table " +
        name + " --to earliest" + (sealed->by_source ? " --empty" : ""));
  }
  if (prepared) return lost.empty() ? Outcome() : transaction_.lose(lost);
  // A definition that the target refuses is no row's fault: nothing to isolate.
  if (prepared.error().code == CDCRT_BAD_RECORD) return Outcome::detach(std::move(prepared.error()));
  if (prepared.error().code == CDCRT_STALE_SCHEMA) {
    for (Sealed* sealed : batches) sealed->table->definition().look_again();
  }
  return prepared;
}

// A column that was there before may be the source's or the operator's own; only what an event or a definition has named is written.
void WritePreparation::tell_unshown_columns(const Sealed& sealed) {
  TargetDefinition& target = sealed.table->definition();
  if (!target.adopts_any() || target.has_told_unshown()) return;
  std::string names;
  for (const std::string& name : target.names()) {
    if (column_named(sealed, name) == nullptr) names += (names.empty() ? "" : ", ") + name;
  }
  if (names.empty()) return;
  const bool leaves_nulls_out = std::any_of(sealed.partitions.begin(), sealed.partitions.end(), [](const auto& part) {
    const auto& entries = part.fold.entries();
    return part.fold.may_leave_nulls_out() &&
           std::any_of(entries.begin(), entries.end(), [](const Entry& entry) { return entry.nulls_from != UINT32_MAX; });
  });
  if (!leaves_nulls_out) return;
  target.note_told_unshown();
  context_.warn(
      "table '" + sealed.table->identity().target() + "' was there before and has columns that no event has shown so far: " + names +
      ". Its events leave NULLs out, so that nothing tells whether these columns are the source's. They stay as they are until an "
      "event has a value for them, or a definition of the table names them. If the source sets one to NULL before that, the old "
      "value stays: have the producer write NULLs (AWS DMS: IncludeNullAndEmpty = true, here include_null_and_empty = true). "
      "Columns of your own are not concerned");
}

// Once for each batch: it may be tried again.
Outcome WritePreparation::put_in_order(Sealed& sealed) {
  const auto& identity = sealed.table->identity();
  if (!identity.keeps_rows() || sealed.key.empty()) return {};
  if (sealed.by_source) {
    if (context_.store == nullptr) {
      return make_error(CDCRT_UNSUPPORTED, "the table is to be kept in source order, and the sink keeps nothing of the rows that it wrote",
                        "leave ordering out of the route");
    }
    return sealed.refusal.empty() ? Outcome() : stop_for_good(sealed);
  }
  KnownKeys& known = sealed.table->keys();
  KeyOrder& keys = known.order();
  // The bytes of a key are those of its columns' types.
  std::vector<uint8_t> kinds;
  for (const uint32_t slot : sealed.key) kinds.push_back(sealed.columns()[slot].type.kind);
  const bool are_others = known.change_kinds(kinds);
  if (known.take_forget() || sealed.clear || are_others) keys.clear();
  if (!std::exchange(sealed.in_order, true)) {
    if (auto read = read_known_keys(sealed); !read) {
      sealed.in_order = false;
      return read;
    }
    const bool was_silent = keys.overtaken() == 0;
    const bool settled = keys.settle(sealed);
    const bool may_change =
        context_.store != nullptr && context_.sink.has(CDCRT_SINK_TRANSACTIONS) && identity.route.ordering == route::Ordering::kAuto;
    if (keys.met() && may_change) {
      sealed.in_order = false;
      sealed.refusal.clear();
      return keep_by_source(sealed);
    }
    if (settled && was_silent && keys.overtaken() > 0) {
      context_.warn(
          "table '" + identity.target() +
          "': changes of one key come from several partitions, an older one after a newer one. The newer one stays; cdcrt compares them "
          "with the last " +
          std::to_string(KeyOrder::kOfSeveral) + " keys that it wrote, so send all changes of a key to one partition");
    }
  }
  return sealed.refusal.empty() ? Outcome() : stop_for_good(sealed);
}

// What an earlier process has written last.
Result<void> WritePreparation::read_known_keys(Sealed& sealed) {
  KnownKeys& keys = sealed.table->keys();
  if (context_.store == nullptr || keys.are_read()) return {};
  keys.read(true);
  if (!sealed.table->kept().row().remembers_keys) return {};
  auto done = connection_->begin();
  if (!done) return done;
  auto kept = context_.store->read_row_orders(*connection_, sealed.table->identity().target());
  connection_.roll_back();
  if (!kept) {
    keys.read(false);
    return std::move(kept.error());
  }
  keys.order().restore(*kept);
  return {};
}

// A key was met in two partitions: from now on the orders of its rows are kept. Those that were written before are only known as far
// as they are remembered; the rest is older than what comes.
Outcome WritePreparation::keep_by_source(Sealed& sealed) {
  Table& table = *sealed.table;
  const std::string name = table.identity().target();
  if (auto begun = transaction_.begin({&sealed}); !begun) return begun;
  const auto body = [&]() -> Result<void> {
    auto rows = context_.store->lock_tables(*connection_, {name}, CDCRT_LOCK_UPDATE);
    if (!rows) return std::move(rows.error());
    const auto row = rows->find(name);
    if (row == rows->end()) return make_error(CDCRT_RETRY, "table '" + name + "' has no row in the progress any more");
    if (!row->second.by_source) {
      row->second.by_source = true;
      row->second.remembers_keys = false;
      ++row->second.version;
      if (auto saved = context_.store->save_table(*connection_, name, row->second); !saved) return saved;
      if (auto forgotten = context_.store->forget_row_orders(*connection_, name); !forgotten) return forgotten;
      if (auto saved = context_.store->save_row_orders(*connection_, name, table.keys().order().row_orders()); !saved) return saved;
    }
    return connection_->commit();
  };
  if (auto done = body(); !done) {
    connection_.roll_back();
    return done;
  }
  context_.warn(
      "table '" + name +
      "': changes of one key come from several partitions. From now on it is kept in source order: the newer change of a row stands, whichever "
      "partition it comes from, and the order of each row that is written is stored beside it. Rows that were written before are taken as older; send all "
      "changes of a key to one partition, or set ordering in the route, to have it otherwise");
  // The table is looked at anew, and the batch read again.
  table.kept().look_again();
  return Outcome::repeat("the table is kept in source order from now on");
}

// The next start would meet the key in one partition only, and not notice.
Outcome WritePreparation::stop_for_good(Sealed& sealed) {
  const std::string name = sealed.table->identity().target();
  const std::string reason = std::string(progress::kOwnReason) + sealed.refusal +
                             ". Give the route a primary_key that tells such rows apart, or send all changes of a key to one partition; "
                             "then read the table again: cdcrt progress rewind --table " +
                             name + " --to earliest --empty. Or let what comes later stand over what is written: cdcrt table resume " +
                             name + " (it stops again where neither is written yet)";
  Error stopped = make_error(CDCRT_UNSUPPORTED, reason);
  if (context_.store == nullptr) return stopped;
  if (auto begun = transaction_.begin({&sealed}); !begun) return begun;
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
    connection_.roll_back();
    return done;
  }
  sealed.table->kept().look_again();
  sealed.table->kept().pause();
  sealed.table->pause(true);
  return stopped;
}

}  // namespace cdcrt::apply
