// What is kept of each target table, and why it is in trouble.
#include <algorithm>
#include <iterator>

#include "diagnostics/text.hpp"
#include "progress/store.hpp"
#include "progress/table_rows.hpp"
#include "types/type.hpp"

namespace cdcrt::progress {

Result<std::map<std::string, StoredTable>> Store::lock_tables(plugin::Connection& connection, const std::vector<std::string>& targets,
                                                              cdcrt_lock lock) {
  std::map<std::string, StoredTable> tables;
  Keys keys{1};
  for (const auto& target : targets) keys.cells.push_back(text(target));
  auto done = tables_.read(
      connection, kTables, lock, [&](const Row& row) { table_into(row, tables[row.text(kTables.target)]); }, keys);
  if (!done) return std::move(done.error());
  return tables;
}

Result<std::optional<std::string>> Store::target_but_for_case(plugin::Connection& connection, const std::string& target) {
  std::optional<std::string> found;
  auto done = tables_.read(connection, kTables, CDCRT_LOCK_NONE, [&](const Row& row) {
    std::string other = row.text(kTables.target);
    if (other != target && diagnostics::equal_but_for_case(other, target)) found = std::move(other);
  });
  if (!done) return std::move(done.error());
  const std::lock_guard lock(mutex_);
  if (!found) {
    const auto named =
        std::find_if(named_.begin(), named_.end(), [&](const auto& other) { return diagnostics::equal_but_for_case(other, target); });
    if (named != named_.end() && *named != target) found = *named;
  }
  if (!found) named_.push_back(target);
  return found;
}

Result<void> Store::read_table(plugin::Connection& connection, const std::string& target, StoredTable& table, event::Arena& arena) {
  return read_tables(connection, {{target, &table, &arena}});
}

Result<void> Store::read_tables(plugin::Connection& connection, const std::vector<TableToRead>& wanted) {
  if (wanted.empty()) return {};
  std::map<std::string, std::map<int64_t, evolution::Column>> columns;
  std::map<std::string, const TableToRead*> by_name;
  std::vector<std::string> targets;
  Keys keys{1};
  Result<void> unreadable;
  Reads reads(tables_);
  for (const TableToRead& each : wanted) {
    each.table->columns.clear();
    each.table->key_changes.clear();
    each.table->progress.clear();
    by_name[each.target] = &each;
    targets.push_back(each.target);
    keys.cells.push_back(text(each.target));
  }
  const auto add_column = [&](const Row& row) {
    const std::string target = row.text(kColumns.target);
    auto column = column_of(row, *by_name.at(target)->arena);
    if (column) columns[target][row.integer(kColumns.slot)] = std::move(*column);
    if (!column) unreadable = std::move(column.error());
  };
  const auto add_key_change = [&](const Row& row) {
    by_name.at(row.text(key_changes_.target))->table->key_changes[row.text(key_changes_.new_key)] = row.text(key_changes_.record);
  };
  reads.add(kColumns, add_column, keys);
  reads.add(key_changes_, add_key_change, keys);
  protocol_->add_progress(reads, targets, [&](const Row& row) {
    if (const auto found = by_name.find(row.text(kProgress.target)); found != by_name.end()) position_into(row, *found->second->table);
  });
  if (auto done = reads.run(connection); !done) return done;
  if (!unreadable) return unreadable;
  for (auto& [target, by_slot] : columns) columns_into(std::move(by_slot), *by_name.at(target)->table);
  return {};
}

Result<bool> Store::stands_at(plugin::Connection& connection, const std::string& target, const std::vector<TablePosition>& positions) {
  std::map<PartitionKey, int64_t> stored;
  Keys keys{4};
  for (const auto& position : positions) {
    const PartitionKey& key = position.partition->key();
    keys.cells.insert(keys.cells.end(), {text(key.source), text(key.topic), integer(key.number), text(target)});
  }
  const Visit visit = [&](const Row& row) { stored[row.partition(kProgress.partition)] = row.integer(kProgress.next_offset); };
  auto done = tables_.read(connection, protocol_->progress_of(target), CDCRT_LOCK_NONE, visit, keys);
  if (!done) return std::move(done.error());
  for (const auto& position : positions) {
    const auto found = stored.find(position.partition->key());
    if (found == stored.end() || found->second != position.next_offset) return false;
  }
  return true;
}

Result<void> Store::write_positions(plugin::Connection& connection, const PositionsByTarget& positions, cdcrt_write_kind kind) {
  struct Place {
    explicit Place(HostTable of) : table(std::move(of)), rows(rows_of(table)) {}
    const HostTable table;
    Rows rows;
  };
  std::map<std::string, Place> places;
  for (const auto& [target, by_key] : positions) {
    HostTable table = protocol_->progress_of(target);
    const std::string name = table.name;
    Rows& rows = places.try_emplace(name, std::move(table)).first->second.rows;
    for (const auto& [key, position] : by_key) {
      auto row = tables_.add(rows);
      row.set(kProgress.partition, key);
      row[kProgress.target] = text(target);
      row[kProgress.next_offset] = integer(position.next_offset);
      row[kProgress.source_order] = bytes(position.order);
    }
  }
  for (const auto& [name, place] : places) {
    if (auto written = tables_.write(connection, place.rows, kind); !written) return written;
  }
  return {};
}

Result<void> Store::save_progress(plugin::Connection& connection, PositionsByTarget positions) {
  // What was not there when the lease was claimed, and is written for the first time, is not there now. Only where nothing is indexed
  // does that spare a look.
  PositionsByTarget first;
  if (!protocol_->finds_by_key()) {
    const std::lock_guard lock(mutex_);
    for (auto& [target, by_key] : positions) {
      for (auto position = by_key.begin(); position != by_key.end();) {
        const auto known = has_progress_.find(position->first);
        const auto next = std::next(position);
        if (known != has_progress_.end() && known->second.insert(target).second) first[target].insert(by_key.extract(position));
        position = next;
      }
    }
  }
  if (auto written = write_positions(connection, first, CDCRT_WRITE_APPEND); !written) return written;
  return write_positions(connection, positions, CDCRT_WRITE_UPSERT);
}

void Store::add_table(Rows& rows, const std::string& target, const StoredTable& table) const {
  auto row = tables_.add(rows);
  row[kTables.target] = text(target);
  row[kTables.source_table] = text(table.source_table);
  row[kTables.floor] = bytes(table.floor);
  row[kTables.key_known] = integer(table.key_known ? kKeyKnown : table.told_keyless ? kToldKeyless : kKeyUnknown);
  row[kTables.version] = integer(table.version);
  row[kTables.state] = text(to_text(table.state));
  row[kTables.reason] = text(table.reason);
  row[kTables.source_server] = text(table.source_server);
  row[kTables.accepts_loss] = integer(table.accepts_loss ? 1 : 0);
  row[kTables.row_orders] = integer(table.by_source ? kOrdersOfRows : table.remembers_keys ? kOrdersOfLastKeys : kNoOrders);
  row[kTables.definition_topic] = text(table.definition_topic);
}

void Store::add_columns(Rows& rows, const std::string& target, const std::vector<evolution::Column>& columns) const {
  for (std::size_t slot = 0; slot < columns.size(); ++slot) {
    const auto& column = columns[slot];
    std::string default_value;
    if (column.default_value.tag != CDCRT_ABSENT) types::append_text(default_value, column.default_value);
    auto row = tables_.add(rows);
    row[kColumns.target] = text(target);
    row[kColumns.slot] = integer(static_cast<int64_t>(slot));
    row[kColumns.source_name] = text(column.source_name);
    row[kColumns.target_name] = text(column.target_name);
    row[kColumns.type] = text(rows.keep(types::to_string(column.type)));
    row[kColumns.key_ordinal] = integer(column.key_ordinal);
    row[kColumns.default_value] = text(rows.keep(std::move(default_value)));
    row[kColumns.active] = integer(column.active ? 1 : 0);
    row[kColumns.incarnation] = integer(column.incarnation);
    row[kColumns.last_seen] = bytes(column.last_seen);
    row[kColumns.dropped_at] = bytes(column.dropped_at);
    row[kColumns.type_order] = bytes(column.type_order);
    row[kColumns.adopted] = integer(column.adopted ? 1 : 0);
    row[kColumns.former_names] = bytes(rows.keep(names_to_bytes(column)));
    row[kColumns.added_at] = bytes(column.added_at);
    row[kColumns.lacked_since] = bytes(column.lacked_since);
    row[kColumns.undefined_since] = bytes(column.undefined_since);
  }
}

Result<void> Store::save_table(plugin::Connection& connection, const std::string& target, const StoredTable& table) {
  Rows rows = rows_of(kTables);
  add_table(rows, target, table);
  return tables_.write(connection, rows);
}

Result<void> Store::save_columns(plugin::Connection& connection, const std::string& target, const std::vector<evolution::Column>& columns) {
  Rows rows = rows_of(kColumns);
  add_columns(rows, target, columns);
  return tables_.write(connection, rows);
}

Result<void> Store::save_tables(plugin::Connection& connection, const std::vector<TableToSave>& tables) {
  for (const bool is_new : {true, false}) {
    Rows rows = rows_of(kTables), columns = rows_of(kColumns);
    for (const TableToSave& each : tables) {
      if (each.is_new != is_new) continue;
      add_table(rows, each.target, *each.row);
      add_columns(columns, each.target, each.columns);
    }
    const auto kind = is_new && protocol_->excludes_others() ? CDCRT_WRITE_APPEND : CDCRT_WRITE_UPSERT;
    if (auto written = tables_.write(connection, rows, kind); !written) return written;
    if (auto written = tables_.write(connection, columns, kind); !written) return written;
  }
  return {};
}

Result<void> Store::save_key_changes(plugin::Connection& connection, const std::string& target,
                                     const std::map<std::string, std::optional<std::string>>& records) {
  Rows kept = rows_of(key_changes_), settled = keys_of_rows(key_changes_);
  const bool is_bytes = key_changes_.columns[key_changes_.record].kind == CDCRT_TYPE_BYTES;
  for (const auto& [key, record] : records) {
    auto row = tables_.add(record ? kept : settled);
    row[key_changes_.target] = text(target);
    row[key_changes_.new_key] = bytes(key);
    if (record) row[key_changes_.record] = is_bytes ? bytes(*record) : text(*record);
  }
  if (auto written = tables_.write(connection, settled, CDCRT_WRITE_DELETE); !written) return written;
  return tables_.write(connection, kept);
}

Result<void> Store::forget_waiting(plugin::Connection& connection, const std::string& target, const StoredTable& table) {
  std::map<std::string, std::optional<std::string>> settled;
  for (const auto& [key, record] : table.key_changes) settled[key] = std::nullopt;
  if (auto saved = save_key_changes(connection, target, settled); !saved) return saved;
  if (auto forgotten = forget_row_orders(connection, target); !forgotten) return forgotten;
  return pass_open_dead_letters(connection, target);
}

Result<void> Store::forget_columns(plugin::Connection& connection, const std::string& target) {
  return tables_.forget(connection, kColumns, target);
}

Result<void> Store::save_troubles(plugin::Connection& connection, const std::map<std::string, std::optional<StoredTrouble>>& troubles,
                                  const std::map<std::string, StoredMatch>& matches) {
  Rows present = rows_of(kTroubles), over = keys_of_rows(kTroubles);
  const auto add = [&](const std::string& target, std::string_view state, const std::string& reason, int64_t since_ms) {
    auto row = tables_.add(present);
    row[kTroubles.target] = text(target);
    row[kTroubles.state] = text(state);
    row[kTroubles.reason] = text(reason);
    row[kTroubles.since_ms] = integer(since_ms);
    row[kTroubles.process] = text(owner());
  };
  for (const auto& [entry, match] : matches) add(entry, match.met ? kMet : kUnmet, match.reason, match.since_ms);
  for (const auto& [target, trouble] : troubles) {
    if (trouble) add(target, trouble->stopped ? kStopped : kDetached, trouble->reason, trouble->since_ms);
    if (!trouble) tables_.add(over)[kTroubles.target] = text(target);
  }
  return in_transaction(connection, [&]() -> Result<void> {
    if (auto locked = lock_claims(connection); !locked) return locked;
    if (auto written = tables_.write(connection, over, CDCRT_WRITE_DELETE); !written) return written;
    return tables_.write(connection, present);
  });
}

}  // namespace cdcrt::progress
