#include "runtime/log_ends.hpp"

#include <algorithm>

namespace cdcrt::runtime {
namespace {

constexpr auto kBetweenLooks = std::chrono::milliseconds(5'000);
constexpr auto kBetweenPartitions = std::chrono::milliseconds(20);
constexpr auto kNap = std::chrono::milliseconds(200);

}  // namespace

void LogEnds::start() {
  const bool any = std::any_of(sources_.begin(), sources_.end(), [](const auto& source) { return source->is_group(); });
  if (any) thread_ = std::thread([this] { work(); });
}

void LogEnds::stop() {
  stopping_ = true;
  monitor_.notify();
  if (thread_.joinable()) thread_.join();
}

std::optional<int64_t> LogEnds::end(const progress::Partition& partition) const {
  const std::lock_guard lock(mutex_);
  const auto found = ends_.find(&partition);
  return found == ends_.end() ? std::nullopt : std::optional(found->second);
}

// False: it is to end.
bool LogEnds::pause(std::chrono::milliseconds time) {
  const auto until = Monitor::Clock::now() + time;
  while (!stopping_ && Monitor::Clock::now() < until) {
    monitor_.news.wait_once([this] { return stopping_.load(); }, std::min<Monitor::Clock::duration>(kNap, until - Monitor::Clock::now()));
  }
  return !stopping_;
}

void LogEnds::work() {
  while (!stopping_) {
    const auto begun = Monitor::Clock::now();
    for (const Flow* flow : flows_.all()) {
      const progress::Partition& partition = flow->partition;
      SourceRuntime& source = *sources_[flow->source_index];
      if (!partition.is_assigned() || !partition.owned() || source.outage()) continue;
      auto bounds = source.source().bounds(partition.topic(), partition.number());
      if (bounds) {
        const std::lock_guard lock(mutex_);
        ends_[&partition] = bounds->end;
      }
      if (!pause(kBetweenPartitions)) return;
    }
    // The first time as soon as there are partitions.
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Monitor::Clock::now() - begun);
    if (!pause(ends_.empty() ? kNap : std::max(kNap, kBetweenLooks - took))) return;
  }
}

}  // namespace cdcrt::runtime
