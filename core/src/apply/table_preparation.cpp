#include "apply/table_preparation.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "apply/rename_plan.hpp"
#include "apply/schema_plan.hpp"
#include "apply/table.hpp"
#include "apply/table_writer.hpp"
#include "apply/target_loss.hpp"
#include "cdcrt/sdk/status.hpp"
#include "evolution/column_names.hpp"
#include "types/type.hpp"

namespace cdcrt::apply {
namespace {

// Whether there is something to store: what was only learned from the target itself is there already.
bool is_stored(const Sealed& sealed, const progress::StoredTable& stored) {
  if (stored.version == 0 || stored.key_known != sealed.key_known || stored.told_keyless != sealed.told_keyless ||
      stored.definition_topic != sealed.definition_topic || stored.columns.size() != sealed.columns().size())
    return false;
  return std::all_of(sealed.columns().begin(), sealed.columns().end(), [&](const evolution::Column& column) {
    const auto kept = std::find_if(stored.columns.begin(), stored.columns.end(),
                                   [&](const evolution::Column& each) { return each.source_name == column.source_name; });
    if (kept == stored.columns.end() || kept->active != column.active) return false;
    // Of a column that gave up its name nothing else is taken over: two processes that met other rows of it would store theirs in turn for
    // ever.
    if (evolution::gave_up_its_name(column))
      return kept->came_early == column.came_early && kept->former_names.size() == column.former_names.size();
    return kept->incarnation == column.incarnation && kept->key_ordinal == column.key_ordinal &&
           kept->former_names.size() == column.former_names.size() && kept->came_early == column.came_early &&
           kept->lacked_since == column.lacked_since && kept->undefined_since == column.undefined_since &&
           types::equal(kept->type, column.type) && (kept->default_value.tag == CDCRT_ABSENT) == (column.default_value.tag == CDCRT_ABSENT);
  });
}

// One table's definition is changed by one process at a time: its row is locked, or the making of rows where there is none yet. Where
// tables are locked, that was done before.
Result<void> lock_row(plugin::Connection& connection, progress::Store& store, const std::string& target, progress::StoredTable& row) {
  for (const bool creating : {false, true}) {
    if (creating) {
      if (auto locked = store.lock_creation(connection); !locked) return locked;
    }
    auto rows = store.lock_tables(connection, {target}, CDCRT_LOCK_UPDATE);
    if (!rows) return std::move(rows.error());
    if (const auto found = rows->find(target); found != rows->end()) {
      row = std::move(found->second);
      return {};
    }
  }
  return {};
}

class Preparation {
 public:
  Preparation(plugin::Connection& connection, progress::Store* store, Sealed& sealed)
      : connection_(connection), store_(store), sealed_(sealed) {}

  [[nodiscard]] std::string name() const { return sealed_.table->identity().target(); }

  /// First of all: what is kept of the table itself, as of this transaction. True: the rest is to be read, and merge() called.
  bool take_row(progress::StoredTable row) {
    row_ = std::move(row);
    is_new_ = row_.version == 0;
    const KeptRow& kept = sealed_.table->kept();
    if (row_.version > 0 && !kept.is(row_.version)) return true;
    stored_ = kept.knowledge_version() == sealed_.version && row_.version > 0;
    is_first_ = row_.version == 0;
    return false;
  }
  [[nodiscard]] progress::Store::TableToRead to_read() { return {name(), &row_, &arena_}; }
  void merge() {
    sealed_.table->merge(row_, sealed_);
    stored_ = is_stored(sealed_, row_);
    is_first_ = row_.columns.empty() && row_.progress.empty();
  }

