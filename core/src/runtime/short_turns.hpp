// ShortTurns: how soon a thread that has something to do gets the processor on a busy machine.
#pragma once

#include <chrono>
#include <cstdint>

namespace cdcrt::runtime {

/// Threads that ask the kernel for turns of 0.1 ms in place of some ms wait less for each; under a backlog that would be many turns more,
/// and a tenth of the processor's time. So they ask for it while few rows come. Nothing else of their scheduling changes. Nothing at all
/// where the kernel knows no such wish (Linux before 6.12) or does not allow it, nor for threads with a policy of their own. One thread.
class ShortTurns {
 public:
  using Clock = std::chrono::steady_clock;
  /// Some times a second. `rows`: that have come so far.
  void step(uint64_t rows, Clock::time_point now = Clock::now());
  /// What the threads of the process ask for now.
  [[nodiscard]] bool are_asked_for() const { return are_short_; }

 private:
  Clock::time_point looked_{};
  uint64_t rows_ = 0;
  bool are_short_ = false;
};

/// For a thread of this process, by the kernel's number; 0: this one. False: it was not possible.
bool ask_for_short_turns(int thread, bool are_short);

}  // namespace cdcrt::runtime
