#include "apply/table_writer.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "apply/target_loss.hpp"
#include "cdcrt/sdk/status.hpp"
#include "diagnostics/text.hpp"
#include "types/type.hpp"

namespace cdcrt::apply {
namespace {

struct Plan {
  std::vector<cdcrt_column> storage;  // stable: reserved before use
  std::vector<cdcrt_change> changes;
  uint64_t source_changes = 0;

  void add(cdcrt_change_kind kind, const cdcrt_column& column, cdcrt_type from = {}) {
    storage.push_back(column);
    cdcrt_change change{};
    change.kind = kind;
    change.column_count = 1;
    change.columns = &storage.back();
    change.from = from;
    changes.push_back(change);
  }
};

/// What the host calls a column that the target's catalog names so.
std::string name_of(std::string_view found, bool folds_names, const Sealed& sealed) {
  if (!folds_names) return std::string(found);
  for (const bool dropped : {false, true}) {
    for (const auto& column : sealed.columns) {
      if (column.active != dropped && diagnostics::equal_but_for_case(column.target_name, found)) return column.target_name;
    }
  }
  return std::string(found);
}

// What the route says of a column overrides what cdcrt would make of it.
const evolution::Column* column_named(const Sealed& sealed, const std::string& target_name) {
  const auto found = std::find_if(sealed.columns.begin(), sealed.columns.end(), [&](const auto& column) { return column.target_name == target_name; });
  return found == sealed.columns.end() ? nullptr : &*found;
}

// One name in the target, two columns of the source: each would overwrite the other.
Result<void> tell_case_apart(const Sealed& sealed) {
  for (const auto& column : sealed.columns) {
    for (const auto& other : sealed.columns) {
      if (&column == &other) break;
      if (!column.active || !other.active || !diagnostics::equal_but_for_case(column.target_name, other.target_name)) continue;
      return make_error(CDCRT_BAD_CONFIG,
                        "columns '" + other.source_name + "' and '" + column.source_name + "' of table '" + sealed.table->identity().target() +
                            "' are one column in the target, which does not tell case apart",
                        "give one of them another name in the route: columns." + column.source_name + " = { rename = \"...\" }, or exclude = true");
    }
  }
  return {};
}

Result<void> describe(plugin::Connection& connection, const Sealed& sealed, cdcrt_column& any_column, std::string& any_name) {
  Table::Target& target = sealed.table->target;
  auto description = connection.describe(sealed.table->abi());
  if (!description) return std::move(description.error());
  const auto& found = description->get();
  const auto& identity = sealed.table->identity();
  if (found.is_view != 0) {
    return make_error(CDCRT_BAD_CONFIG, "'" + identity.target() + "' is a view; a sink writes to tables", "name a table in the route: table = \"...\"");
  }
  if (found.exists == 0 && !identity.route.create_tables) {
    return make_error(CDCRT_BAD_CONFIG, "table '" + identity.target() + "' does not exist and create_tables is false",
                      "create it, or set create_tables = true");
  }
  target.exists = found.exists != 0;
  if (found.column_count > 0) {
    any_name = sdk::view(found.columns[0].name);
    any_column.name = sdk::borrow(any_name);
    any_column.type = found.columns[0].type;
  }
  target.folds_names = found.folds_names != 0;
  target.columns.clear();
  target.kept.clear();
  std::vector<std::string> key(found.column_count);
  std::size_t keys = 0;
  for (uint32_t i = 0; i < found.column_count; ++i) {
    target.columns.push_back(name_of(sdk::view(found.columns[i].name), found.folds_names != 0, sealed));
    const uint32_t ordinal = found.columns[i].key_ordinal;
    if (ordinal > 0 && ordinal <= key.size()) {
      key[ordinal - 1] = target.columns.back();
      ++keys;
    }
    // A column that was made by hand or by another job is taken as it is.
    const std::string& name = target.columns.back();
    const evolution::Column* const column = column_named(sealed, name);
    auto [place, added] = target.made.try_emplace(name);
    evolution::Column& made = place->second;
    if (added) {
      made.target_name = name;
      made.incarnation = column != nullptr ? column->incarnation : 0;
      target.adopted.insert(name);
    }
    made.adopted = target.adopted.contains(name);
    if ((found.columns[i].flags & CDCRT_COLUMN_KEEP) != 0) target.kept.insert(name);
    if (made.adopted || (column != nullptr && !column->target_type.empty())) {
      made.type = found.columns[i].type;
      made.target_type = sdk::view(found.columns[i].target_type);
    }
  }
  key.resize(keys);
  std::erase_if(target.made, [&](const auto& made) {
    return std::find(target.columns.begin(), target.columns.end(), made.first) == target.columns.end();
  });
  if (target.folds_names) {
    if (auto apart = tell_case_apart(sealed); !apart) return apart;
  }
  std::vector<std::string> wanted;
  for (const uint32_t slot : sealed.key) wanted.push_back(sealed.columns[slot].target_name);
  std::sort(key.begin(), key.end());
  std::sort(wanted.begin(), wanted.end());
  target.has_unique_key = target.exists && !wanted.empty() && key == wanted;
  target.described = true;
  return {};
}

void plan_create(const TargetColumns& columns, const plugin::Options& layout, Plan& plan) {
  // In the source's order, not keys first: it is what people look at.
  std::vector<uint32_t> slots = columns.slots();
  std::sort(slots.begin(), slots.end());
  for (const uint32_t slot : slots) plan.storage.push_back(columns.describe(slot));
  cdcrt_change change{};
  change.kind = CDCRT_CREATE_TABLE;
  change.columns = plan.storage.data();
  change.column_count = static_cast<uint32_t>(plan.storage.size());
  change.layout = layout.values().empty() ? nullptr : layout.abi();
  plan.changes.push_back(change);
}

bool is_exact_number(cdcrt_type type) { return type.kind >= CDCRT_TYPE_INT8 && type.kind <= CDCRT_TYPE_UINT64; }

/// A wider number is the same column, and a time that turns out to be a length; anything else would be another one, which is the operator's
/// to decide.
bool may_grow(cdcrt_type from, cdcrt_type to) {
  if (from.kind == CDCRT_TYPE_FLOAT32 && to.kind == CDCRT_TYPE_FLOAT64) return true;
  if (from.kind == CDCRT_TYPE_TIME && to.kind == CDCRT_TYPE_INTERVAL) return true;
  const auto exact = [](cdcrt_type type) { return is_exact_number(type) || type.kind == CDCRT_TYPE_DECIMAL; };
  return exact(from) && exact(to);
}

/// An adopted column that is to grow: under "evolve", for a value of this batch that does not fit it and that no policy makes fit.
bool has_to_grow(const Sealed& sealed, const TargetColumns& columns, uint32_t slot) {
  const auto& column = sealed.columns[slot];
  if (!columns.has_own_type(slot) || sealed.table->identity().route.schema_changes != route::SchemaChanges::kEvolve) return false;
  if (column.on_overflow == types::OnOverflow::kTruncate || column.on_overflow == types::OnOverflow::kNull) return false;
  const auto& made = sealed.table->target.made.at(column.target_name);
  if (!made.adopted || !column.target_type.empty() || sealed.table->target.kept.contains(column.target_name) || !may_grow(made.type, types::evolve(made.type, column.type))) return false;
  event::Arena arena(1 << 10);
  uint64_t ignored = 0;
  for (const Entry* entry : entries_of(sealed)) {
    if (slot >= entry->width || entry->effect == Effect::kNothing) continue;
    if (!columns.fit(slot, entry->cells[slot], arena, ignored)) return true;
    arena.clear();
  }
  return false;
}

bool any_has_to_grow(const Sealed& sealed) {
  const TargetColumns columns(sealed);
  return std::any_of(columns.slots().begin(), columns.slots().end(), [&](uint32_t slot) { return has_to_grow(sealed, columns, slot); });
}

/// What the target's own table lacks is left out under "ignore" and refused under "fail".
Result<void> judge_lacking(const Sealed& sealed, const TargetColumns& columns, bool first_contact) {
  Table::Target& target = sealed.table->target;
  const auto policy = sealed.table->identity().route.schema_changes;
  const bool is_own = !target.exists || (!first_contact && target.adopted.empty());
  if (is_own || policy == route::SchemaChanges::kEvolve || policy == route::SchemaChanges::kAddOnly) return {};
  for (const uint32_t slot : columns.slots()) {
    const auto& column = sealed.columns[slot];
    if (target.made.contains(column.target_name)) continue;
    const bool ignores = policy == route::SchemaChanges::kIgnore;
    if (ignores && column.key_ordinal == 0) {
      target.left_out.insert(column.target_name);
      target.adopted.insert(column.target_name);
      continue;
    }
    return make_error(CDCRT_UNSUPPORTED,
                      "table '" + sealed.table->identity().target() + "' was there before and has no column '" + column.target_name + "', and schema_changes is \"" +
                          (ignores ? "ignore" : "fail") + "\"",
                      "add the column to the target, exclude it in the route's columns, or set schema_changes = \"add_only\"");
  }
  return {};
}

void plan_changes(const Sealed& sealed, const TargetColumns& columns, Plan& plan) {
  const Table::Target& target = sealed.table->target;
  // What is new comes before what goes: a table's last column cannot be dropped everywhere.
  for (const uint32_t slot : columns.slots()) {
    if (target.made.contains(sealed.columns[slot].target_name)) continue;
    plan.add(CDCRT_ADD_COLUMN, columns.describe(slot));
    ++plan.source_changes;
  }
  for (const auto& column : sealed.columns) {
    const auto made = target.made.find(column.target_name);
    if (made == target.made.end()) continue;
    const bool comes_back = column.active && made->second.incarnation != column.incarnation;
    if (column.active && !comes_back) continue;
    cdcrt_column dropped{};
    dropped.name = sdk::borrow(column.target_name);
    plan.add(CDCRT_DROP_COLUMN, dropped);
    ++plan.source_changes;
  }
  for (const uint32_t slot : columns.slots()) {
    const auto& column = sealed.columns[slot];
    const auto made = target.made.find(column.target_name);
    if (made == target.made.end()) continue;
    if (made->second.incarnation != column.incarnation) {
      plan.add(CDCRT_ADD_COLUMN, columns.describe(slot));
      ++plan.source_changes;
    } else if (!types::equal(made->second.type, column.type) && column.target_type.empty()) {
      // An adopted column stays as it is while it holds the values, and then becomes what holds both.
      if (made->second.adopted && !has_to_grow(sealed, columns, slot)) continue;
      const cdcrt_type wanted = types::evolve(made->second.type, column.type);
      if (made->second.type.kind == CDCRT_TYPE_UNKNOWN || types::equal(wanted, made->second.type)) continue;
      cdcrt_column altered = columns.describe(slot);
      altered.type = wanted;
      plan.add(CDCRT_ALTER_TYPE, altered, made->second.type);
      ++plan.source_changes;
    }
  }
}

}  // namespace

std::vector<const progress::Partition*> partitions_of(const std::vector<const Sealed*>& batches) {
  std::vector<const progress::Partition*> partitions;
  for (const Sealed* sealed : batches) {
    for (const auto& part : sealed->partitions) partitions.push_back(part.partition);
  }
  std::sort(partitions.begin(), partitions.end());
  partitions.erase(std::unique(partitions.begin(), partitions.end()), partitions.end());
  return partitions;
}

namespace {

// Whether there is something to store: what was only learned from the target itself is there already.
bool is_stored(const Sealed& sealed, const progress::StoredTable& stored) {
  if (stored.version == 0 || stored.key_known != sealed.key_known || stored.columns.size() != sealed.columns.size()) return false;
  return std::all_of(sealed.columns.begin(), sealed.columns.end(), [&](const evolution::Column& column) {
    const auto kept = std::find_if(stored.columns.begin(), stored.columns.end(),
                                   [&](const evolution::Column& each) { return each.source_name == column.source_name; });
    return kept != stored.columns.end() && kept->active == column.active && kept->incarnation == column.incarnation &&
           kept->key_ordinal == column.key_ordinal && types::equal(kept->type, column.type) &&
           (kept->default_value.tag == CDCRT_ABSENT) == (column.default_value.tag == CDCRT_ABSENT);
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
  Preparation(plugin::Connection& connection, progress::Store* store, Sealed& sealed) : connection_(connection), store_(store), sealed_(sealed) {}

  [[nodiscard]] std::string name() const { return sealed_.table->identity().target(); }

  /// First of all: what is kept of the table itself, as of this transaction. True: the rest is to be read, and merge() called.
  bool take_row(progress::StoredTable row) {
    row_ = std::move(row);
    is_new_ = row_.version == 0;
    Table::Target& target = sealed_.table->target;
    if (row_.version > 0 && (!target.row_known || target.row.version != row_.version)) return true;
    stored_ = target.stored_version == sealed_.version && row_.version > 0;
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
    Table::Target& target = sealed_.table->target;
    const Expected expected(sealed_);
    cdcrt_column any_column{};
    if (auto described = describe(connection_, sealed_, any_column, any_name_); !described) return described;
    // The first to be written keeps the table; a name once stored has been looked at.
    if (store_ != nullptr && target.folds_names && row_.version == 0) {
      const std::string name = sealed_.table->identity().target();
      auto other = store_->target_but_for_case(connection_, name);
      if (!other) return std::move(other.error());
      if (*other) {
        return make_error(CDCRT_BAD_CONFIG, "tables '" + **other + "' and '" + name + "' are one table in the target, which does not tell case apart",
                          "give one of them another name in its route: table = \"...\"");
      }
    }
    const bool accepts_loss = std::exchange(row_.accepts_loss, false);
    if (store_ != nullptr && !accepts_loss) {
      if (auto lost_there = expected.lost(sealed_)) return std::move(*lost_there);
      if (is_first_ && target.exists && !target.columns.empty()) {
        auto known = refuse_unknown_rows(connection_, sealed_, any_column);
        has_unknown_rows_ = !known && known.error().code == CDCRT_UNSUPPORTED;
        if (!known) return known;
      }
    }
    target.left_out.clear();
    if (auto judged = judge_lacking(sealed_, TargetColumns(sealed_), is_first_); !judged) return judged;
    const TargetColumns columns(sealed_);
    Plan plan;
    plan.storage.reserve(2 * sealed_.columns.size() + 1);
    if (columns.slots().empty()) {
      // Nothing to create yet: columns without a type and no row. What is known of them is stored all the same.
    } else if (target.exists) {
      plan_changes(sealed_, columns, plan);
    } else {
      plan_create(columns, sealed_.table->identity().route.layout, plan);
    }
    if (!plan.changes.empty()) {
      if (auto changed = connection_.change(sealed_.table->abi(), plan.changes); !changed) return changed;
    }
    for (const cdcrt_change& change : plan.changes) {
      const std::string name(sdk::view(change.columns[0].name));
      if (change.kind == CDCRT_ADD_COLUMN) target.adopted.erase(name);
      if (change.kind == CDCRT_ALTER_TYPE || change.kind == CDCRT_ADD_COLUMN) altered_[name] = change.columns[0].type;
    }
    if (auto read = read_back_types(plan); !read) return read;
    source_changes_ = plan.source_changes;
    creates_ = !target.exists && !columns.slots().empty();
    slots_ = columns.slots();
    const bool changes_order = row_.by_source != keeps_source_order();
    if (changes_order && store_ != nullptr) {
      row_.by_source = !row_.by_source;
      row_.remembers_keys = false;
      // What is kept of rows is not kept up to date while they are in the order of their partitions.
      if (auto forgotten = store_->forget_row_orders(connection_, sealed_.table->identity().target()); !forgotten) return forgotten;
    }
    saves_ = store_ != nullptr && (!stored_ || accepts_loss || changes_order || !plan.changes.empty());
    return {};
  }

  /// After run(): what is to be stored, if anything is. The floor of a truncate is stored where the table is emptied, not before.
  std::optional<progress::Store::TableToSave> to_save() {
    if (!saves_) return std::nullopt;
    const auto& identity = sealed_.table->identity();
    row_.source_table = identity.source_name;
    if (!identity.source_server.empty()) row_.source_server = identity.source_server;
    row_.key_known = sealed_.key_known;
    ++row_.version;
    std::vector<evolution::Column> columns = sealed_.columns;
    for (auto& column : columns) column.adopted = sealed_.table->target.adopted.contains(column.target_name);
    return progress::Store::TableToSave{name(), &row_, std::move(columns), is_new_};
  }

  void failed() {
    sealed_.table->target.described = false;
    sealed_.table->target.row_known = false;
  }

  void committed() {
    Table::Target& target = sealed_.table->target;
    target.schema_changes += source_changes_;
    if (creates_) {
      target.has_unique_key = !sealed_.key.empty();
      target.exists = true;
    }
    std::map<std::string, evolution::Column> before;
    for (const auto& column : sealed_.columns) {
      if (auto made = target.made.extract(column.target_name)) before.insert(std::move(made));
    }
    for (const uint32_t slot : slots_) {
      const auto& column = sealed_.columns[slot];
      evolution::Column& made = target.made[column.target_name] = column;
      const auto own = before.find(column.target_name);
      made.adopted = target.adopted.contains(column.target_name);
      if (const auto raw = raw_types_.find(column.target_name); raw != raw_types_.end()) {
        made.type = raw->second;
      } else if (own != before.end() && (made.adopted || !column.target_type.empty())) {
        made.type = own->second.type;
        made.target_type = own->second.target_type;
        if (const auto altered = altered_.find(column.target_name); altered != altered_.end()) made.type = altered->second, made.target_type.clear();
      }
    }
    target.stored_version = sealed_.version;
    // Whoever opens a dead letter of it raises its row's version.
    if (store_ != nullptr && is_new_ && !target.letters_known) {
      target.open_dead_letters.clear();
      target.letters_known = target.dead_letters_whole = true;
    }
    target.row = std::move(row_);
    target.row.columns.clear();
    target.row_known = true;
  }

  /// Nothing is kept of the table, though it has rows: an operator must be able to name it.
  [[nodiscard]] bool has_unknown_rows() const { return has_unknown_rows_; }
  [[nodiscard]] const Sealed& sealed() const { return sealed_; }

 private:
  // A type that the route names may keep less than the values have: what the server made of it is asked for.
  Result<void> read_back_types(const Plan& plan) {
    const auto& sealed_columns = sealed_.columns;
    const bool any = !plan.changes.empty() && std::any_of(sealed_columns.begin(), sealed_columns.end(), [](const auto& column) { return !column.target_type.empty(); });
    if (!any) return {};
    auto description = connection_.describe(sealed_.table->abi());
    if (!description) return std::move(description.error());
    const auto& found = description->get();
    for (uint32_t i = 0; i < found.column_count; ++i) {
      const std::string name = name_of(sdk::view(found.columns[i].name), found.folds_names != 0, sealed_);
      const evolution::Column* const column = column_named(sealed_, name);
      if (column != nullptr && !column->target_type.empty()) raw_types_[name] = found.columns[i].type;
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
  bool creates_ = false;
  uint64_t source_changes_ = 0;
  std::vector<uint32_t> slots_;
  std::map<std::string, cdcrt_type> altered_;    ///< by target name: types that were given
  std::map<std::string, cdcrt_type> raw_types_;  ///< by target name: what the server made of the route's target_type
};

// Its row alone: an operator who is to choose must be able to name it.
Result<void> note_table(plugin::Connection& connection, progress::Store& store, bool transactional, const Sealed& sealed) {
  const std::string name = sealed.table->identity().target();
  if (transactional) {
    if (auto begun = connection.begin(); !begun) return begun;
  }
  progress::StoredTable row;
  auto done = store.hold(connection, {name});
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

}  // namespace

namespace {

bool needs_preparation(const Sealed& sealed, const progress::Store* store) {
  const Table::Target& target = sealed.table->target;
  const bool is_ordered = !sealed.by_source || target.row.by_source;
  const bool known = target.described && target.stored_version == sealed.version && (store == nullptr || (target.row_known && is_ordered));
  return !known || any_has_to_grow(sealed);
}

// Locks what is kept of the tables, checks the leases, and takes over what others stored.
Result<void> take_over(plugin::Connection& connection, progress::Store& store, std::vector<std::unique_ptr<Preparation>>& preparations,
                       std::vector<const progress::Partition*>& lost) {
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
    for (const auto& name : names) {
      if (auto locked = lock_row(connection, store, name, rows[name]); !locked) return locked;
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
    if (auto held = store->hold(connection, names); !held) return held;
    if (auto taken = take_over(connection, *store, preparations, lost); !taken || !lost.empty()) return taken;
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
    Table::Target& target = sealed->table->target;
    if (sealed->table->identity().events) {
      target.stored_version = sealed->version;
      target.described = true;
      continue;
    }
    preparations.push_back(std::make_unique<Preparation>(connection, store, *sealed));
    names.push_back(preparations.back()->name());
  }
  if (preparations.empty()) return {};
  if (store != nullptr) {
    if (auto ready = store->prepare_hold(connection, names); !ready) return ready;
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

Result<void> write_entries(plugin::Connection& connection, const Sealed& sealed, const std::vector<const Entry*>& entries,
                           std::vector<const Entry*>& missing) {
  const TargetColumns columns(sealed);
  if (columns.slots().empty() && !sealed.table->identity().events) return {};
  // Entries that others of their key follow go first.
  std::map<uint32_t, std::vector<const Entry*>, std::greater<>> rounds;
  for (const Entry* entry : entries) rounds[entry->followers].push_back(entry);
  std::vector<WriteGroup> groups;
  for (const auto& [followers, round] : rounds) {
    auto grouped = group(columns, round);
    if (!grouped) return std::move(grouped.error());
    for (WriteGroup& rows : *grouped) groups.push_back(std::move(rows));
  }
  for (const WriteGroup& rows : groups) {
    struct Context {
      const WriteGroup* group;
      std::vector<const Entry*>* missing;
      Table* table;
    } context{&rows, &missing, sealed.table};
    if (rows.kind == CDCRT_WRITE_REMOVE && rows.columns.empty()) {  // nothing tells which rows are meant
      missing.insert(missing.end(), rows.rows.begin(), rows.rows.end());
      continue;
    }
    cdcrt_write write{};
    write.size = sizeof write;
    write.kind = rows.kind;
    write.table = sealed.table->abi();
    write.columns = rows.columns.data();
    write.column_count = static_cast<uint32_t>(rows.columns.size());
    write.has_unique_key = sealed.table->target.has_unique_key ? 1 : 0;
    write.cells = rows.cells.data();
    write.row_count = rows.rows.size();
    write.operations = rows.operations.empty() ? nullptr : rows.operations.data();
    write.missing = [](void* self, uint64_t row) {
      auto* told = static_cast<Context*>(self);
      told->missing->push_back(told->group->rows[row]);
    };
    write.overflowed = [](void* self, uint64_t values) { static_cast<Context*>(self)->table->count_overflowed(values); };
    write.context = &context;
    if (auto written = connection.write(write); !written) return written;
    sealed.table->count_overflowed(rows.overflowed);
    sealed.table->count_left_out(rows.left_out);
  }
  return {};
}

Result<void> clear_table(plugin::Connection& connection, const Sealed& sealed) {
  if (!sealed.table->target.exists) return {};
  cdcrt_write write{};
  write.size = sizeof write;
  write.kind = CDCRT_WRITE_CLEAR;
  write.table = sealed.table->abi();
  return connection.write(write);
}

std::vector<const Entry*> entries_of(const Sealed& sealed) {
  std::vector<const Entry*> entries;
  for (const auto& part : sealed.partitions) {
    for (const Entry& entry : part.fold.entries()) entries.push_back(&entry);
  }
  return entries;
}

}  // namespace cdcrt::apply
