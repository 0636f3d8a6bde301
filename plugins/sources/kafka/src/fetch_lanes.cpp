#include "fetch_lanes.hpp"

#include <algorithm>
#include <future>
#include <thread>
#include <utility>

namespace cdcrt::kafka_source {

sdk::Status FetchLanes::place(const std::string& topic, FetchLane*& to) {
  const auto knows = [&](const auto& lane) { return lane->knows(topic); };
  const auto has_room = [&](const auto& lane) { return lane->topic_count() < settings_.topics_per_client; };
  auto found = std::find_if(lanes_.begin(), lanes_.end(), knows);
  if (found == lanes_.end()) found = std::find_if(lanes_.begin(), lanes_.end(), has_room);
  if (found == lanes_.end()) {
    std::unique_ptr<FetchLane> made;
    if (auto opened = FetchLane::open(settings_, host_, wakeup_, made); !opened) return opened;
    found = lanes_.insert(lanes_.end(), std::move(made));
  }
  to = found->get();
  to->add(topic);
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

void FetchLanes::taken(uint64_t bytes, Clock::time_point now) {
  for (const auto& change : wide_.taken(turn_, bytes, now)) lanes_[change.lane]->client().widen(change.is_wide);
}

void FetchLanes::listen() {
  for (const auto& lane : lanes_) lane->client().listen();
}

template <class Is>
FetchLane* FetchLanes::first(const Is& is) const {
  const auto found = std::find_if(lanes_.begin(), lanes_.end(), [&](const auto& lane) { return is(*lane); });
  return found == lanes_.end() ? nullptr : found->get();
}

Client* FetchLanes::refused() const {
  FetchLane* const found = first([](FetchLane& lane) { return lane.client().diagnostics().is_refused(); });
  return found == nullptr ? nullptr : &found->client();
}

FetchLane* FetchLanes::silent() const {
  return first([](const FetchLane& lane) { return lane.is_silent(); });
}

void FetchLanes::close(std::chrono::milliseconds timeout) {
  wide_ = {};
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
