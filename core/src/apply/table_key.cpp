// Which row an event means: its key, the key it had before, and the keys of events that were refused.
#include <algorithm>

#include "apply/table.hpp"
#include "diagnostics/suggestion.hpp"
#include "types/convert.hpp"

namespace cdcrt::apply {
namespace {

// So many messages in a row that name another key are no accident: the key of the source's table changed.
constexpr uint32_t kLastingKeyChange = 10;

}  // namespace

// An event that cannot be one of this table. What changes its row later in part must wait for it all the same.
void Table::refuse_shape(PartitionState& state, const cdcrt_row& row, int64_t offset, const Batch& batch, Error error,
                         std::vector<Refusal>& refusals) {
  const bool other_key = knowledge_.met_other_key();
  if (other_key && (row.operation == CDCRT_DEFINITION || ++state.other_keys >= kLastingKeyChange)) {
    error.message += row.operation == CDCRT_DEFINITION ? "" : ": so say " + std::to_string(state.other_keys) + " messages in a row, the last at " +
                                                                  state.partition->name() + " offset " + std::to_string(offset) +
                                                                  "; those before it are dead letters";
    stop_locked(explain(error));
    return;
  }
  refusals.push_back({row.message, other_key ? "key_changed" : "value_refused", std::move(error)});
  if (row.cells == CDCRT_NO_CELLS) return;
  evolution::ShapeMap map;
  for (const auto& column : batch.shapes.get(row.shape).columns) {
    const auto slot = std::find_if(knowledge_.key().begin(), knowledge_.key().end(),
                                   [&](uint32_t key) { return knowledge_.columns()[key].source_name == column.name; });
    map.slots.push_back(slot == knowledge_.key().end() ? -1 : static_cast<int32_t>(*slot));
  }
  note_refused(state, row, offset, batch, map);
}

void Table::note_source(PartitionState& state, const event::Shape& shape) {
  if (state.source_shape == shape.id) return;
  state.source_shape = shape.id;
  SourceOfRows source{shape.server, {}};
  for (const std::string* part : {&shape.database, &shape.schema, &shape.table}) {
    if (!part->empty()) source.table += (source.table.empty() ? "" : ".") + *part;
  }
  const auto found = std::find(sources_.begin(), sources_.end(), source);
  state.source = static_cast<uint32_t>(found - sources_.begin());
  if (found == sources_.end()) sources_.push_back(std::move(source));
}

std::vector<Table::ColumnUse> Table::column_uses() const {
  const std::lock_guard lock(mutex_);
  std::vector<ColumnUse> uses;
  for (const auto& use : knowledge_.rules()) uses.push_back({use.rule->pattern, use.met, use.rule->of_defaults});
  return uses;
}

std::string Table::advice_for(const std::string& column) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& known : knowledge_.columns()) names.push_back(known.source_name);
  return diagnostics::did_you_mean(column, names);
}

bool Table::key_of(const std::vector<cdcrt_cell>& cells, std::string& key) const {
  key.clear();
  for (const uint32_t slot : knowledge_.key()) {
    if (slot >= cells.size() || cells[slot].tag <= CDCRT_NULL) return false;
    types::append_key(key, cells[slot]);
  }
  return true;
}

std::string Table::missing_key(const std::vector<cdcrt_cell>& cells) const {
  for (const uint32_t slot : knowledge_.key()) {
    if (slot < cells.size() && cells[slot].tag > CDCRT_NULL) continue;
    const bool null = slot < cells.size() && cells[slot].tag == CDCRT_NULL;
    return "column '" + knowledge_.columns()[slot].source_name + "' of the primary key is " + (null ? "null" : "not in the event");
  }
  return "the table has no key";
}

std::string Table::key_advice(uint8_t operation) const {
  if (operation == CDCRT_DELETE && !identity_.route.primary_key.empty()) {
    return "a delete must carry the route's primary_key: in the message key, or in a complete image of the row (REPLICA IDENTITY FULL or its like)";
  }
  return "check primary_key in the route, or the key of the source table";
}

bool Table::convert_key(const event::Shape& shape, const evolution::ShapeMap& map, const cdcrt_cell* cells, std::vector<cdcrt_cell>& out,
                        Error& error) {
  out.assign(knowledge_.columns().size(), cdcrt_cell{});
  for (std::size_t i = 0; i < map.slots.size(); ++i) {
    if (map.slots[i] < 0) continue;
    const auto slot = static_cast<uint32_t>(map.slots[i]);
    if (knowledge_.columns()[slot].key_ordinal == 0) continue;
    if (cells[i].tag <= CDCRT_NULL) {
      out[slot] = cells[i];
    } else if (!convert_cell(cells[i], shape.columns[i].type, shape.declared, slot, out[slot], error)) {
      error.message = "the key that the row had before: " + error.message;
      return false;
    }
  }
  follow_schema_changes();
  return true;
}

