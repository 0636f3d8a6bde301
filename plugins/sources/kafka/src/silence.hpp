// Silence: whether any broker still answers.
#pragma once

#include <atomic>
#include <chrono>

namespace cdcrt::kafka_source {

/// librdkafka says once that all brokers are down, where every one of them was seen to go down: a coordinator that was given up meanwhile
/// keeps it from saying so. So it is judged here as well, by what was lost and what was answered. Any thread.
class Silence {
 public:
  using Clock = std::chrono::steady_clock;
  /// Longer than a broker takes to hand over, or an answer without messages.
  static constexpr std::chrono::seconds kLasts{5};

  /// A connection was lost, or could not be made.
  void lost(Clock::time_point now = Clock::now()) {
    if (lost_ <= answered_) lost_ = now.time_since_epoch().count();
  }
  /// Whoever was asked for nothing, and so had nothing to answer, is asked again: what was lost before counts from now on.
  void rested(Clock::time_point now = Clock::now()) {
    if (lost_ > answered_) lost_ = now.time_since_epoch().count();
  }
  void answered(Clock::time_point now = Clock::now()) { answered_ = now.time_since_epoch().count(); }
  /// Nobody has answered since a connection was lost, for long enough to say so.
  [[nodiscard]] bool lasts(Clock::time_point now = Clock::now()) const {
    const Clock::rep lost = lost_;
    return lost > answered_ && now.time_since_epoch() - Clock::duration(lost) >= kLasts;
  }

 private:
  std::atomic<Clock::rep> lost_{0}, answered_{0};
};

}  // namespace cdcrt::kafka_source
