#include "runtime/heartbeats.hpp"

namespace cdcrt::runtime {

Heartbeat& Heartbeats::add(std::string thread) {
  const std::lock_guard lock(mutex_);
  return *threads_.emplace_back(std::make_unique<Heartbeat>(std::move(thread)));
}

std::optional<std::string> Heartbeats::late(Clock::time_point now, Clock::duration limit) const {
  const std::lock_guard lock(mutex_);
  for (const auto& thread : threads_) {
    const Clock::rep last = thread->last_.load(std::memory_order_relaxed);
    if (last != Heartbeat::kResting && now - Clock::time_point(Clock::duration(last)) > limit) return thread->thread_;
  }
  return std::nullopt;
}

}  // namespace cdcrt::runtime
