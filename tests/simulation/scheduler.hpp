// Scheduler: the fibers of a schedule, virtual time, and what is to happen at some time. Everything runs on one real thread.
//
// threads.cpp makes fibers of std::thread, and lets mutexes, condition variables and the steady clock stand on this.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace cdcrt::simulation {

/// Microseconds since the schedule began.
using Time = int64_t;
constexpr Time kMillisecond = 1000, kSecond = 1000 * kMillisecond, kNever = INT64_MAX;

struct Fiber;

/// One per schedule, found by current_scheduler().
class Scheduler {
 public:
  Scheduler();
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  [[nodiscard]] Time now() const { return now_; }
  [[nodiscard]] uint64_t steps() const { return steps_; }

  // Outside of fibers.

  /// Runs what comes next: an event or a fiber. False: nothing will ever happen any more.
  bool step();
  /// Its fibers never run again; what they hold is never released.
  void kill(int process);
  /// Its fibers do not run before then.
  void freeze(int process, Time until);
  [[nodiscard]] bool is_frozen(int process) const;

  // Anywhere.

  Fiber* spawn(int process, std::function<void()> body);
  void at(Time time, std::function<void()> event);
  /// Lets fibers that block() on the channel go on.
  void wake(const void* channel);
  [[nodiscard]] bool ended(const Fiber* fiber) const;
  /// Of the running fiber; -1: none runs.
  [[nodiscard]] int process() const;
  [[nodiscard]] uint32_t fiber_number() const;

  // Inside of fibers.

  void sleep(Time duration);
  /// Until woken or `until` has come. False: it has.
  bool block(const void* channel, Time until);

 private:
  struct Event {
    Time time;
    uint64_t number;
    std::function<void()> body;
  };
  void resume(Fiber& fiber);
  void suspend();
  static void enter();

  Time now_ = 0;
  uint64_t steps_ = 0;
  uint64_t number_ = 0;
  uint32_t fiber_count_ = 0;
  std::vector<Fiber*> fibers_;
  std::vector<Event> events_;
  std::vector<Time> frozen_until_;
  Fiber* running_ = nullptr;
};

/// Null outside of a schedule.
Scheduler* current_scheduler();

}  // namespace cdcrt::simulation
