// Reminder: when something that lasts is worth another line of the log.
#pragma once

#include <algorithm>
#include <chrono>
#include <utility>

namespace cdcrt::diagnostics {

/// At once, then after 5 s, 10 s, 20 s, 40 s, and every minute. Not thread-safe.
class Reminder {
 public:
  using Clock = std::chrono::steady_clock;

  /// It lasts. True: say so.
  bool lasts(Clock::time_point now = Clock::now()) {
    if (!present_) {
      *this = {};
      present_ = true;
      since_ = now;
    } else if (now < next_) {
      return false;
    }
    next_ = now + pause_;
    pause_ = std::min(2 * pause_, kMaxPause);
    return true;
  }
  /// It is over. True: it had been said.
  bool ends() { return std::exchange(present_, false); }
  [[nodiscard]] bool present() const { return present_; }
  [[nodiscard]] std::chrono::seconds duration(Clock::time_point now = Clock::now()) const {
    return std::chrono::duration_cast<std::chrono::seconds>(present_ ? now - since_ : Clock::duration(0));
  }

 private:
  static constexpr Clock::duration kMaxPause = std::chrono::seconds(60);
  bool present_ = false;
  Clock::time_point since_{}, next_{};
  Clock::duration pause_ = std::chrono::seconds(5);
};

}  // namespace cdcrt::diagnostics
