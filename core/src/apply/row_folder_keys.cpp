// Which row an event means: its key, the key it had before, and the keys of events that were refused.
#include <algorithm>

#include "apply/row_folder.hpp"
#include "types/convert.hpp"

namespace cdcrt::apply {
namespace {

// So many messages in a row that name another key are no accident: the key of the source's table changed.
constexpr uint32_t kLastingKeyChange = 10;

}  // namespace

// What changes its row later in part must wait for it all the same.
std::string RowFolder::refuse_shape(const Incoming& in, Error error) {
  const cdcrt_row& row = in.row;
  RowMemory& memory = in.into.memory();
  const bool other_key = knowledge_.met_other_key();
  if (other_key && (row.operation == CDCRT_DEFINITION || ++memory.other_keys >= kLastingKeyChange)) {
    error.message += row.operation == CDCRT_DEFINITION
                         ? ""
                         : ": so say " + std::to_string(memory.other_keys) + " messages in a row, the last at " +
                               in.into.partition().name() + " offset " + std::to_string(in.offset) + "; those before it are dead letters";
    return explain(error);
  }
  in.refuse(other_key ? "key_changed" : "value_refused", std::move(error));
  if (row.operation == CDCRT_DEFINITION) knowledge_.keep_told_key();
  if (row.cells == CDCRT_NO_CELLS) return {};
  evolution::ShapeMap map;
  for (const auto& column : in.shape.columns) {
    const auto slot = std::find_if(knowledge_.key().begin(), knowledge_.key().end(),
                                   [&](uint32_t key) { return knowledge_.columns()[key].source_name == column.name; });
    map.slots.push_back(slot == knowledge_.key().end() ? -1 : static_cast<int32_t>(*slot));
  }
  note_refused(in, map);
  return {};
}

void RowFolder::note_source(RowMemory& memory, const event::Shape& shape) {
  if (memory.source_shape == shape.id) return;
  memory.source_shape = shape.id;
  SourceOfRows source{shape.server, {}};
  for (const std::string* part : {&shape.database, &shape.schema, &shape.table}) {
    if (!part->empty()) source.table += (source.table.empty() ? "" : ".") + *part;
  }
  const auto found = std::find(sources_->begin(), sources_->end(), source);
  memory.source = static_cast<uint32_t>(found - sources_->begin());
  if (found != sources_->end()) return;
  auto more = std::make_shared<std::vector<SourceOfRows>>(*sources_);
  more->push_back(std::move(source));
  sources_ = std::move(more);
}

bool RowFolder::key_of(const std::vector<cdcrt_cell>& cells, std::string& key) const {
  key.clear();
  for (const uint32_t slot : knowledge_.key()) {
    if (slot >= cells.size() || cells[slot].tag <= CDCRT_NULL) return false;
    types::append_key(key, cells[slot]);
  }
  return true;
}

std::string RowFolder::missing_key(const std::vector<cdcrt_cell>& cells) const {
  for (const uint32_t slot : knowledge_.key()) {
    if (slot < cells.size() && cells[slot].tag > CDCRT_NULL) continue;
    const bool null = slot < cells.size() && cells[slot].tag == CDCRT_NULL;
    return "column '" + knowledge_.columns()[slot].source_name + "' of the primary key is " + (null ? "null" : "not in the event");
  }
  return "the table has no key";
}

std::string RowFolder::key_advice(uint8_t operation) const {
  if (operation == CDCRT_DELETE && !identity_.route.primary_key.empty()) {
    return "a delete must carry the route's primary_key: in the message key, or in a complete image of the row (REPLICA IDENTITY FULL or its like)";
  }
  return "check primary_key in the route, or the key of the source table";
}

// A later change of the row tells whether the refused one is made good: by the keys that it has, and had.
void RowFolder::note_refused(const Incoming& in, const evolution::ShapeMap& map) {
  const cdcrt_row& row = in.row;
  const int64_t offset = in.offset;
  RowMemory& memory = in.into.memory();
  Fold& fold = in.into.fold();
  if (identity_.events || knowledge_.key().empty()) return;
  std::string own, old;
  const auto key_from = [&](uint32_t image, std::string& key) {
    std::vector<cdcrt_cell> cells;
    Error ignored;
    if (!read_key(in, map, in.cells(image), cells, ignored) || !key_of(cells, key)) key.clear();
  };
  converter_.learn(false);
  key_from(row.cells, own);
  if (row.operation == CDCRT_UPDATE && row.before != CDCRT_NO_CELLS) key_from(row.before, old);
  // Known by its old key alone, a replay would take the row away and bring nothing.
  if (own.empty()) return;
  const cdcrt_cell* const cells = in.cells(row.cells);
  const bool whole = row.operation != CDCRT_UPDATE ||
                     std::none_of(cells, cells + in.shape.columns.size(), [](const auto& cell) { return cell.tag == CDCRT_ABSENT; });
  note_source(memory, in.shape);
  fold.refuse(own, offset, order_of(in.into), whole, memory.source);
  if (!old.empty() && old != own) fold.refuse(old, offset, order_of(in.into), true, memory.source);
}

// Equal keys of two source tables name two rows.
Entry* RowFolder::after_other_keys(Fold& fold, Entry* place, bool& added, bool is_told, uint32_t source, int64_t offset) {
  image_scratch_.clear();
  for (const uint32_t slot : knowledge_.message_key())
    types::append_key(image_scratch_, slot < scratch_.size() ? scratch_[slot] : cdcrt_cell{});
  uint32_t& last = fold.last_of(image_scratch_);
  if (!is_told && !added && last != UINT32_MAX && last != fold.index_of(*place) && fold.entries()[last].source == source) {
    const bool after_whole = place->effect != Effect::kPatch || place->after_whole;
    place = &fold.succeed(*place, offset);
    place->after_whole = after_whole;
    added = true;
  }
  last = fold.index_of(*place);
  return place;
}

// `scratch_` and `key_scratch_` hold the event's own row and key.
bool RowFolder::note_key_change(const Incoming& in, const evolution::ShapeMap& map, Entry& entry, Error& error) {
  const cdcrt_row& row = in.row;
  // Only an event that lacks something of its own row continues the one that left.
  const bool lacks = std::any_of(map.slots.begin(), map.slots.end(),
                                 [&](int32_t slot) { return slot >= 0 && scratch_[static_cast<uint32_t>(slot)].tag == CDCRT_ABSENT; });
  std::string other_key;
  error = {};
  if (!read_key(in, map, in.cells(row.other_key), before_scratch_, error) || !key_of(before_scratch_, other_key)) {
    // A delete takes the row away under the key that it had; what comes under the new one is refused by itself.
    return row.operation == CDCRT_DELETE || !lacks;
  }
  Fold& fold = in.into.fold();
  if (row.operation != CDCRT_DELETE) {
    if (entry.key_insert >= 0) fold.key_inserts[static_cast<std::size_t>(entry.key_insert)].over = true;
    entry.key_insert = static_cast<int32_t>(fold.key_inserts.size());
    KeyInsert& key_insert = fold.key_inserts.emplace_back();
    key_insert.old_key = fold.own_key(other_key);
    key_insert.new_key = entry.key;
    key_insert.deletes_before = static_cast<uint32_t>(fold.key_deletes.size());
    for (uint32_t slot = 0; lacks && slot < scratch_.size(); ++slot) {
      if (scratch_[slot].tag == CDCRT_ABSENT && knowledge_.columns()[slot].active) key_insert.slots.push_back(slot);
    }
    return true;
  }
  KeyDelete key_delete;
  key_delete.old_key = entry.key;
  key_delete.new_key = fold.own_key(other_key);
  key_delete.width = static_cast<uint32_t>(before_scratch_.size());
  key_delete.old_cells = fold.own_cells(scratch_.data(), key_delete.width);
  key_delete.new_cells = fold.own_cells(before_scratch_.data(), key_delete.width);
  key_delete.effect = entry.effect;
  key_delete.cells = fold.own_cells(entry.cells, entry.width);
  key_delete.cells_width = entry.width;
  key_delete.nulls_from = entry.nulls_from;
  key_delete.key_insert = entry.key_insert;
  key_delete.order = fold.own_key(order_of(in.into));
  fold.key_deletes.push_back(key_delete);
  return true;
}

}  // namespace cdcrt::apply