  Result<void> run() {
    TargetDefinition& target = sealed_.table->definition();
    const Expected expected(sealed_);
    cdcrt_column any_column{};
    if (auto described = describe(any_column); !described) return described;
    // The first to be written keeps the table; a name once stored has been looked at.
    if (store_ != nullptr && target.folds_names() && row_.version == 0) {
      const std::string name = sealed_.table->identity().target();
      auto other = store_->target_but_for_case(connection_, name);
      if (!other) return std::move(other.error());
      if (*other) {
        return make_error(CDCRT_BAD_CONFIG,
                          "tables '" + **other + "' and '" + name + "' are one table in the target, which does not tell case apart",
                          "give one of them another name in its route: table = \"...\"");
      }
    }
    const bool accepts_loss = std::exchange(row_.accepts_loss, false);
    if (store_ != nullptr && !accepts_loss) {
      if (auto lost_there = expected.lost(sealed_)) return std::move(*lost_there);
      if (is_first_ && target.exists() && !target.names().empty()) {
        auto known = refuse_unknown_rows(connection_, sealed_, any_column);
        has_unknown_rows_ = !known && known.error().code == CDCRT_UNSUPPORTED;
        if (!known) return known;
      }
    }
    target.leave_nothing_out();
    RenamePlan renames(sealed_);
    if (target.exists() && renames.is_needed()) {
      before_ = target;
      if (auto made = renames.make(); !made) return made;
      if (auto done = connection_.change(sealed_.table->abi(), renames.changes()); !done) return done;
    }
    if (auto judged = judge_lacking(sealed_, TargetColumns(sealed_), is_first_); !judged) return judged;
    const TargetColumns columns(sealed_);
    SchemaPlan plan(sealed_);
    if (columns.slots().empty()) {
      // Nothing to create yet: columns without a type and no row. What is known of them is stored all the same.
    } else if (target.exists()) {
      plan.change(sealed_, columns);
    } else {
      plan.create(columns, sealed_.table->identity().route.layout);
    }
    if (!plan.changes().empty()) {
      if (auto done = connection_.change(sealed_.table->abi(), plan.changes()); !done) return done;
    }
    for (const cdcrt_change& change : plan.changes()) {
      const std::string name(sdk::view(change.columns[0].name));
      if (change.kind == CDCRT_ADD_COLUMN) target.add(name);
      if (change.kind == CDCRT_ALTER_TYPE || change.kind == CDCRT_ADD_COLUMN) changed_.altered[name] = change.columns[0].type;
    }
    if (auto read = read_back_types(plan); !read) return read;
    changed_.source_changes = plan.source_changes() + renames.changes().size();
    changed_.creates = !target.exists() && !columns.slots().empty();
    changed_.slots = columns.slots();
    const bool changes_order = row_.by_source != keeps_source_order();
    if (changes_order && store_ != nullptr) {
      row_.by_source = !row_.by_source;
      row_.remembers_keys = false;
      // What is kept of rows is not kept up to date while they are in the order of their partitions.
      if (auto forgotten = store_->forget_row_orders(connection_, sealed_.table->identity().target()); !forgotten) return forgotten;
    }
    const bool changes = !plan.changes().empty() || !renames.changes().empty();
    saves_ = store_ != nullptr && (!stored_ || accepts_loss || changes_order || changes);
    return {};
  }

  /// After run(): what is to be stored, if anything is. The floor of a truncate is stored where the table is emptied, not before.
  std::optional<progress::Store::TableToSave> to_save() {
    if (!saves_) return std::nullopt;
    const auto& identity = sealed_.table->identity();
    row_.source_table = identity.source_name;
    if (!identity.source_server.empty()) row_.source_server = identity.source_server;
    row_.key_known = sealed_.key_known;
    row_.told_keyless = sealed_.told_keyless;
    row_.definition_topic = sealed_.definition_topic;
    ++row_.version;
    std::vector<evolution::Column> columns = sealed_.columns();
    for (auto& column : columns) column.adopted = sealed_.table->definition().is_adopted(column.target_name);
    return progress::Store::TableToSave{name(), &row_, std::move(columns), is_new_};
  }

  void failed() {
    if (before_) sealed_.table->definition() = std::move(*before_);
    sealed_.table->definition().look_again();
    sealed_.table->kept().look_again();
  }

  void committed() {
    KeptRow& kept = sealed_.table->kept();
    sealed_.table->definition().take(sealed_, changed_);
    kept.knowledge_stored(sealed_.version);
    if (store_ != nullptr && is_new_) sealed_.table->dead_letters().begin_without();
    kept.take(std::move(row_));
  }

  /// Nothing is kept of the table, though it has rows: an operator must be able to name it.
  [[nodiscard]] bool has_unknown_rows() const { return has_unknown_rows_; }
  [[nodiscard]] const Sealed& sealed() const { return sealed_; }

