#include "runtime/load_watch.hpp"

#include <algorithm>
#include <functional>

namespace cdcrt::runtime {
namespace {

constexpr uint32_t kSoonerLooks = 12;

}  // namespace

cdcrt_extent extent_of(SourceRuntime& source, const apply::PartitionsNow& partitions) {
  cdcrt_extent extent = source.extent();
  uint64_t left = 0;
  bool has_any = false;
  for (const auto& [partition, now] : partitions) {
    if (partition->source() != source.name()) continue;
    if (!now.end) return extent;
    has_any = true;
    left += static_cast<uint64_t>(std::max<int64_t>(0, *now.end - now.next));
  }
  // A source of files counts bytes, and its partitions have no ends.
  if (has_any) extent.total = extent.done + left;
  return extent;
}

void LoadWatch::measure(Clock::time_point now, const std::vector<std::unique_ptr<SourceRuntime>>& sources,
                        const std::vector<std::unique_ptr<SinkRuntime>>& sinks, const apply::PartitionsNow& partitions) {
  next_ = now + (++measured_ < kSoonerLooks ? observe::TimeLeft::kSooner : observe::TimeLeft::kBetween);
  const std::lock_guard lock(mutex_);
  for (const auto& source : sources) {
    const cdcrt_extent extent = extent_of(*source, partitions);
    if (extent.total == 0) {
      sources_.erase(source.get());
      continue;
    }
    uint64_t owned = 0;  // which they are, whatever their order
    for (const auto& [partition, at] : partitions) {
      if (partition->source() == source->name()) owned += std::hash<const void*>()(partition);
    }
    sources_[source.get()].add(now, extent.done, extent.total - std::min(extent.done, extent.total), owned);
  }
  for (const auto& sink : sinks) {
    for (const apply::Table* table : sink->tables()) {
      const apply::Table::Behind behind = table->behind(partitions);
      if (!behind.messages || *behind.messages == 0) {
        tables_.erase(table);
      } else {
        tables_[table].add(now, behind.applied, *behind.messages, behind.partitions);
      }
    }
  }
}

std::optional<double> LoadWatch::left(const SourceRuntime& source) const {
  const std::lock_guard lock(mutex_);
  const auto found = sources_.find(&source);
  return found == sources_.end() ? std::nullopt : found->second.seconds(Clock::now());
}

std::optional<double> LoadWatch::left(const apply::Table& table) const {
  const std::lock_guard lock(mutex_);
  const auto found = tables_.find(&table);
  return found == tables_.end() ? std::nullopt : found->second.seconds(Clock::now());
}

}  // namespace cdcrt::runtime
