// ShutdownWatchdog: ends the process at a deadline, even if something outside hangs.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "diagnostics/ending.hpp"

namespace cdcrt::runtime {

/// After begin(): at the deadline plugins are told to stop waiting, and some seconds later the process ends, unless this object was
/// destroyed before. Nothing is lost: what is durable is complete, and the next start reads the rest. One thread calls.
class ShutdownWatchdog {
 public:
  /// How long after the deadline the process ends.
  static constexpr std::chrono::seconds kAfterDeadline{10};
  /// `exit_now` ends the process at once; called by a thread of its own.
  explicit ShutdownWatchdog(std::function<void(diagnostics::Ending)> exit_now) : exit_now_(std::move(exit_now)) {}
  ShutdownWatchdog(const ShutdownWatchdog&) = delete;
  ShutdownWatchdog& operator=(const ShutdownWatchdog&) = delete;
  ~ShutdownWatchdog();

  void begin(std::chrono::steady_clock::time_point deadline);
  /// The run is over, and what follows only tidies up: how the process ends if the deadline comes now.
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
