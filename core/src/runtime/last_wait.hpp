// LastWait: the end of a run, however something outside hangs.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace cdcrt::runtime {

/// From begin() on: at the deadline plugins are told that the process leaves, and some seconds later it does, unless this object has
/// died. Nothing is lost by that: what is durable is complete, and the next start reads the rest. One thread calls.
class LastWait {
 public:
  LastWait() = default;
  LastWait(const LastWait&) = delete;
  LastWait& operator=(const LastWait&) = delete;
  ~LastWait();

  void begin(std::chrono::steady_clock::time_point deadline);
  /// The run is over; what follows only tidies up. The process leaves with this code.
  void ended(int exit_code) { exit_code_ = exit_code; }

 private:
  void watch(std::chrono::steady_clock::time_point deadline);

  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::atomic<int> exit_code_{1};
  std::thread thread_;
};

}  // namespace cdcrt::runtime