 private:
  Result<void> describe(cdcrt_column& any_column) {
    auto description = connection_.describe(sealed_.table->abi());
    if (!description) return std::move(description.error());
    const auto& found = description->get();
    if (found.column_count > 0) {
      any_name_ = sdk::view(found.columns[0].name);
      any_column.name = sdk::borrow(any_name_);
      any_column.type = found.columns[0].type;
    }
    return sealed_.table->definition().take(found, sealed_);
  }

  // A type that the route names may keep less than the values have: what the server made of it is asked for.
  Result<void> read_back_types(const SchemaPlan& plan) {
    const auto& sealed_columns = sealed_.columns();
    const bool any = !plan.changes().empty() && std::any_of(sealed_columns.begin(), sealed_columns.end(),
                                                            [](const auto& column) { return !column.target_type.empty(); });
    if (!any) return {};
    auto description = connection_.describe(sealed_.table->abi());
    if (!description) return std::move(description.error());
    const auto& found = description->get();
    for (uint32_t i = 0; i < found.column_count; ++i) {
      const std::string name = name_of(sdk::view(found.columns[i].name), found.folds_names != 0, sealed_);
      const evolution::Column* const column = column_named(sealed_, name);
      if (column != nullptr && !column->target_type.empty()) changed_.raw_types[name] = found.columns[i].type;
    }
    return {};
  }

  // Another process may have made it source-ordered; only the route takes that back.
  [[nodiscard]] bool keeps_source_order() const {
    if (sealed_.by_source) return true;
    return row_.by_source && sealed_.table->identity().route.ordering != route::Ordering::kPartition;
  }

