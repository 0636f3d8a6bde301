// What other processes of the pipeline changed: knowledge, truncates, the order in which rows are kept.
#include <algorithm>

#include "apply/table_fold.hpp"
#include "event/log_order.hpp"
#include "types/convert.hpp"
#include "types/type.hpp"

namespace cdcrt::apply {

void TableFold::count_foreign(const progress::StoredTable& stored) {
  foreign_partitions_.clear();
  for (const auto& [key, position] : stored.progress) {
    const bool ours = std::any_of(partitions_.begin(), partitions_.end(), [&key = key](const auto& each) {
      const progress::Partition& partition = *each.first;
      return partition.number() == key.number && partition.topic() == key.topic && partition.source() == key.source;
    });
    if (!ours) foreign_partitions_.push_back(key);
  }
}

bool TableFold::merge(const progress::StoredTable& stored, Sealed& sealed) {
  count_foreign(stored);
  std::string others;
  for (const auto& [key, position] : stored.progress) event::raise_order(others, position.order);
  const std::size_t known = knowledge_.columns().size();
  const auto returned = knowledge_.merge(stored.columns, stored.key_known, others);
  restore_sightings(stored);
  if (stored.told_keyless) knowledge_.restore_told_keyless();
  take_definition_topic(stored);
  follow_schema_changes();
  for (const uint32_t slot : returned) read_again_after(knowledge_.columns()[slot].dropped_at, sealed);
  read_again_what_lacks(known, sealed);
  const bool is_known = by_source_ && sealed.by_source;
  if (stored.by_source && !is_known && identity_.keeps_rows() && identity_.route.ordering != route::Ordering::kPartition) {
    set_by_source(true);
    read_all_again(sealed);
    sealed.by_source = true;
  }
  const bool is_emptied = take_floor(stored.floor, sealed);
  refresh(sealed);
  return is_emptied;
}

// A whole row that lacks a column says that it was dropped or renamed, and sets it to NULL. What was folded before the column was known
// here did not say so, except where events leave NULLs out.
void TableFold::read_again_what_lacks(std::size_t first_new, Sealed& sealed) {
  const bool follows = !knowledge_.key().empty() && identity_.route.schema_changes == route::SchemaChanges::kEvolve;
  if (!identity_.keeps_rows() || !follows) return;
  const bool leaves_nulls_out = std::any_of(sealed.partitions.begin(), sealed.partitions.end(),
                                            [](const SealedPartition& part) { return part.fold.may_leave_nulls_out(); });
  if (leaves_nulls_out) return;
  for (std::size_t slot = first_new; slot < knowledge_.columns().size(); ++slot) {
    const evolution::Column& column = knowledge_.columns()[slot];
    if (column.active && !column.last_seen.empty() && column.last_seen != evolution::kUnplaced) read_again_after(column.last_seen, sealed);
  }
}

void TableFold::forget_truncate(Sealed& sealed) {
  truncation_.forget();
  sealed.clear = false;
  sealed.cleared_by = nullptr;
}

// A column was dropped at `order` and came back, as another process found. Folded cells of it are gone with the old one, those of later
// events too: they are read again, for the new one.
void TableFold::read_again_after(const std::string& order, Sealed& sealed) {
  // A truncate among it has sent others back: it is read again with everything.
  const bool truncates = sealed.clear || truncation_.is_due();
  for (auto& [partition, of] : each_partition()) {
    if (!truncates && (!event::may_be_after(of.max_order(), order) || of.is_stored())) continue;
    std::erase_if(sealed.partitions, [&](const SealedPartition& part) { return part.partition == &of.partition(); });
    drop_sealed(of);
  }
  if (!truncates) return;
  forget_truncate(sealed);
}

// What was folded by partition does not say which of its changes came when.
void TableFold::read_all_again(Sealed& sealed) {
  for (auto& [partition, of] : each_partition()) {
    std::erase_if(sealed.partitions, [&](const SealedPartition& part) { return part.partition == &of.partition(); });
    drop_sealed(of);
  }
  forget_truncate(sealed);
}

// Another process emptied the table: our rows up to the truncate are gone for ever, later ones are read again after it. True: it was not
// known of here.
bool TableFold::take_floor(const std::string& floor, Sealed& sealed) {
  if (!floor.empty() && !is_of_log_of_truncate(floor)) {
    read_all_again(sealed);
    return false;
  }
  if (!truncation_.take(floor)) {
    // We have read that truncate too, but what is sealed may have come before it.
    if (event::is_after(floor, sealed.floor)) drop_before(floor, sealed);
    return false;
  }
  for (auto& [partition, of] : each_partition()) {
    // What is durable was written after the table was emptied, or goes with it: else the lease would not be ours any more.
    if (event::may_be_after(of.max_order(), floor) || of.is_behind()) {
      std::erase_if(sealed.partitions, [&](const SealedPartition& part) { return part.partition == &of.partition(); });
      drop_sealed(of);
      continue;
    }
    of.drop_fold();
    for (auto& part : sealed.partitions) {
      if (part.partition == &of.partition()) part.fold = Fold();
    }
  }
  // An earlier truncate of ours was overtaken.
  if (sealed.clear && !event::is_after(sealed.floor, floor)) sealed.clear = false;
  return true;
}

void TableFold::drop_before(const std::string& floor, Sealed& sealed) {
  std::erase_if(sealed.partitions, [&](SealedPartition& part) {
    PartitionFold& of = partition(*part.partition, false);
    // What a truncate of ours sent back, which was overtaken, stays where it stands.
    if (!event::may_be_after(part.order, floor) && part.next_offset >= of.stored_next()) {
      part.fold = Fold();
      return false;
    }
    drop_sealed(of);
    return true;
  });
  sealed.clear = false;
}

// The sealed cells follow the columns as they are now.
void TableFold::refresh(Sealed& sealed) {
  const auto& columns = knowledge_.columns();
  // Renamed since the batch was sealed: what it has under the new name is the renamed column's. Of two renames the later one's cells stand.
  for (evolution::Merge merge : knowledge_.merges()) {
    if (merge.from >= sealed.columns().size() || !sealed.columns()[merge.from].active) continue;
    merge.type = sealed.columns()[merge.from].type;
    for (auto& part : sealed.partitions) merge_cells(part.fold, merge, columns[merge.into].type);
  }
  for (uint32_t slot = 0; slot < sealed.columns().size(); ++slot) {
    const evolution::Column& from = sealed.columns()[slot];
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
      for (KeyDelete& key_delete : part.fold.key_deletes) {
        follow(key_delete.old_cells, key_delete.width, part.fold.arena());
        follow(key_delete.new_cells, key_delete.width, part.fold.arena());
        follow(key_delete.cells, key_delete.cells_width, part.fold.arena());
      }
    }
  }
  for (auto& part : sealed.partitions) part.fold.write_out_nulls(columns);
  sealed.shared_columns = knowledge_.share_columns();
  sealed.key = knowledge_.key();
  sealed.key_known = knowledge_.key_known();
  sealed.told_keyless = knowledge_.is_told_keyless();
  sealed.definition_topic = definition_topic_;
  sealed.version = knowledge_.version();
}

}  // namespace cdcrt::apply
