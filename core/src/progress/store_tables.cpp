// What is kept of each target table.
#include <algorithm>
#include <deque>
#include <iterator>

#include "diagnostics/text.hpp"
#include "progress/host_tables.hpp"
#include "types/convert.hpp"
#include "types/type.hpp"

namespace cdcrt::progress {

Result<std::map<std::string, StoredTable>> Store::lock_tables(plugin::Connection& connection, const std::vector<std::string>& targets,
                                                              cdcrt_lock lock) {
  std::map<std::string, StoredTable> tables;
  std::vector<cdcrt_cell> keys;
  for (const auto& target : targets) keys.push_back(text(target));
  auto done = read(connection, kTables, lock, [&](const cdcrt_cell* cells) { table_row_into(cells, tables[string_of(cells[0])]); }, keys, 1);
  if (!done) return std::move(done.error());
  return tables;
}

Result<std::optional<std::string>> Store::target_but_for_case(plugin::Connection& connection, const std::string& target) {
  std::optional<std::string> found;
  auto done = read(connection, kTables, CDCRT_LOCK_NONE, [&](const cdcrt_cell* cells) {
    std::string other = string_of(cells[0]);
    if (other != target && diagnostics::equal_but_for_case(other, target)) found = std::move(other);
  });
  if (!done) return std::move(done.error());
  const std::lock_guard lock(mutex_);
  if (!found) {
    const auto named = std::find_if(named_.begin(), named_.end(), [&](const auto& other) { return diagnostics::equal_but_for_case(other, target); });
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
  std::vector<cdcrt_cell> keys;
  Result<void> unreadable;
  Reads reads(*this);
  for (const TableToRead& each : wanted) {
    each.table->columns.clear();
    each.table->key_changes.clear();
    each.table->progress.clear();
    by_name[each.target] = &each;
    keys.push_back(text(each.target));
  }
  reads.add(kColumns,
            [&](const cdcrt_cell* cells) {
              const std::string target = string_of(cells[0]);
              auto column = column_of(cells, *by_name.at(target)->arena);
              if (column) columns[target][integer_of(cells[1])] = std::move(*column);
              if (!column) unreadable = std::move(column.error());
            },
            keys, 1);
  reads.add(moved(),
            [&](const cdcrt_cell* cells) { by_name.at(string_of(cells[0]))->table->key_changes[string_of(cells[1])] = string_of(cells[2]); }, keys, 1);
  const auto position = [&](const cdcrt_cell* cells) {
    if (const auto found = by_name.find(string_of(cells[3])); found != by_name.end()) {
      found->second->table->progress[key_of(cells)] = {integer_of(cells[4]), string_of(cells[5])};
    }
  };
  if (!locks_tables_) reads.add(kProgress, position);
  for (const TableToRead& each : wanted) {
    if (locks_tables_) reads.add(progress_of(each.target), position);
  }
  if (auto done = reads.run(connection); !done) return done;
  if (!unreadable) return unreadable;
  for (auto& [target, by_slot] : columns) {
    for (auto& [slot, column] : by_slot) by_name.at(target)->table->columns.push_back(std::move(column));
  }
  return {};
}

Result<bool> Store::stands_at(plugin::Connection& connection, const std::string& target, const std::vector<TablePosition>& positions) {
  std::map<PartitionKey, int64_t> stored;
  std::vector<cdcrt_cell> keys;
  std::vector<PartitionKey> partitions;  // own what the cells borrow
  for (const auto& position : positions) partitions.push_back(key_of(*position.partition));
  for (const auto& key : partitions) {
    append_key(keys, key);
    keys.push_back(text(target));
  }
  auto done = read(connection, progress_of(target), CDCRT_LOCK_NONE, [&](const cdcrt_cell* cells) { stored[key_of(cells)] = integer_of(cells[4]); }, keys, 4);
  if (!done) return std::move(done.error());
  for (const auto& position : positions) {
    const auto found = stored.find(key_of(*position.partition));
    if (found == stored.end() || found->second != position.next_offset) return false;
  }
  return true;
}

Result<void> Store::write_positions(plugin::Connection& connection, const std::string& target,
                                    const std::map<PartitionKey, StoredTable::Position>& positions, cdcrt_write_kind kind) {
  std::vector<cdcrt_cell> cells;
  for (const auto& [key, position] : positions) {
    cells.insert(cells.end(), {text(pipeline_), text(sink_)});
    append_key(cells, key);
    cells.insert(cells.end(), {text(target), integer(position.next_offset), bytes(position.order)});
  }
  return write(connection, progress_of(target), cells, kind);
}

Result<void> Store::save_progress(plugin::Connection& connection, const std::string& target, const std::vector<TablePosition>& positions) {
  std::map<PartitionKey, StoredTable::Position> by_key, first;
  for (const auto& position : positions) by_key[key_of(*position.partition)] = {position.next_offset, position.order};
  // What was not there when the lease was claimed, and is written for the first time, is not there now. Only where nothing is indexed
  // does that spare a look.
  if (locks_tables_) {
    const std::lock_guard lock(mutex_);
    for (auto position = by_key.begin(); position != by_key.end();) {
      const auto known = has_progress_.find(position->first);
      const auto next = std::next(position);
      if (known != has_progress_.end() && known->second.insert(target).second) first.insert(by_key.extract(position));
      position = next;
    }
  }
  if (auto written = write_positions(connection, target, first, CDCRT_WRITE_APPEND); !written) return written;
  return write_positions(connection, target, by_key);
}

void Store::append_table(std::vector<cdcrt_cell>& cells, const std::string& target, const StoredTable& table) const {
  cells.insert(cells.end(),
               {text(pipeline_), text(sink_), text(target), text(table.source_table), bytes(table.floor), integer(table.key_known ? 1 : 0),
                integer(table.version), text(to_text(table.state)), text(table.reason), text(table.source_server),
                integer(table.accepts_loss ? 1 : 0), integer(table.by_source ? 1 : table.remembers_keys ? 2 : 0)});
}

Result<void> Store::save_table(plugin::Connection& connection, const std::string& target, const StoredTable& table) {
  std::vector<cdcrt_cell> cells;
  append_table(cells, target, table);
  return write(connection, kTables, cells);
}

Result<void> Store::save_tables(plugin::Connection& connection, const std::vector<TableToSave>& tables) {
  for (const bool is_new : {true, false}) {
    std::vector<cdcrt_cell> rows, columns;
    std::deque<std::string> storage;
    for (const TableToSave& each : tables) {
      if (each.is_new != is_new) continue;
      append_table(rows, each.target, *each.row);
      append_columns(columns, storage, each.target, each.columns);
    }
    // Nobody else makes them meanwhile, where a table is locked by hold().
    const auto kind = is_new && locks_tables_ ? CDCRT_WRITE_APPEND : CDCRT_WRITE_UPSERT;
    if (auto written = write(connection, kTables, rows, kind); !written) return written;
    if (auto written = write(connection, kColumns, columns, kind); !written) return written;
  }
  return {};
}

Result<void> Store::save_columns(plugin::Connection& connection, const std::string& target, const std::vector<evolution::Column>& columns) {
  std::vector<cdcrt_cell> cells;
  std::deque<std::string> storage;
  append_columns(cells, storage, target, columns);
  return write(connection, kColumns, cells);
}

void Store::append_columns(std::vector<cdcrt_cell>& cells, std::deque<std::string>& storage, const std::string& target,
                           const std::vector<evolution::Column>& columns) const {
  for (std::size_t slot = 0; slot < columns.size(); ++slot) {
    const auto& column = columns[slot];
    const std::string& type = storage.emplace_back(types::to_string(column.type));
    std::string& default_value = storage.emplace_back();
    if (column.default_value.tag != CDCRT_ABSENT) types::append_text(default_value, column.default_value);
    cells.insert(cells.end(),
                 {text(pipeline_), text(sink_), text(target), integer(static_cast<int64_t>(slot)), text(column.source_name),
                  text(column.target_name), text(type), integer(column.key_ordinal), text(default_value), integer(column.active ? 1 : 0),
                  integer(column.incarnation), bytes(column.last_seen), bytes(column.dropped_at), bytes(column.type_order),
                  integer(column.adopted ? 1 : 0)});
  }
}

Result<void> Store::save_key_changes(plugin::Connection& connection, const std::string& target,
                                     const std::map<std::string, std::optional<std::string>>& records) {
  std::vector<cdcrt_cell> kept, settled;
  for (const auto& [key, record] : records) {
    if (record) {
      kept.insert(kept.end(), {text(pipeline_), text(sink_), text(target), bytes(key), limits_.text_bytes != 0 ? bytes(*record) : text(*record)});
    } else {
      settled.insert(settled.end(), {text(pipeline_), text(sink_), text(target), bytes(key)});
    }
  }
  if (auto written = write(connection, moved(), settled, CDCRT_WRITE_DELETE); !written) return written;
  return write(connection, moved(), kept);
}

}  // namespace cdcrt::progress
