// Truncates and changes of types and columns, which affect rows that are buffered already (4.1, 4.2).
#include <algorithm>
#include <vector>

#include "apply/table_fold.hpp"
#include "event/log_order.hpp"
#include "types/convert.hpp"

namespace cdcrt::apply {
namespace {

// The same number has the same bytes in a key, whatever its type.
bool is_number_type(cdcrt_type type) { return type.kind >= CDCRT_TYPE_INT8 && type.kind <= CDCRT_TYPE_DECIMAL; }

}  // namespace

void merge_cells(Fold& fold, const evolution::Merge& merge, cdcrt_type type) {
  const auto concerns = [&](const cdcrt_cell* cells, uint32_t width) {
    return cells != nullptr && merge.from < width && cells[merge.from].tag != CDCRT_ABSENT;
  };
  const auto follow = [&](cdcrt_cell* cells, uint32_t width, bool leaves_nulls_out = false) {
    if (!concerns(cells, width)) return;
    cdcrt_cell& from = cells[merge.from];
    // Where events leave NULLs out, a row of the former name is NULL under the new one.
    if ((leaves_nulls_out || merge.keeps_over_null) && from.tag == CDCRT_NULL && cells[merge.into].tag != CDCRT_ABSENT) {
      from = {};
      return;
    }
    if (types::is_ready(from, type, type)) {
      cells[merge.into] = from;
    } else if (auto converted = types::convert(from, merge.type, type, fold.arena())) {
      cells[merge.into] = *converted;
    }
    from = {};
  };
  // What was folded before the renamed column was known is narrower.
  const uint32_t wide = merge.into + 1;
  for (Entry& entry : fold.entries()) {
    if (concerns(entry.cells, entry.width)) fold.widen(entry, wide);
    follow(entry.cells, entry.width, entry.nulls_from != UINT32_MAX);
  }
  for (KeyDelete& key_delete : fold.key_deletes) {
    const bool keys_are_concerned = concerns(key_delete.old_cells, key_delete.width) || concerns(key_delete.new_cells, key_delete.width);
    if (keys_are_concerned) {
      uint32_t width = key_delete.width;
      fold.widen(key_delete.old_cells, width, wide);
      fold.widen(key_delete.new_cells, key_delete.width, wide);
    }
    if (concerns(key_delete.cells, key_delete.cells_width)) fold.widen(key_delete.cells, key_delete.cells_width, wide);
    follow(key_delete.old_cells, key_delete.width);
    follow(key_delete.new_cells, key_delete.width);
    follow(key_delete.cells, key_delete.cells_width, key_delete.nulls_from != UINT32_MAX);
  }
}

void TableFold::truncate(PartitionFold& into, std::string_view order, int64_t offset) {
  const bool unordered =
      !by_source_ && std::any_of(partitions_.begin(), partitions_.end(), [](const auto& each) { return each.second.is_unordered(); });
  if (partition_count() > 1 && (order.empty() || unordered)) {
    stop("a truncate at " + into.partition().name() + " offset " + std::to_string(offset) +
         " cannot be placed among the table's rows of other partitions: " +
         (order.empty() ? "it carries no source order" : "some of them carry no source order"));
    return;
  }
  // Partitions need not be in source order, this one either.
  const std::string at(by_source_ ? order : std::string_view(into.max_order()));
  if (!by_source_) into.drop_fold();
  for (auto& [partition, other] : each_partition()) {
    if (&other == &into && !by_source_) continue;
    if (event::may_be_after(other.max_order(), at)) {
      other.rewind_past(at);
    } else {
      other.drop_fold();
    }
  }
  truncation_.read(into.partition(), at);
}

void TableFold::follow_schema_changes() {
  if (!knowledge_.has_changes()) return;
  const std::vector<evolution::TypeChange> changes = knowledge_.take_type_changes();
  for (const auto& change : changes) {
    const auto follow = [&](cdcrt_cell* cells, uint32_t width, event::Arena& arena) {
      // The cell that taught the type has it already.
      if (change.slot >= width || types::is_ready(cells[change.slot], change.to, change.to)) return;
      if (auto converted = types::convert(cells[change.slot], change.from, change.to, arena)) cells[change.slot] = *converted;
    };
    for (auto& [partition, of] : each_partition()) {
      Fold& fold = of.fold();
      for (Entry& entry : fold.entries()) follow(entry.cells, entry.width, fold.arena());
      for (KeyDelete& key_delete : fold.key_deletes) {
        follow(key_delete.old_cells, key_delete.width, fold.arena());
        follow(key_delete.new_cells, key_delete.width, fold.arena());
        follow(key_delete.cells, key_delete.cells_width, fold.arena());
      }
    }
    folder_.follow(change);
  }
  const std::vector<evolution::Merge> merges = knowledge_.take_merges();
  for (const evolution::Merge& merge : merges) {
    for (auto& [partition, of] : each_partition()) merge_cells(of.fold(), merge, knowledge_.columns()[merge.into].type);
  }
  const std::vector<uint32_t> drops = knowledge_.take_drops();
  // A column that comes back later is another one: what was folded for the old one goes with it.
  for (const uint32_t slot : drops) {
    for (auto& [partition, of] : each_partition()) {
      for (Entry& entry : of.fold().entries()) {
        if (slot < entry.width && !identity_.events) entry.cells[slot] = {};
      }
      for (KeyDelete& key_delete : of.fold().key_deletes) {
        if (slot < key_delete.cells_width) key_delete.cells[slot] = {};
      }
    }
  }
  follow_keys(changes, !drops.empty() || !merges.empty());
}

void TableFold::follow_keys(const std::vector<evolution::TypeChange>& changes, bool drops) {
  if (!identity_.keeps_rows()) return;
  const std::vector<uint32_t>& key_slots = knowledge_.key();
  const bool is_concerned = std::any_of(changes.begin(), changes.end(), [&](const auto& change) {
    return !is_number_type(change.to) && (key_slots.empty() || knowledge_.columns()[change.slot].key_ordinal > 0);
  });
  if (!is_concerned && !(drops && key_slots.empty())) return;
  const auto key_of = [&](const cdcrt_cell* cells, uint32_t width, std::string& key) {
    if (key_slots.empty()) return folder_.append_image_key(cells, width, key);
    const bool is_whole =
        std::all_of(key_slots.begin(), key_slots.end(), [&](uint32_t slot) { return slot < width && cells[slot].tag > CDCRT_NULL; });
    if (!is_whole) return;
    for (const uint32_t slot : key_slots) types::append_key(key, cells[slot]);
  };
  for (auto& [partition, of] : each_partition()) of.fold().rekey(key_of);
}

}  // namespace cdcrt::apply
