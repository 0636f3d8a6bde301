#include "runtime/log_watch.hpp"

#include <algorithm>

namespace cdcrt::runtime {
namespace {

constexpr auto kMovedInterval = std::chrono::seconds(1);
constexpr auto kRestInterval = std::chrono::seconds(10);
constexpr auto kAfterFailure = std::chrono::seconds(10);
// A look costs some milliseconds of the coordinator's time: with very many partitions each is looked at less often.
constexpr auto kMaxStep = std::chrono::milliseconds(100);
constexpr auto kBetweenSteps = std::chrono::milliseconds(400);

bool has_moved(const progress::Partition& partition) { return partition.last().offset > partition.anchor().offset; }

}  // namespace

Result<void> LogWatch::step() {
  const auto now = Clock::now();
  if (now < next_step_) return {};
  std::vector<std::pair<Flow*, Look*>> due;
  for (Flow* flow : flows_.all()) {
    if (!flow->partition.is_assigned() || !flow->partition.owned() || flow->partition.last().offset < 0) continue;
    Look& look = looks_[flow];
    if (now < look.rests_until) continue;
    if (now - look.looked >= (has_moved(flow->partition) ? kMovedInterval : kRestInterval)) due.emplace_back(flow, &look);
  }
  std::sort(due.begin(), due.end(), [](const auto& a, const auto& b) { return a.second->looked < b.second->looked; });
  for (const auto& [flow, of] : due) {
    if (auto looked = look(*flow, *of); !looked) return looked;
    if (Clock::now() - now > kMaxStep) break;
  }
  next_step_ = Clock::now() + kBetweenSteps;
  return {};
}

Result<void> LogWatch::look_at_moved() {
  for (Flow* flow : flows_.all()) {
    if (!flow->partition.is_assigned() || !flow->partition.owned() || !has_moved(flow->partition)) continue;
    if (auto looked = look(*flow, looks_[flow]); !looked) return looked;
  }
  return {};
}

Result<void> LogWatch::look(Flow& flow, Look& of) {
  const auto now = Clock::now();
  progress::Partition& partition = flow.partition;
  const uint32_t session = partition.session();
  const progress::LastMessage last = partition.last(), anchor = partition.anchor();
  if (anchor.offset >= 0) {
    if (now < source_rests_until_[flow.source_index]) return {};
    auto same = sources_[flow.source_index]->is_same_log(partition.topic(), partition.number(), anchor, false);
    if (!same) {
      // Whoever reads the log tells that it cannot be read.
      if (same.error().code == CDCRT_BUSY) return {};
      of.rests_until = Clock::now() + kAfterFailure;
      if (same.error().code != CDCRT_AUTH) source_rests_until_[flow.source_index] = of.rests_until;
      return {};
    }
    // Taken away meanwhile: whoever has it looks himself.
    if (!*same && partition.owned() && partition.session() == session) return another_log(partition.key(), anchor.offset);
  }
  of.looked = now;
  if (last.offset > anchor.offset) {
    partition.confirm(session, last);
    monitor_.notify();
  }
  return {};
}

}  // namespace cdcrt::runtime
