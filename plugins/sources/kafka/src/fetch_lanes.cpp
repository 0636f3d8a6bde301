#include "fetch_lanes.hpp"

#include <algorithm>
#include <future>
#include <thread>
#include <utility>

namespace cdcrt::kafka_source {
namespace {

constexpr std::size_t kMaxWide = 4;
constexpr uint64_t kTellsBacklog = 32 << 10;  // bytes, of one turn
constexpr uint64_t kLongTurn = 16 << 20;      // bytes
constexpr std::chrono::milliseconds kRest{200};

}  // namespace

sdk::Status FetchLanes::place(const std::string& topic, FetchLane*& to) {
  const auto holds = [&](const auto& lane) { return lane->holds(topic); };
  const auto has_room = [&](const auto& lane) { return lane->topic_count() < settings_.topics_per_client; };
  auto found = std::find_if(lanes_.begin(), lanes_.end(), holds);
  if (found == lanes_.end()) found = std::find_if(lanes_.begin(), lanes_.end(), has_room);
  if (found == lanes_.end()) {
    std::unique_ptr<FetchLane> made;
    if (auto opened = FetchLane::open(settings_, host_, wakeup_, made); !opened) return opened;
    found = lanes_.insert(lanes_.end(), std::move(made));
  }
  to = found->get();
  to->reserve(topic);
  return {};
}

FetchLane* FetchLanes::next() {
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    turn_ = (turn_ + 1) % lanes_.size();
    FetchQueue& queue = lanes_[turn_]->queue();
    if (queue.length() > 0 || queue.holds_outdated()) return lanes_[turn_].get();
  }
  return nullptr;
}

void FetchLanes::taken(FetchLane& lane, uint64_t bytes, Clock::time_point now) {
  const auto found = std::find_if(wide_.begin(), wide_.end(), [&](const Wide& each) { return each.lane == &lane; });
  if (found != wide_.end()) {
    found->bytes += bytes;
    if (bytes > 0) found->last = now;
    if (found->bytes < kLongTurn) return;
    lane.client().widen(false);
    wide_.erase(found);
    return;
  }
  if (bytes < kTellsBacklog) return;
  std::erase_if(wide_, [&](const Wide& each) {
    if (now - each.last < kRest) return false;
    each.lane->client().widen(false);
    return true;
  });
  if (wide_.size() >= kMaxWide) return;
  lane.client().widen(true);
  wide_.push_back({&lane, 0, now});
}

void FetchLanes::listen() {
  for (const auto& lane : lanes_) lane->client().listen();
}

Client* FetchLanes::refused() const {
  const auto found = std::find_if(lanes_.begin(), lanes_.end(), [](const auto& lane) { return lane->client().diagnostics().is_refused(); });
  return found == lanes_.end() ? nullptr : &(*found)->client();
}

void FetchLanes::close(std::chrono::milliseconds timeout) {
  wide_.clear();
  for (const auto& lane : lanes_) lane->queue().silence();
  std::vector<std::future<void>> destroyed;
  for (auto& lane : std::exchange(lanes_, {})) {
    std::promise<void> done;
    destroyed.push_back(done.get_future());
    std::thread([raw = lane.release(), done = std::move(done)]() mutable {
      delete raw;
      done.set_value();
    }).detach();
  }
  const auto deadline = Clock::now() + timeout;
  for (auto& each : destroyed) each.wait_until(deadline);
}

}  // namespace cdcrt::kafka_source
