// Clock: how far the clock of another machine is ahead of this one's. Header-only, C++17. For sinks: see SinkConnection::clocks.
//
//   const ClockQuestion question;
//   ...                                                    // ask the other machine: `told`, in microseconds since 1970, to a millisecond
//   clocks.push_back(question.answered("the database", told, 1ms));
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include "cdcrt/abi/base.h"
#include "cdcrt/sdk/status.hpp"

namespace cdcrt::sdk {

/// See cdcrt_clock.
struct Clock {
  std::string owner;  ///< "the database"
  std::chrono::microseconds ahead{0}, accuracy{0};
  std::chrono::microseconds allowed{0};  ///< 0: times are not looked at
};

inline void tell(const Clock& clock, void (*visit)(void* context, const cdcrt_clock*), void* context) {
  const cdcrt_clock told{sizeof told, 0, borrow(clock.owner), clock.ahead.count(), clock.accuracy.count(), clock.allowed.count()};
  visit(context, &told);
}

/// A length of time for people, rounded, without its sign: "0.3 s", "12 s", "20 min", "12 h", "4 d".
inline std::string in_words(std::chrono::microseconds time) {
  const int64_t whole = time.count() < 0 ? -time.count() : time.count();
  const auto rounded = [&](int64_t unit) { return (whole + unit / 2) / unit; };
  constexpr int64_t kSecond = 1'000'000, kMinute = 60 * kSecond, kHour = 60 * kMinute, kDay = 24 * kHour;
  if (const int64_t tenths = rounded(kSecond / 10); tenths < 100)
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
  if (rounded(kSecond) < 10 * 60) return std::to_string(rounded(kSecond)) + " s";
  if (rounded(kMinute) < 10 * 60) return std::to_string(rounded(kMinute)) + " min";
  return rounded(kHour) < 72 ? std::to_string(rounded(kHour)) + " h" : std::to_string(rounded(kDay)) + " d";
}

/// Made right before the other clock is asked.
class ClockQuestion {
 public:
  using Time = std::chrono::system_clock::time_point;

  ClockQuestion() = default;
  explicit ClockQuestion(Time asked) : asked_(asked) {}
  /// What the other clock showed at some moment between question and answer, cut to `digits`: 1 s where it tells whole seconds.
  [[nodiscard]] Clock answered(std::string owner, std::chrono::microseconds told, std::chrono::microseconds digits,
                               Time received = std::chrono::system_clock::now()) const {
    const auto asked = since_1970(asked_), end = since_1970(received);
    // The wall clock may be set meanwhile.
    const auto took = end > asked ? end - asked : asked - end;
    Clock clock;
    clock.owner = std::move(owner);
    clock.ahead = told + digits / 2 - (asked + (end - asked) / 2);
    clock.accuracy = (took + digits) / 2;
    return clock;
  }

 private:
  static std::chrono::microseconds since_1970(Time time) {
    return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch());
  }
  Time asked_ = std::chrono::system_clock::now();
};

}  // namespace cdcrt::sdk
