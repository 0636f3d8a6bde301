#include "runtime/shutdown_watchdog.hpp"

#include "plugin/instance.hpp"
#include "runtime/log.hpp"

namespace cdcrt::runtime {

ShutdownWatchdog::~ShutdownWatchdog() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void ShutdownWatchdog::begin(std::chrono::steady_clock::time_point deadline) {
  thread_ = std::thread([this, deadline] { watch(deadline); });
}

void ShutdownWatchdog::watch(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  if (changed_.wait_until(lock, deadline, [this] { return over_; })) return;
  plugin::announce_stop();
  if (changed_.wait_until(lock, deadline + kAfterDeadline, [this] { return over_; })) return;
  log(CDCRT_LOG_ERROR, "pipeline",
      "something outside does not answer: the process ends now; what was not written is read again by the next start");
  exit_now_(ending_);
}

}  // namespace cdcrt::runtime
