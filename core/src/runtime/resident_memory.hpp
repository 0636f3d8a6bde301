// ResidentMemory: what a burst took of the system's memory goes back to it once the burst is over.
#pragma once

#include <chrono>
#include <cstdint>

namespace cdcrt::runtime {

/// One thread, which calls step() some times a second.
class ResidentMemory {
 public:
  /// Before threads begin: where the budget (bytes) is small, all threads share one heap, since each one of its own keeps what it does
  /// not use. It costs some hundredths of the CPU.
  static void fit(int64_t budget);
  /// `held`: bytes of messages and rows. Where that is little, and the process has more resident than after the last time, the allocator
  /// is asked to give back what it keeps; at most once a second.
  void step(int64_t held);

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point next_{};
  bool was_quiet_ = false;
  int64_t kept_ = 0;  ///< resident bytes of which nothing could be given back
};

}  // namespace cdcrt::runtime
