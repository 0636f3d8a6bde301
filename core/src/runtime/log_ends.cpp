#include "runtime/log_ends.hpp"

#include <algorithm>
#include <map>

namespace cdcrt::runtime {
namespace {

constexpr auto kBetweenLooks = std::chrono::milliseconds(5'000);
constexpr std::size_t kAtOnce = 500;
constexpr auto kBetweenQuestions = std::chrono::milliseconds(20);
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

// False: it is to end.
bool LogEnds::look(SourceRuntime& source, const std::vector<const progress::Partition*>& partitions) {
  for (std::size_t first = 0; first < partitions.size(); first += kAtOnce) {
    const std::size_t count = std::min(kAtOnce, partitions.size() - first);
    std::vector<progress::PartitionKey> keys;
    for (std::size_t i = first; i < first + count; ++i) keys.push_back(partitions[i]->key());
    const auto bounds = source.bounds_of(keys);
    for (std::size_t i = 0; i < count; ++i) {
      if (const auto told = bounds.find(keys[i]); told != bounds.end()) note(*partitions[first + i], told->second.end);
    }
    if (!pause(kBetweenQuestions)) return false;
    for (std::size_t i = 0; i < count && bounds.size() < count; ++i) {
      if (bounds.contains(keys[i]) || source.outage()) continue;
      if (const auto alone = source.source().bounds(keys[i].topic, keys[i].number)) note(*partitions[first + i], alone->end);
      if (!pause(kBetweenQuestions)) return false;
    }
  }
  return true;
}

void LogEnds::note(const progress::Partition& partition, int64_t end) {
  const std::lock_guard lock(mutex_);
  ends_[&partition] = end;
}

void LogEnds::work() {
  while (!stopping_) {
    const auto begun = Monitor::Clock::now();
    std::map<std::size_t, std::vector<const progress::Partition*>> ours;
    for (const Flow* flow : flows_.all()) {
      const progress::Partition& partition = flow->partition;
      if (partition.is_assigned() && partition.owned()) ours[flow->source_index].push_back(&partition);
    }
    for (const auto& [index, partitions] : ours) {
      // Also while a part of the source is away: the lag of the others goes on.
      if (!look(*sources_[index], partitions)) return;
    }
    // The first time as soon as there are partitions.
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Monitor::Clock::now() - begun);
    if (!pause(ends_.empty() ? kNap : std::max(kNap, kBetweenLooks - took))) return;
  }
}

}  // namespace cdcrt::runtime