  plugin::Connection& connection_;
  progress::Store* store_;
  Sealed& sealed_;
  progress::StoredTable row_;
  event::Arena arena_{1 << 10};
  bool stored_ = false;
  bool is_first_ = true;  ///< nothing is kept of it yet
  bool is_new_ = true;    ///< not even its row
  bool saves_ = false;
  bool has_unknown_rows_ = false;
  std::string any_name_;
  std::optional<TargetDefinition> before_;  ///< the table's definition, where columns are renamed
  TargetDefinition::Changed changed_;
};

// Its row alone: an operator who is to choose must be able to name it.
Result<void> note_table(plugin::Connection& connection, progress::Store& store, bool transactional, const Sealed& sealed) {
  const std::string name = sealed.table->identity().target();
  if (transactional) {
    if (auto begun = connection.begin(); !begun) return begun;
  }
  progress::StoredTable row;
  auto done = store.lock_targets(connection, {name});
  if (done) done = lock_row(connection, store, name, row);
  if (done && row.version == 0) {
    row.source_table = sealed.table->identity().source_name;
    row.version = 1;
    done = store.save_table(connection, name, row);
  }
  if (!transactional) return done;
  if (done) return connection.commit();
  (void)connection.rollback();
  return done;
}

bool needs_preparation(const Sealed& sealed, const progress::Store* store) {
  const KeptRow& kept = sealed.table->kept();
  const bool is_ordered = !sealed.by_source || kept.row().by_source;
  const bool known = sealed.table->definition().is_described() && kept.knowledge_version() == sealed.version &&
                     (store == nullptr || (kept.is_known() && is_ordered));
  return !known || any_has_to_grow(sealed);
}

// Several tables, of which nothing was kept: the making of rows is locked, once for all of them, and no row, since whoever holds some and
// waits for others may wait for somebody who waits for him. A table that has a row by now is left out: it is prepared alone.
Result<void> keep_new(plugin::Connection& connection, progress::Store& store, std::vector<std::unique_ptr<Preparation>>& preparations) {
  if (auto locked = store.lock_creation(connection); !locked) return locked;
  std::vector<std::string> names;
  for (const auto& each : preparations) names.push_back(each->name());
  auto rows = store.lock_tables(connection, names, CDCRT_LOCK_NONE);
  if (!rows) return std::move(rows.error());
  std::erase_if(preparations, [&](const auto& each) { return rows->contains(each->name()); });
  return {};
}

// Locks what is kept of the tables, checks the leases, and takes over what others stored.
Result<void> take_over(plugin::Connection& connection, progress::Store& store, std::vector<std::unique_ptr<Preparation>>& preparations,
                       std::vector<const progress::Partition*>& lost) {
  const bool is_group = preparations.size() > 1 && !store.prepares_together();
  if (is_group) {
    if (auto kept = keep_new(connection, store, preparations); !kept) return kept;
  }
  std::vector<std::string> names;
  std::vector<const Sealed*> batches;
  for (const auto& each : preparations) {
    names.push_back(each->name());
    batches.push_back(&each->sealed());
  }
  std::map<std::string, progress::StoredTable> rows;
  if (store.prepares_together()) {
    auto checked = store.check_with_tables(connection, partitions_of(batches), names);
    if (!checked) return std::move(checked.error());
    lost = std::move(checked->lost);
    rows = std::move(checked->tables);
  } else {
    if (!is_group) {
      for (const auto& name : names) {
        if (auto locked = lock_row(connection, store, name, rows[name]); !locked) return locked;
      }
    }
    auto checked = store.check(connection, partitions_of(batches));
    if (!checked) return std::move(checked.error());
    lost = std::move(*checked);
  }
  if (!lost.empty()) return {};
  std::vector<Preparation*> stale;
  std::vector<progress::Store::TableToRead> wanted;
  for (const auto& each : preparations) {
    if (!each->take_row(std::move(rows[each->name()]))) continue;
    stale.push_back(each.get());
    wanted.push_back(each->to_read());
  }
  if (auto read = store.read_tables(connection, wanted); !read) return read;
  for (Preparation* each : stale) each->merge();
  return {};
}

Result<void> run_all(plugin::Connection& connection, progress::Store* store, std::vector<std::unique_ptr<Preparation>>& preparations,
                     std::vector<const progress::Partition*>& lost) {
  if (store != nullptr) {
    std::vector<std::string> names;
    for (const auto& each : preparations) names.push_back(each->name());
    if (auto locked = store->lock_targets(connection, names); !locked) return locked;
    if (auto taken = take_over(connection, *store, preparations, lost); !taken || !lost.empty() || preparations.empty()) return taken;
  }
  std::vector<cdcrt_table> tables;
  for (const auto& each : preparations) tables.push_back(each->sealed().table->abi());
  if (auto expected = connection.expect(tables, true); !expected) return expected;
  std::vector<progress::Store::TableToSave> saves;
  for (const auto& each : preparations) {
    if (auto done = each->run(); !done) return done;
    if (auto save = each->to_save()) saves.push_back(std::move(*save));
  }
  // Last, since others wait for these tables.
  return store != nullptr && !saves.empty() ? store->save_tables(connection, saves) : Result<void>();
}

}  // namespace

Result<void> prepare_tables(plugin::Connection& connection, progress::Store* store, bool transactional, const std::vector<Sealed*>& batches,
                            std::vector<const progress::Partition*>& lost) {
  std::vector<std::unique_ptr<Preparation>> preparations;
  std::vector<std::string> names;
  for (Sealed* sealed : batches) {
    if (!needs_preparation(*sealed, store)) continue;
    if (sealed->table->identity().events) {
      sealed->table->kept().knowledge_stored(sealed->version);
      sealed->table->definition().needs_none();
      continue;
    }
    preparations.push_back(std::make_unique<Preparation>(connection, store, *sealed));
    names.push_back(preparations.back()->name());
  }
  if (preparations.empty()) return {};
  if (store != nullptr) {
    if (auto ready = store->prepare_locks(connection, names); !ready) return ready;
  }
  if (transactional) {
    if (auto begun = connection.begin(); !begun) return begun;
  }
  auto done = run_all(connection, store, preparations, lost);
  const bool prepared = done.ok() && lost.empty();
  if (prepared && transactional) done = connection.commit();
  if (prepared && done) {
    for (const auto& each : preparations) each->committed();
    return done;
  }
  for (const auto& each : preparations) each->failed();
  if (transactional) (void)connection.rollback();
  for (const auto& each : preparations) {
    if (!each->has_unknown_rows()) continue;
    if (auto noted = note_table(connection, *store, transactional, each->sealed()); !noted) return noted;
  }
  return done;
}

}  // namespace cdcrt::apply
