// Table's facts for those who watch: one look under its lock.
#include <algorithm>
#include <functional>

#include "apply/sink_counts.hpp"
#include "apply/table.hpp"
#include "observe/clock.hpp"

namespace cdcrt::apply {
namespace {

int64_t earlier(int64_t one, int64_t other) { return one == 0 || (other != 0 && other < one) ? other : one; }

}  // namespace

// A batch of the table is durable.
void Table::count_written() {
  const int64_t now = observe::now_us();
  ++times_written_;
  last_commit_us_ = now;
  schema_changes_ = definition_.schema_changes();
  for (std::size_t i = 0; i < applied_bytes_.size(); ++i) applied_bytes_[i] += writing_.bytes[i];
  applied_to_us_ = std::max(applied_to_us_, writing_.newest_us);
  if (identity_.counts == nullptr) return;
  identity_.counts->last_commit_us.store(now, std::memory_order_relaxed);
  if (writing_.oldest_us != 0)
    identity_.counts->delay_seconds.observe(static_cast<double>(std::max<int64_t>(0, now - writing_.oldest_us)) / 1e6);
}

int64_t Table::oldest_unapplied() const {
  int64_t oldest = is_writing_ ? writing_.oldest_us : 0;
  if (fold_.is_dirty()) oldest = earlier(oldest, waiting_intake_.oldest_us);
  // What was missed is read back in order: what comes next is not older than what came last.
  const bool is_missing = fold_.is_missing() || !fold_.stopped().empty();
  return is_missing && missed_.oldest_us != 0 ? earlier(oldest, std::max(missed_.oldest_us, applied_to_us_)) : oldest;
}

Table::Behind Table::behind(const PartitionsNow& partitions) const {
  const std::lock_guard lock(mutex_);
  return behind_of(partitions);
}

Table::Behind Table::behind_of(const PartitionsNow& partitions) const {
  Behind behind;
  for (const auto& [partition, fold] : fold_.partitions()) {
    const auto found = partitions.find(partition);
    if (found == partitions.end() || !found->second.end) continue;
    const int64_t next = fold.first_unapplied().value_or(found->second.next);
    behind.messages = behind.messages.value_or(0) + static_cast<uint64_t>(std::max<int64_t>(0, *found->second.end - next));
    behind.applied += static_cast<uint64_t>(std::max<int64_t>(0, next));
    behind.partitions += std::hash<const void*>()(partition);
  }
  return behind;
}

observe::TableFacts Table::facts(const PartitionsNow& partitions) const {
  using observe::TableState;
  observe::TableFacts facts;
  facts.sink = identity_.sink;
  facts.table = identity_.target();
  facts.source = identity_.source_name;
  facts.route = identity_.route.name;
  facts.overflowed = overflowed_cells();
  facts.late = late_cells();
  facts.left_out = left_out_cells();
  const std::lock_guard lock(mutex_);
  facts.rows = {applied_.inserted, applied_.updated, applied_.deleted};
  facts.bytes = applied_bytes_;
  facts.batches = times_written_;
  facts.schema_changes = schema_changes_;
  facts.buffered_rows = fold_.rows();
  facts.buffered_bytes = fold_.bytes();
  facts.last_commit_us = last_commit_us_;
  facts.reason = fold_.stopped().empty() ? detached_ : fold_.stopped();
  facts.state = !fold_.stopped().empty() ? TableState::kStopped
                : is_skipped_            ? TableState::kSkipped
                : detached_.empty()      ? TableState::kActive
                : is_paused_             ? TableState::kPaused
                : lacks_key_             ? TableState::kWaitingForKey
                                         : TableState::kDetached;
  facts.oldest_unapplied_us = is_skipped_ ? 0 : oldest_unapplied();
  int64_t behind = facts.oldest_unapplied_us;
  for (const auto& [partition, fold] : fold_.partitions()) {
    const auto found = partitions.find(partition);
    if (found == partitions.end()) continue;
    ++facts.partitions;
    const PartitionNow& now = found->second;
    if (!now.is_read()) behind = earlier(behind, now.read_us);
  }
  facts.lag_messages = behind_of(partitions).messages;
  facts.is_loading = is_loading_ && (!facts.lag_messages || *facts.lag_messages > 0 || facts.buffered_rows > 0 || is_writing_);
  facts.lag_seconds = behind == 0 ? 0 : static_cast<double>(std::max<int64_t>(0, observe::now_us() - behind)) / 1e6;
  return facts;
}

}  // namespace cdcrt::apply
