// Monitor: what the threads of a pipeline wait for, a condition for each purpose, so that a change wakes only whom it concerns.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <vector>

#include "runtime/heartbeats.hpp"

namespace cdcrt::runtime {

class Monitor;

/// What threads of one kind wait for. Any thread. A change that is told while a waiter looks at what it waits for is not lost. Waits end
/// after a step all the same. Telling costs no system call where nobody waits.
class Condition {
 public:
  using Clock = std::chrono::steady_clock;
  /// Monitor::notify() tells it too, as long as it lives.
  explicit Condition(Monitor& monitor);
  ~Condition();
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;

  /// Something changed that one waiter can take care of.
  void notify_one() { tell(false); }
  /// Something changed that each of them has to look at.
  void notify_all() { tell(true); }
  /// How often something was told.
  [[nodiscard]] uint64_t changes() const { return changes_; }
  /// Until something is told after `seen` was taken from changes(), or the time is over.
  void wait_beyond(uint64_t seen, Clock::duration step);
  template <class Predicate>
  void wait(Predicate&& is_met, Clock::duration step = kStep) {
    while (true) {
      const uint64_t seen = changes_;
      if (is_met()) return;
      wait_beyond(seen, step);
    }
  }
  /// The same, but looks once more at most: until something is told, or the step is over.
  template <class Predicate>
  void wait_once(Predicate&& is_met, Clock::duration step = kStep) {
    const uint64_t seen = changes_;
    if (!is_met()) wait_beyond(seen, step);
  }
  /// How often a waiter was woken, by a change or by its time.
  [[nodiscard]] uint64_t wakeups() const { return wakeups_; }

 private:
  static constexpr auto kStep = std::chrono::milliseconds(200);
  void tell(bool all);

  Monitor& monitor_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<uint64_t> changes_{0};
  std::atomic<uint32_t> waiters_{0};
  std::atomic<uint64_t> wakeups_{0};
};

/// Any thread.
class Monitor {
 public:
  using Clock = Condition::Clock;

  /// Something changed that every thread has to look at: a stop, a failure, the end of the input. Rare.
  void notify();
  /// How often anything was told, to anybody: what was looked at before is still so where this did not grow.
  [[nodiscard]] uint64_t changes() const { return changes_; }

  std::atomic<bool> stop_reading{false};        ///< no more input is taken: end, signal or failure
  std::atomic<bool> release_partitions{false};  ///< everything buffered is written: sources give up their partitions
  std::atomic<bool> abandon{false};             ///< nothing more is written either
  std::atomic<int64_t> message_bytes{0};        ///< of batches that were not decoded yet
  std::atomic<int64_t> row_bytes{0};            ///< of rows that are buffered or being written
  Heartbeats heartbeats;                        ///< of threads whose every step returns soon, whatever is away

 private:
  friend class Condition;
  std::atomic<uint64_t> changes_{0};
  std::mutex mutex_;
  std::vector<Condition*> conditions_;

 public:
  Condition batches{*this};  ///< a batch came: decode workers
  Condition intake{*this};   ///< a batch was decoded: sources that read no more for want of memory
  Condition room{*this};     ///< rows were taken or written: decode workers that wait for memory or for a table
  Condition settled{*this};  ///< everything read is decoded, or a sink has nothing more to write: whoever waits for the end
  Condition news{*this};     ///< only what concerns everybody
};

}  // namespace cdcrt::runtime
