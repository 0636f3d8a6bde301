#include "leaders.hpp"

#include <algorithm>
#include <numeric>
#include <set>

#include "broker_error.hpp"
#include "cdcrt/sdk/status.hpp"

namespace cdcrt::kafka_source {
namespace {

constexpr int32_t kNobody = -1;  // leads it, as far as is known

enum class Heard : uint8_t { kAnswer, kNothing, kNotAsked };

/// kNothing: nobody answers.
Heard ask_in_halves(const Leaders::Indices& wanted, const Leaders::Ask& ask) {
  const std::optional<int> code = ask(wanted);
  if (!code) return Heard::kNotAsked;
  if (is_transport(*code)) return Heard::kNothing;
  if (*code == 0 || wanted.size() < 2) return Heard::kAnswer;
  const auto middle = wanted.begin() + static_cast<std::ptrdiff_t>(wanted.size() / 2);
  const Heard heard = ask_in_halves(Leaders::Indices(wanted.begin(), middle), ask);
  return heard != Heard::kAnswer ? heard : ask_in_halves(Leaders::Indices(middle, wanted.end()), ask);
}

}  // namespace

void Leaders::ask(const std::vector<cdcrt_place>& places, std::size_t at_once, const Ask& ask, Clock::time_point now) {
  for (std::size_t first = 0; first < places.size() && !is_silent(now); first += at_once) {
    Indices wanted(std::min(at_once, places.size() - first));
    std::iota(wanted.begin(), wanted.end(), first);
    if (knows_all()) {
      const Heard heard = ask_in_halves(wanted, ask);
      if (heard == Heard::kNotAsked) return;
      if (heard == Heard::kAnswer) continue;
    }
    if (!ask_each_leader(places, wanted, ask, now)) return;
  }
}

bool Leaders::is_silent(Clock::time_point now) const {
  const std::lock_guard lock(mutex_);
  return now < silent_until_;
}

// Nobody is away.
bool Leaders::knows_all() const {
  const std::lock_guard lock(mutex_);
  return away_.empty();
}

// False: nothing more is to be asked.
bool Leaders::ask_each_leader(const std::vector<cdcrt_place>& places, const Indices& wanted, const Ask& ask, Clock::time_point now) {
  std::vector<List> lists;
  bool is_first = false;
  {
    const std::lock_guard lock(mutex_);
    is_first = away_.empty();
    if (!learn(now)) return false;
    lists = lists_of(places, wanted, now);
  }
  if (is_first && lists.size() == 1) {
    // The list was that of one leader, and is not asked for again.
    told(lists.front().leader, true, now);
    return true;
  }
  for (const List& list : lists) {
    const Heard heard = ask_in_halves(list.wanted, ask);
    if (heard == Heard::kNotAsked) return false;
    told(list.leader, heard == Heard::kNothing, now);
  }
  return true;
}

bool Leaders::learn(Clock::time_point now) {
  if (!leaders_.empty() && now - learned_at_ < kLeads) return true;
  Map leaders;
  if (!learn_(leaders)) {
    silent_until_ = now + kAway;
    return false;
  }
  leaders_ = std::move(leaders);
  learned_at_ = now;
  std::set<int32_t> leading;
  for (const auto& [key, leader] : leaders_) leading.insert(leader);
  for (auto each = away_.begin(); each != away_.end();) each = leading.count(each->first) > 0 ? std::next(each) : away_.erase(each);
  return true;
}

std::vector<Leaders::List> Leaders::lists_of(const std::vector<cdcrt_place>& places, const Indices& wanted, Clock::time_point now) const {
  std::map<int32_t, Indices> by_leader;
  for (const std::size_t i : wanted) {
    const auto found = leaders_.find(Key(sdk::view(places[i].topic), places[i].partition));
    by_leader[found == leaders_.end() ? kNobody : found->second].push_back(i);
  }
  std::vector<List> lists;
  for (auto& [leader, indices] : by_leader) {
    const auto away = away_.find(leader);
    if (away == away_.end() || now >= away->second.until) lists.push_back({leader, std::move(indices)});
  }
  return lists;
}

void Leaders::told(int32_t leader, bool is_away, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  if (!is_away) {
    away_.erase(leader);
    return;
  }
  Away& away = away_[leader];
  away.distance = away.distance == Clock::duration{} ? kAway : std::min<Clock::duration>(2 * away.distance, kMostAway);
  away.until = now + away.distance;
}

void Leaders::answered(std::string_view topic, int32_t partition) {
  const std::lock_guard lock(mutex_);
  silent_until_ = {};
  if (away_.empty()) return;
  const auto found = leaders_.find(Key(topic, partition));
  if (found != leaders_.end()) away_.erase(found->second);
}

}  // namespace cdcrt::kafka_source