bool Table::complete_from(const event::Shape& shape, const evolution::ShapeMap& map, const cdcrt_cell* before, Error& error) {
  for (std::size_t i = 0; i < map.slots.size(); ++i) {
    if (map.slots[i] < 0) continue;
    const auto slot = static_cast<uint32_t>(map.slots[i]);
    if (scratch_[slot].tag != CDCRT_ABSENT || before[i].tag == CDCRT_ABSENT) continue;
    if (before[i].tag == CDCRT_NULL) {
      scratch_[slot] = before[i];
    } else if (!convert_cell(before[i], shape.columns[i].type, shape.declared, slot, scratch_[slot], error)) {
      error.message = "the row before its key changed: " + error.message;
      return false;
    }
  }
  follow_schema_changes();
  return true;
}

// A later change of the row tells whether the refused one is made good: by the keys that it has, and had.
void Table::note_refused(PartitionState& state, const cdcrt_row& row, int64_t offset, const Batch& batch, const evolution::ShapeMap& map) {
  if (identity_.events || knowledge_.key().empty()) return;
  const event::Shape& shape = batch.shapes.get(row.shape);
  std::string own, old;
  const auto read_key = [&](uint32_t image, std::string& key) {
    std::vector<cdcrt_cell> cells;
    Error ignored;
    if (!convert_key(shape, map, batch.rows.cells(image), cells, ignored) || !key_of(cells, key)) key.clear();
  };
  learns_ = false;
  read_key(row.cells, own);
  if (row.operation == CDCRT_UPDATE && row.before != CDCRT_NO_CELLS) read_key(row.before, old);
  // Known by its old key alone, a replay would take the row away and bring nothing.
  if (own.empty()) return;
  const cdcrt_cell* const cells = batch.rows.cells(row.cells);
  const bool whole = row.operation != CDCRT_UPDATE || std::none_of(cells, cells + shape.columns.size(), [](const auto& cell) { return cell.tag == CDCRT_ABSENT; });
  note_source(state, shape);
  state.fold.refuse(own, offset, order_of(state), whole, state.source);
  if (!old.empty() && old != own) state.fold.refuse(old, offset, order_of(state), true, state.source);
}

// `scratch_` and `key_scratch_` hold the event's own row and key.
bool Table::note_key_change(PartitionState& state, const cdcrt_row& row, const Batch& batch, const evolution::ShapeMap& map, Entry& entry,
                            Error& error) {
  // Only an event that lacks something of its own row continues the one that left.
  const bool lacks = std::any_of(map.slots.begin(), map.slots.end(), [&](int32_t slot) {
    return slot >= 0 && scratch_[static_cast<uint32_t>(slot)].tag == CDCRT_ABSENT;
  });
  std::string other_key;
  error = {};
  if (!convert_key(batch.shapes.get(row.shape), map, batch.rows.cells(row.other_key), before_scratch_, error) || !key_of(before_scratch_, other_key)) {
    // A delete takes the row away under the key that it had; what comes under the new one is refused by itself.
    return row.operation == CDCRT_DELETE || !lacks;
  }
  Fold& fold = state.fold;
  if (row.operation != CDCRT_DELETE) {
    if (entry.arrival >= 0) fold.arrivals[static_cast<std::size_t>(entry.arrival)].over = true;
    entry.arrival = static_cast<int32_t>(fold.arrivals.size());
    Arrival& arrival = fold.arrivals.emplace_back();
    arrival.old_key = fold.own_key(other_key);
    arrival.new_key = entry.key;
    arrival.departed = static_cast<uint32_t>(fold.departures.size());
    for (uint32_t slot = 0; lacks && slot < scratch_.size(); ++slot) {
      if (scratch_[slot].tag == CDCRT_ABSENT && knowledge_.columns()[slot].active) arrival.slots.push_back(slot);
    }
    return true;
  }
  Departure departure;
  departure.old_key = entry.key;
  departure.new_key = fold.own_key(other_key);
  departure.width = static_cast<uint32_t>(before_scratch_.size());
  departure.old_cells = fold.own_cells(scratch_.data(), departure.width);
  departure.new_cells = fold.own_cells(before_scratch_.data(), departure.width);
  departure.effect = entry.effect;
  departure.cells = fold.own_cells(entry.cells, entry.width);
  departure.cells_width = entry.width;
  departure.arrival = entry.arrival;
  fold.departures.push_back(departure);
  return true;
}

}  // namespace cdcrt::apply
