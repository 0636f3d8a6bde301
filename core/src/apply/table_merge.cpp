// What other processes of the pipeline changed: knowledge, key changes, truncates.
#include <algorithm>

#include "apply/table.hpp"
#include "types/convert.hpp"
#include "types/type.hpp"

namespace cdcrt::apply {

void Table::count_foreign(const progress::StoredTable& stored) {
  foreign_partitions_.clear();
  for (const auto& [key, position] : stored.progress) {
    const bool ours = std::any_of(partitions_.begin(), partitions_.end(), [&key = key](const auto& each) {
      const progress::Partition& partition = *each.first;
      return partition.number() == key.number && partition.topic() == key.topic && partition.source() == key.source;
    });
    if (!ours) foreign_partitions_.push_back(key);
  }
}

void Table::merge(const progress::StoredTable& stored, Sealed& sealed) {
  const std::lock_guard lock(mutex_);
  count_foreign(stored);
  std::string others;
  for (const auto& [key, position] : stored.progress) others = std::max(others, position.order);
  const auto returned = knowledge_.merge(stored.columns, stored.key_known, others);
  follow_schema_changes();
  for (const uint32_t slot : returned) read_again_after(knowledge_.columns()[slot].dropped_at, sealed);
  const bool is_known = by_source_ && sealed.by_source;
  if (stored.by_source && !is_known && identity_.keeps_rows() && identity_.route.ordering != route::Ordering::kPartition) {
    by_source_ = true;
    read_all_again(sealed);
    sealed.by_source = true;
  }
  target.key_changes = key_changes_from(stored.key_changes, knowledge_.columns());
  sealed.key_changes = target.key_changes;
  target.letters_known = false;
  take_floor(stored.floor, sealed);
  refresh(sealed);
  target.row = stored;
  target.row.columns.clear();
  target.row_known = true;
  for (const evolution::Column& column : stored.columns) {
    if (column.active && column.type.kind != CDCRT_TYPE_UNKNOWN) target.made.emplace(column.target_name, column);
    if (column.adopted) target.adopted.insert(column.target_name);
  }
}

// A column was dropped at `order` and came back, as another process found. Folded cells of it are gone with the old one, those of later
// events too: they are read again, for the new one.
void Table::read_again_after(const std::string& order, Sealed& sealed) {
  // A truncate among it has sent others back: it is read again with everything.
  const bool truncates = sealed.clear || clear_;
  for (auto& [partition, state] : partitions_) {
    const bool stored = state.next == state.stored_next && !state.sealed_next;
    if (!truncates && (state.max_order <= order || stored)) continue;
    std::erase_if(sealed.partitions, [&](const SealedPartition& part) { return part.partition == state.partition; });
    drop_sealed(state);
  }
  if (!truncates) return;
  sealed.clear = clear_ = false;
  sealed.cleared_by = cleared_by_ = floor_by_ = nullptr;
  floor_ = stored_floor_;
}

// Another process emptied the table: our rows up to the truncate are gone for ever, later ones are read again after it.
void Table::take_floor(const std::string& floor, Sealed& sealed) {
  stored_floor_ = std::max(stored_floor_, floor);
  if (floor <= floor_) {
    // We have read that truncate too, but what is sealed may have come before it.
    if (floor > sealed.floor) drop_before(floor, sealed);
    return;
  }
  floor_ = floor;
  floor_by_ = nullptr;
  forgets_keys = true;
  for (auto& [partition, state] : partitions_) {
    // What is durable was written after the table was emptied, or goes with it: else the lease would not be ours any more.
    if (state.max_order > floor || state.next < state.stored_next) {
      std::erase_if(sealed.partitions, [&](const SealedPartition& part) { return part.partition == state.partition; });
      drop_sealed(state);
      continue;
    }
    state.fold = Fold();
    for (auto& part : sealed.partitions) {
      if (part.partition == state.partition) part.fold = Fold();
    }
  }
  // An earlier truncate of ours was overtaken.
  if (sealed.clear && sealed.floor <= floor) sealed.clear = false;
}

// The caller takes its part out of the Sealed.
void Table::drop_sealed(PartitionState& state) {
  state.first_sealed = -1;
  state.sealed_next.reset();
  drop_unstored(state);
}

void Table::drop_before(const std::string& floor, Sealed& sealed) {
  std::erase_if(sealed.partitions, [&](SealedPartition& part) {
    PartitionState& state = partitions_[part.partition];
    // What a truncate of ours sent back, which was overtaken, stays where it stands.
    if (part.order <= floor && part.next_offset >= state.stored_next) {
      part.fold = Fold();
      return false;
    }
    drop_sealed(state);
    return true;
  });
  sealed.clear = false;
}

// The sealed cells follow the columns as they are now.
void Table::refresh(Sealed& sealed) {
  const auto& columns = knowledge_.columns();
  for (uint32_t slot = 0; slot < sealed.columns.size(); ++slot) {
    const evolution::Column& from = sealed.columns[slot];
    const evolution::Column& to = columns[slot];
    const bool gone = from.active && (!to.active || to.incarnation != from.incarnation);
    if (!gone && types::equal(from.type, to.type)) continue;
    const auto follow = [&](cdcrt_cell* cells, uint32_t width, event::Arena& arena) {
      if (slot >= width) return;
      if (gone) {
        cells[slot] = {};
      } else if (!types::is_ready(cells[slot], to.type, to.type)) {
        if (auto converted = types::convert(cells[slot], from.type, to.type, arena)) cells[slot] = *converted;
      }
    };
    for (auto& part : sealed.partitions) {
      for (Entry& entry : part.fold.entries()) follow(entry.cells, entry.width, part.fold.arena());
      for (Departure& departure : part.fold.departures) {
        follow(departure.old_cells, departure.width, part.fold.arena());
        follow(departure.new_cells, departure.width, part.fold.arena());
        follow(departure.cells, departure.cells_width, part.fold.arena());
      }
    }
  }
  sealed.columns = columns;
  sealed.key = knowledge_.key();
  sealed.key_known = knowledge_.key_known();
  sealed.version = knowledge_.version();
}

}  // namespace cdcrt::apply
