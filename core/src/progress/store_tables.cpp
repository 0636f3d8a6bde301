// What is kept of each target table.
#include <algorithm>
#include <deque>

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
  const std::vector<cdcrt_cell> key{text(target)};
  table.columns.clear();
  table.key_changes.clear();
  table.progress.clear();
  std::map<int64_t, evolution::Column> columns;
  Result<void> unreadable;
  auto ok = read(connection, kColumns, CDCRT_LOCK_NONE,
                 [&](const cdcrt_cell* cells) {
                   auto column = column_of(cells, arena);
                   if (column) columns[integer_of(cells[1])] = std::move(*column);
                   if (!column) unreadable = std::move(column.error());
                 },
                 key, 1);
  if (!ok) return ok;
  if (!unreadable) return unreadable;
  for (auto& [slot, column] : columns) table.columns.push_back(std::move(column));
  ok = read(connection, moved(), CDCRT_LOCK_NONE, [&](const cdcrt_cell* cells) { table.key_changes[string_of(cells[1])] = string_of(cells[2]); }, key, 1);
  if (!ok) return ok;
  return read(connection, progress_of(target), CDCRT_LOCK_NONE, [&](const cdcrt_cell* cells) {
    if (string_of(cells[3]) == target) table.progress[key_of(cells)] = {integer_of(cells[4]), string_of(cells[5])};
  });
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
                                    const std::map<PartitionKey, StoredTable::Position>& positions) {
  std::vector<cdcrt_cell> cells;
  for (const auto& [key, position] : positions) {
    cells.insert(cells.end(), {text(pipeline_), text(sink_)});
    append_key(cells, key);
    cells.insert(cells.end(), {text(target), integer(position.next_offset), bytes(position.order)});
  }
  return write(connection, progress_of(target), cells);
}

Result<void> Store::save_progress(plugin::Connection& connection, const std::string& target, const std::vector<TablePosition>& positions) {
  std::map<PartitionKey, StoredTable::Position> by_key;
  for (const auto& position : positions) by_key[key_of(*position.partition)] = {position.next_offset, position.order};
  return write_positions(connection, target, by_key);
}

Result<void> Store::save_table(plugin::Connection& connection, const std::string& target, const StoredTable& table) {
  return write(connection, kTables,
               {text(pipeline_), text(sink_), text(target), text(table.source_table), bytes(table.floor), integer(table.key_known ? 1 : 0),
                integer(table.version), text(to_text(table.state)), text(table.reason), text(table.source_server),
                integer(table.accepts_loss ? 1 : 0), integer(table.by_source ? 1 : table.remembers_keys ? 2 : 0)});
}

Result<void> Store::save_columns(plugin::Connection& connection, const std::string& target, const std::vector<evolution::Column>& columns) {
  std::vector<cdcrt_cell> cells;
  std::deque<std::string> storage;
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
  return write(connection, kColumns, cells);
}

Result<void> Store::save_key_changes(plugin::Connection& connection, const std::string& target,
                                     const std::map<std::string, std::optional<std::string>>& records) {
  std::vector<cdcrt_cell> kept, settled;
  for (const auto& [key, record] : records) {
    if (record) {
      kept.insert(kept.end(), {text(pipeline_), text(sink_), text(target), bytes(key), locks_tables_ ? bytes(*record) : text(*record)});
    } else {
      settled.insert(settled.end(), {text(pipeline_), text(sink_), text(target), bytes(key)});
    }
  }
  if (auto written = write(connection, moved(), settled, CDCRT_WRITE_DELETE); !written) return written;
  return write(connection, moved(), kept);
}

}  // namespace cdcrt::progress
