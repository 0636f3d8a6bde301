#include "progress/table_rows.hpp"

#include <utility>

#include "evolution/column_names.hpp"
#include "types/convert.hpp"
#include "types/type.hpp"

namespace cdcrt::progress {

void watermark_into(const Row& row, StoredPartition& partition) {
  const bool knows_last = !row.is_null(kWatermarks.last_offset);
  partition.next_offset = row.integer(kWatermarks.next_offset);
  partition.exact = knows_last && row.integer(kWatermarks.last_offset) < 0;
  partition.last.offset = knows_last ? row.integer(kWatermarks.last_offset) : -1;
  partition.last.timestamp_ms = row.integer(kWatermarks.last_timestamp_ms);
  partition.last.hash = static_cast<uint64_t>(row.integer(kWatermarks.last_hash));
}

void table_into(const Row& row, StoredTable& table) {
  table.source_table = row.text(kTables.source_table);
  table.floor = row.text(kTables.floor);
  table.key_known = row.integer(kTables.key_known) == kKeyKnown;
  table.told_keyless = row.integer(kTables.key_known) == kToldKeyless;
  table.definition_topic = row.text(kTables.definition_topic);
  table.version = row.integer(kTables.version);
  table.state = table_state_from(row.text(kTables.state));
  table.reason = row.text(kTables.reason);
  table.source_server = row.text(kTables.source_server);
  table.accepts_loss = row.flag(kTables.accepts_loss);
  table.by_source = row.integer(kTables.row_orders) == kOrdersOfRows;
  table.remembers_keys = row.integer(kTables.row_orders) == kOrdersOfLastKeys;
}

void position_into(const Row& row, StoredTable& table) {
  table.progress[row.partition(kProgress.partition)] = {row.integer(kProgress.next_offset), row.text(kProgress.source_order)};
}

void trouble_into(const Row& row, Stored& stored) {
  const std::string state = row.text(kTroubles.state), target = row.text(kTroubles.target);
  if (state == kMet || state == kUnmet) {
    stored.matches[target] = {state == kMet, row.text(kTroubles.reason), row.integer(kTroubles.since_ms)};
    return;
  }
  StoredTrouble& trouble = stored.troubles[target];
  trouble.stopped = state == kStopped;
  trouble.reason = row.text(kTroubles.reason);
  trouble.since_ms = row.integer(kTroubles.since_ms);
  trouble.process = row.text(kTroubles.process);
}

Result<evolution::Column> column_of(const Row& row, event::Arena& arena) {
  evolution::Column column;
  column.source_name = row.text(kColumns.source_name);
  column.target_name = row.text(kColumns.target_name);
  column.type = types::parse_type(row.text(kColumns.type)).value_or(cdcrt_type{});
  column.key_ordinal = static_cast<uint32_t>(row.integer(kColumns.key_ordinal));
  if (const std::string kept = row.text(kColumns.default_value); !kept.empty()) {
    auto value = types::from_text(kept, arena);
    if (!value) return std::move(value.error());
    column.default_value = *value;
  }
  column.active = row.flag(kColumns.active);
  column.incarnation = static_cast<uint32_t>(row.integer(kColumns.incarnation));
  column.last_seen = row.text(kColumns.last_seen);
  column.dropped_at = row.text(kColumns.dropped_at);
  column.type_order = row.text(kColumns.type_order);
  column.adopted = row.flag(kColumns.adopted);
  const bool tells_early = names_into(row.text(kColumns.former_names), column);
  column.added_at = row.text(kColumns.added_at);
  column.lacked_since = row.text(kColumns.lacked_since);
  column.undefined_since = row.text(kColumns.undefined_since);
  if (!tells_early) column.came_early = evolution::seems_early(column);
  return column;
}

// Each is read as it is then: another process may have stored both between the table's row, which did not tell the key, and its columns.
// Rows that lack a column would drop it, as those of tables without a key do.
void columns_into(std::map<int64_t, evolution::Column> by_slot, StoredTable& table) {
  for (auto& [slot, column] : by_slot) {
    table.key_known = table.key_known || column.key_ordinal > 0;
    table.columns.push_back(std::move(column));
  }
}

}  // namespace cdcrt::progress
