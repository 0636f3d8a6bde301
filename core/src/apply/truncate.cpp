// What reaches back to rows folded before: a truncate, and changes of types and columns (4.1, 4.2).
#include <algorithm>

#include "apply/table.hpp"
#include "types/convert.hpp"

namespace cdcrt::apply {
namespace {

// The same number has the same bytes in a key, whatever its type.
bool is_number(cdcrt_type type) { return type.kind >= CDCRT_TYPE_INT8 && type.kind <= CDCRT_TYPE_DECIMAL; }

}  // namespace

void Table::truncate(PartitionState& state, std::string_view order, int64_t offset) {
  const bool unordered = !by_source_ && std::any_of(partitions_.begin(), partitions_.end(), [](const auto& each) { return each.second.unordered; });
  if (partitions_.size() > 1 && (order.empty() || unordered)) {
    stop_locked("a truncate at " + state.partition->name() + " offset " + std::to_string(offset) +
                " cannot be placed among the table's rows of other partitions: " +
                (order.empty() ? "it carries no source order" : "some of them carry no source order"));
    return;
  }
  // Partitions need not be in source order, this one either.
  const std::string at(by_source_ ? order : std::string_view(state.max_order));
  if (!by_source_) state.fold = Fold();
  for (auto& [partition, other] : partitions_) {
    if (&other == &state && !by_source_) continue;
    if (other.max_order > at) {
      rewind_past(other, at);
    } else {
      other.fold = Fold();
    }
  }
  clear_ = true;
  cleared_by_ = floor_by_ = state.partition;
  floor_ = at;
}

// Rows of this partition later than the truncate were folded or written already: they are read again after it.
void Table::rewind_past(PartitionState& state, std::string_view order) {
  int64_t from = 0;  // the beginning of the log, wherever that is by now
  while (!state.marks.empty() && state.marks.back().first > order) state.marks.pop_back();
  if (!state.marks.empty()) from = state.marks.back().second;
  state.fold = Fold();
  if (state.is_detached) state.missed_next = std::max(state.missed_next, state.next);
  state.next = from;
  state.first_held = from;
  state.max_order.assign(state.marks.empty() ? progress::kSentBack : std::string_view(state.marks.back().first));
  state.last_order.assign(state.marks.empty() ? std::string_view() : state.max_order);
  if (!state.is_detached) state.min_generation = state.partition->rewind(from);
}

void Table::follow_schema_changes() {
  if (!knowledge_.has_changes()) return;
  const std::vector<evolution::TypeChange> changes = knowledge_.take_type_changes();
  for (const auto& change : changes) {
    const auto follow = [&](cdcrt_cell* cells, uint32_t width, event::Arena& arena) {
      // The cell that taught the type has it already.
      if (change.slot >= width || types::is_ready(cells[change.slot], change.to, change.to)) return;
      if (auto converted = types::convert(cells[change.slot], change.from, change.to, arena)) cells[change.slot] = *converted;
    };
    for (auto& [partition, state] : partitions_) {
      Fold& fold = state.fold;
      for (Entry& entry : fold.entries()) follow(entry.cells, entry.width, fold.arena());
      for (Departure& departure : fold.departures) {
        follow(departure.old_cells, departure.width, fold.arena());
        follow(departure.new_cells, departure.width, fold.arena());
        follow(departure.cells, departure.cells_width, fold.arena());
      }
    }
    for (auto* scratch : {&scratch_, &before_scratch_}) follow(scratch->data(), static_cast<uint32_t>(scratch->size()), conversion_);
  }
  const std::vector<uint32_t> drops = knowledge_.take_drops();
  // A column that comes back later is another one: what was folded for the old one goes with it.
  for (const uint32_t slot : drops) {
    for (auto& [partition, state] : partitions_) {
      for (Entry& entry : state.fold.entries()) {
        if (slot < entry.width && !identity_.events) entry.cells[slot] = {};
      }
      for (Departure& departure : state.fold.departures) {
        if (slot < departure.cells_width) departure.cells[slot] = {};
      }
    }
  }
  follow_keys(changes, !drops.empty());
}

void Table::follow_keys(const std::vector<evolution::TypeChange>& changes, bool drops) {
  if (!identity_.keeps_rows()) return;
  const std::vector<uint32_t>& key_slots = knowledge_.key();
  const bool is_concerned = std::any_of(changes.begin(), changes.end(), [&](const auto& change) {
    return !is_number(change.to) && (key_slots.empty() || knowledge_.columns()[change.slot].key_ordinal > 0);
  });
  if (!is_concerned && !(drops && key_slots.empty())) return;
  const auto key_of = [&](const cdcrt_cell* cells, uint32_t width, std::string& key) {
    if (key_slots.empty()) return append_image_key(cells, width, key);
    const bool is_whole = std::all_of(key_slots.begin(), key_slots.end(), [&](uint32_t slot) { return slot < width && cells[slot].tag > CDCRT_NULL; });
    if (!is_whole) return;
    for (const uint32_t slot : key_slots) types::append_key(key, cells[slot]);
  };
  for (auto& [partition, state] : partitions_) state.fold.rekey(key_of);
}

}  // namespace cdcrt::apply
