#include "runtime/log_watch.hpp"

#include <algorithm>
#include <utility>

namespace cdcrt::runtime {
namespace {

constexpr auto kMovedInterval = std::chrono::seconds(1);
constexpr auto kRestInterval = std::chrono::seconds(10);
constexpr auto kAfterFailure = std::chrono::seconds(10);
// A look costs some milliseconds of the coordinator's time: with very many partitions each is looked at less often.
constexpr auto kMaxStep = std::chrono::milliseconds(100);
constexpr auto kBetweenSteps = std::chrono::milliseconds(400);
// What is not looked at in time is looked at in the next step.
constexpr std::size_t kAtOnce = 100;
// Of ten thousand partitions that rest each is looked at every hundred seconds.
constexpr auto kOfEachAtRest = std::chrono::milliseconds(10);

bool has_moved(const progress::Partition& partition) { return partition.last().offset > partition.anchor().offset; }

}  // namespace

Result<void> LogWatch::step() {
  const auto now = Clock::now();
  if (now < next_step_) return {};
  const auto flows = flows_.all();
  const auto rest = std::max<Clock::duration>(kRestInterval, flows.size() * kOfEachAtRest);
  std::vector<std::pair<Flow*, Look*>> due;
  for (Flow* flow : flows) {
    if (!flow->partition.is_assigned() || !flow->partition.owned() || flow->partition.last().offset < 0) continue;
    Look& look = looks_[flow];
    if (now < look.rests_until) continue;
    if (now - look.looked >= (has_moved(flow->partition) ? kMovedInterval : rest)) due.emplace_back(flow, &look);
  }
  std::sort(due.begin(), due.end(), [](const auto& a, const auto& b) { return a.second->looked < b.second->looked; });
  if (auto looked = look(due, now + kMaxStep); !looked) return looked;
  next_step_ = Clock::now() + kBetweenSteps;
  return {};
}

Result<void> LogWatch::look_at_moved() {
  std::vector<std::pair<Flow*, Look*>> moved;
  for (Flow* flow : flows_.all()) {
    if (flow->partition.is_assigned() && flow->partition.owned() && has_moved(flow->partition)) moved.emplace_back(flow, &looks_[flow]);
  }
  return look(moved, Clock::time_point::max());
}

Result<void> LogWatch::look(const std::vector<std::pair<Flow*, Look*>>& due, Clock::time_point until) {
  for (std::size_t first = 0; first < due.size() && Clock::now() < until; first += kAtOnce) {
    std::vector<Stand> stands;
    for (std::size_t i = first; i < std::min(due.size(), first + kAtOnce); ++i) {
      const progress::Partition& partition = due[i].first->partition;
      stands.push_back({due[i].first, due[i].second, partition.session(), partition.last(), partition.anchor()});
    }
    const auto same = look_together(stands);
    // What is told counts, whatever becomes of the others.
    const auto has_it = [&](const Stand& stand) { return stand.anchor.offset < 0 || (same.contains(stand.flow) && same.at(stand.flow)); };
    std::stable_partition(stands.begin(), stands.end(), has_it);
    // Of the others the one that has waited longest, however long the list took, and also where it told nothing: else it might wait for
    // ever.
    bool has_turn = true;
    for (const Stand& stand : stands) {
      if (has_it(stand)) {
        confirm(stand);
      } else if (std::exchange(has_turn, false) || Clock::now() < until) {
        if (auto looked = look_alone(stand); !looked) return looked;
      } else if (same.empty()) {
        source_rests_until_[stand.flow->source_index] = Clock::now() + kAfterFailure;  // nobody answered in time
      }
    }
  }
  return {};
}

// By flow, whether the anchor is where it was; what is left out, or is not there, is looked at alone.
std::map<const Flow*, bool> LogWatch::look_together(const std::vector<Stand>& stands) {
  std::map<std::size_t, std::map<progress::PartitionKey, progress::LastMessage>> anchors;
  for (const Stand& stand : stands) {
    if (stand.anchor.offset >= 0) anchors[stand.flow->source_index].emplace(stand.flow->partition.key(), stand.anchor);
  }
  std::map<const Flow*, bool> told;
  for (const auto& [index, lasts] : anchors) {
    if (Clock::now() < source_rests_until_[index]) continue;
    const auto same = sources_[index]->are_same_logs(lasts);
    for (const Stand& stand : stands) {
      if (stand.flow->source_index != index) continue;
      if (const auto found = same.find(stand.flow->partition.key()); found != same.end()) told[stand.flow] = found->second;
    }
  }
  return told;
}

Result<void> LogWatch::look_alone(const Stand& stand) {
  progress::Partition& partition = stand.flow->partition;
  const std::size_t source = stand.flow->source_index;
  if (Clock::now() < source_rests_until_[source]) return {};
  auto same = sources_[source]->is_same_log(partition.topic(), partition.number(), stand.anchor, false);
  if (!same) {
    // Whoever reads the log tells that it cannot be read.
    if (same.error().code == CDCRT_BUSY) return {};
    // It comes behind the others when its source is asked again.
    stand.of->rests_until = Clock::now() + 2 * kAfterFailure;
    if (same.error().code != CDCRT_AUTH) source_rests_until_[source] = Clock::now() + kAfterFailure;
    return {};
  }
  // Taken away meanwhile: whoever has it looks himself.
  if (!*same && partition.owned() && partition.session() == stand.session) return another_log(partition.key(), stand.anchor.offset);
  confirm(stand);
  return {};
}

void LogWatch::confirm(const Stand& stand) {
  stand.of->looked = Clock::now();
  if (stand.last.offset <= stand.anchor.offset) return;
  stand.flow->partition.confirm(stand.session, stand.last);
  monitor_.notify();
}

}  // namespace cdcrt::runtime
