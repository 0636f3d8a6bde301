// A table that stalls is detached, and read back to the rest.
#include <algorithm>
#include <utility>

#include "apply/table.hpp"

namespace cdcrt::apply {

// What was known of rows that are dropped now is not known any more.
void Table::back_to(PartitionState& state, int64_t next, const std::string& order) {
  state.fold = Fold();
  state.next = next;
  state.max_order = order;
  state.last_order = order == progress::kSentBack ? std::string() : order;
  while (!state.marks.empty() && state.marks.back().second > next) state.marks.pop_back();
  if (state.marks.empty() || state.marks.back().first < order) state.marks.emplace_back(order, next);
}

// The same for one partition while the table goes on: what is dropped is read again.
void Table::drop_unstored(PartitionState& state) {
  const int64_t next = state.next;
  if (state.sealed_next) {
    back_to(state, *state.sealed_next, state.sealed_order);
  } else {
    back_to(state, state.stored_next, state.stored_order);
  }
  if (state.apart) {
    state.missed_next = std::max(state.missed_next, next);
    state.first_held = state.missed_next > state.next ? state.next : -1;
  } else if (state.next < next) {
    state.first_held = state.next;
    state.min_generation = state.partition->rewind(state.next);
    // Where nothing more comes for the table, sealing alone tells that it holds nothing back.
    if (!std::exchange(dirty_, true)) dirty_since_ = std::chrono::steady_clock::now();
  } else {
    state.first_held = -1;
  }
}

void Table::detach(const std::string& reason, const Sealed* sealed) {
  const std::lock_guard lock(mutex_);
  if (sealed != nullptr) {
    writing_ = false;
    if (identity_.memory != nullptr) identity_.memory->fetch_sub(static_cast<int64_t>(sealed->bytes));
  }
  detached_ = reason;
  for (auto& [partition, state] : partitions_) {
    state.missed_next = skipped_ ? 0 : std::max(state.missed_next, state.next);
    back_to(state, state.stored_next, state.stored_order);
    state.first_sealed = -1;
    state.sealed_next.reset();
    state.first_held = state.missed_next > state.next ? state.next : -1;
    state.apart = true;
  }
  // The truncate, if one waited, is read again as well.
  clear_ = false;
  cleared_by_ = nullptr;
  floor_ = stored_floor_;
  floor_by_ = nullptr;
  dirty_ = false;
  account();
  tell_trouble();
}

void Table::begin_at(const progress::PartitionKey& key, int64_t first) {
  const std::lock_guard lock(mutex_);
  for (auto& [partition, state] : partitions_) {
    if (state.fresh || state.next != 0 || partition->key() != key) continue;
    state.next = state.stored_next = first;
    if (!state.marks.empty()) state.marks.back().second = first;
  }
}

std::string Table::detached() const {
  const std::lock_guard lock(mutex_);
  return detached_;
}

bool Table::is_detached() const {
  const std::lock_guard lock(mutex_);
  return !detached_.empty();
}

uint64_t Table::times_written() const {
  const std::lock_guard lock(mutex_);
  return times_written_;
}

std::vector<Table::Missed> Table::missed() const {
  const std::lock_guard lock(mutex_);
  std::vector<Missed> missed;
  for (const auto& [partition, state] : partitions_) {
    if (state.apart && state.next < state.missed_next) missed.push_back({state.partition, state.next, state.missed_next});
  }
  return missed;
}

// Null unless what is read back goes on exactly where the table stands: it may have been lost, claimed again or rewound since.
Table::PartitionState* Table::missing_from(const progress::Partition& partition, int64_t from) {
  const auto found = partitions_.find(&partition);
  if (found == partitions_.end() || !stopped_.empty() || !partition.owned()) return nullptr;
  PartitionState& state = found->second;
  const bool goes_on = state.apart && state.session == partition.session() && state.next == from && state.next < state.missed_next;
  return goes_on ? &state : nullptr;
}

bool Table::read_back(const Batch& batch, int64_t from, const uint32_t* rows, std::size_t count, const RefusalHandler& refused) {
  const std::lock_guard lock(mutex_);
  PartitionState* state = missing_from(batch.partition, from);
  if (state == nullptr) return false;
  fold_rows(batch, *state, rows, count, refused);
  return state->next == batch.next_offset;
}

void Table::read_back_to(progress::Partition& partition, int64_t from, int64_t next_offset) {
  const std::lock_guard lock(mutex_);
  PartitionState* state = missing_from(partition, from);
  if (state == nullptr || next_offset <= state->next) return;
  state->next = std::min(next_offset, state->missed_next);
  if (!state->marks.empty()) state->marks.back().second = state->next;
  dirty_ = true;
}

bool Table::reattach() {
  const std::lock_guard lock(mutex_);
  if (writing_ || dirty_) return false;
  for (const auto& [partition, state] : partitions_) {
    if (state.next < state.missed_next) return false;
  }
  for (auto& [partition, state] : partitions_) {
    state.apart = false;
    state.missed_next = 0;
    state.first_held = -1;
  }
  detached_.clear();
  paused_ = false;
  if (identity_.observer != nullptr) identity_.observer->recovered(*this);
  return true;
}

void Table::pause(bool paused) {
  const std::lock_guard lock(mutex_);
  paused_ = paused;
}

void Table::skip(bool skipped) {
  const std::lock_guard lock(mutex_);
  skipped_ = skipped;
  if (!skipped) return;
  for (auto& [partition, state] : partitions_) {
    state.fold = Fold();
    state.first_held = -1;
    state.missed_next = 0;
  }
  dirty_ = false;
  account();
}

}  // namespace cdcrt::apply
