// IntakeLimit: the option `max_messages_per_second`.
#pragma once

#include <chrono>
#include <cstdint>

namespace cdcrt::kafka_source {

/// A token bucket that holds a tenth of a second (at least one message), so that a pause is not made up for by a burst.
/// One thread; the clock is the caller's.
class IntakeLimit {
 public:
  using Time = std::chrono::steady_clock::time_point;
  /// 0: no limit.
  explicit IntakeLimit(uint64_t per_second) : per_second_(static_cast<double>(per_second)) {}
  [[nodiscard]] bool is_on() const { return per_second_ > 0; }
  /// How many messages may be taken now.
  uint64_t available(Time now);
  void take(uint64_t messages) { tokens_ -= static_cast<double>(messages); }
  /// Until the next message may be taken.
  [[nodiscard]] std::chrono::microseconds wait() const;

 private:
  double per_second_;
  double tokens_ = 0;
  Time last_{};
  bool is_started_ = false;
};

}  // namespace cdcrt::kafka_source
