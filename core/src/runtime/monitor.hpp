// Monitor: one condition that everything waits on: rows came, a write ended, memory was freed, the process is to stop.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace cdcrt::runtime {

/// Any thread. Whoever changes what others wait for calls notify(); one that comes while a condition is evaluated is not lost. Waits end
/// after a step all the same, long enough that an idle process hardly wakes.
class Monitor {
 public:
  using Clock = std::chrono::steady_clock;

  void notify() {
    {
      const std::lock_guard lock(mutex_);
      ++changes_;
    }
    changed_.notify_all();
  }
  template <class Condition>
  void wait(Condition&& condition, std::chrono::milliseconds step = std::chrono::milliseconds(200)) {
    while (true) {
      const uint64_t seen = changes_;
      if (condition()) return;
      wait_beyond(seen, step);
    }
  }
  /// The same, but looks once more at most: until something is notified, or the step is over.
  template <class Condition>
  void wait_once(Condition&& condition, std::chrono::milliseconds step = std::chrono::milliseconds(200)) {
    const uint64_t seen = changes_;
    if (!condition()) wait_beyond(seen, step);
  }
  /// How often something was notified.
  [[nodiscard]] uint64_t changes() const { return changes_; }
  /// Until something is notified after `seen` was taken from changes(), or the time is over.
  void wait_beyond(uint64_t seen, Clock::duration step) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, step, [&] { return changes_ != seen; });
  }

  std::atomic<bool> stop_reading{false};        ///< no more input is taken: end, signal or failure
  std::atomic<bool> release_partitions{false};  ///< everything buffered is written: sources give up their partitions
  std::atomic<bool> abandon{false};             ///< nothing more is written either
  std::atomic<int64_t> message_bytes{0};        ///< of batches that were not decoded yet
  std::atomic<int64_t> row_bytes{0};            ///< of rows that are buffered or being written

 private:
  std::mutex mutex_;
  std::atomic<uint64_t> changes_{0};
  std::condition_variable changed_;
};

}  // namespace cdcrt::runtime
