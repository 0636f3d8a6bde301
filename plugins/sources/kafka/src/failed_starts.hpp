// FailedStarts: partitions that no client could begin to read.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace cdcrt::kafka_source {

/// When each is tried again, and what there is to say of them all. One thread.
class FailedStarts {
 public:
  using Clock = std::chrono::steady_clock;
  using Key = std::pair<std::string, int32_t>;  ///< topic, partition
  static constexpr Clock::duration kFirst = std::chrono::milliseconds(20), kMost = std::chrono::seconds(10);

  /// It failed, for that reason. Answers when it is to be tried again, each time after twice as long.
  Clock::time_point failed(const Key& key, std::string_view why, Clock::time_point now) {
    Failure& failure = failures_[key];
    failure.why = why;
    failure.distance = failure.distance == Clock::duration{} ? kFirst : std::min(2 * failure.distance, kMost);
    return now + failure.distance;
  }
  /// It was begun, or is not wanted any more.
  void over(const Key& key) { failures_.erase(key); }
  [[nodiscard]] bool empty() const { return failures_.empty(); }
  /// Which, and why; empty where there are none.
  [[nodiscard]] std::string text() const {
    if (failures_.empty()) return {};
    const auto& [key, failure] = *failures_.begin();
    const std::size_t more = failures_.size() - 1;
    return "cannot begin to read " + key.first + "[" + std::to_string(key.second) + "]" +
           (more > 0 ? " and " + std::to_string(more) + " more" : "") + ": " + failure.why;
  }

 private:
  struct Failure {
    std::string why;
    Clock::duration distance{};
  };
  std::map<Key, Failure> failures_;
};

}  // namespace cdcrt::kafka_source
