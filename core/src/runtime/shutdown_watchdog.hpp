// ShutdownWatchdog: the end of a run, however something outside hangs.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "diagnostics/ending.hpp"

namespace cdcrt::runtime {

/// From begin() on: at the deadline plugins are told that the process leaves, and some seconds later it does, unless this object has
/// died. Nothing is lost by that: what is durable is complete, and the next start reads the rest. One thread calls.
class ShutdownWatchdog {
 public:
  /// `exit_now` ends the process at once; called by a thread of its own.
  explicit ShutdownWatchdog(std::function<void(diagnostics::Ending)> exit_now) : exit_now_(std::move(exit_now)) {}
  ShutdownWatchdog(const ShutdownWatchdog&) = delete;
  ShutdownWatchdog& operator=(const ShutdownWatchdog&) = delete;
  ~ShutdownWatchdog();

  void begin(std::chrono::steady_clock::time_point deadline);
  /// The run is over; what follows only tidies up. The process leaves with this.
  void ended(diagnostics::Ending ending) { ending_ = ending; }

 private:
  void watch(std::chrono::steady_clock::time_point deadline);

  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::atomic<diagnostics::Ending> ending_{diagnostics::Ending::kRunTimeFailure};
  std::function<void(diagnostics::Ending)> exit_now_;
  std::thread thread_;
};

}  // namespace cdcrt::runtime
