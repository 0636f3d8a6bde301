// A table whose rows are kept in source order (decision 0033): what it folds, and when it becomes one.
#include <algorithm>

#include "apply/table.hpp"

namespace cdcrt::apply {

// A row of a snapshot may lack an order: it is older than everything.
bool Table::take_row_order(PartitionState& state, const cdcrt_row& row, int64_t offset) {
  if (row.source_order.data != nullptr) {
    state.row_order.assign(row.source_order.data, row.source_order.size);
  } else if (row.operation == CDCRT_SNAPSHOT || row.operation == CDCRT_DEFINITION) {
    state.row_order.clear();
  } else {
    stop_locked("the table is kept in source order, and the event at " + state.partition->name() + " offset " + std::to_string(offset) +
                " carries no source order: which of two changes of a row is newer cannot be told. Have the source say it (lsn, binlog position), or send all "
                "changes of a key to one partition and set ordering = \"partition\" in the route");
    return false;
  }
  if (state.row_order > state.max_order) state.max_order = state.row_order;
  // Of what a truncate has emptied the table of, nothing comes back. A row of a snapshot without an order was read when its partition stood
  // where it stands.
  const bool is_row = row.operation != CDCRT_DEFINITION;
  const std::string& at = state.row_order.empty() ? state.last_order : state.row_order;
  return !is_row || floor_.empty() || at > floor_;
}

Entry* Table::place_by_source(PartitionState& state, Entry* found, bool& added, bool whole, bool snapshot, int64_t offset) {
  const std::string& order = state.row_order;
  if (!added && whole && found->effect != Effect::kPatch) {
    const bool is_older = order < found->order || (order == found->order && snapshot && !found->snapshot);
    if (is_older) return nullptr;
  } else if (!added) {
    found = &state.fold.succeed(*found, offset);
    added = true;
  }
  found->snapshot = snapshot;
  return found;
}

// From the row that is being folded on. What other partitions hold is read again, in source order.
void Table::begin_source_order(PartitionState& current) {
  by_source_ = true;
  for (auto& [partition, state] : partitions_) {
    if (&state == &current || (state.fold.empty() && state.fold.refused.empty())) continue;
    drop_unstored(state);
  }
}

bool Table::has_one_source() const {
  const std::lock_guard lock(mutex_);
  // Where a message's key may come from several partitions it may be the key of several rows: of shards, for instance.
  if (partitions_.size() + foreign_partitions_.size() > 1) return false;
  const bool has_siblings = std::any_of(partitions_.begin(), partitions_.end(),
                                        [](const auto& each) { return each.first->is_assigned() && each.first->may_have_siblings(); });
  if (has_siblings) return false;
  const route::Route& route = identity_.route;
  return !route.names_target || (!route.shares_targets && route.names_one_table() && sources_.size() <= 1 && !partitions_.empty());
}

// What was folded by partition does not say which of its changes came when.
void Table::read_all_again(Sealed& sealed) {
  for (auto& [partition, state] : partitions_) {
    std::erase_if(sealed.partitions, [&](const SealedPartition& part) { return part.partition == state.partition; });
    drop_sealed(state);
  }
  sealed.clear = clear_ = false;
  sealed.cleared_by = cleared_by_ = floor_by_ = nullptr;
  floor_ = stored_floor_;
}

}  // namespace cdcrt::apply
