// Patience at the start: a target that has answered may still be busy with another process that starts, or lose a connection.
#pragma once

#include <chrono>
#include <functional>
#include <thread>

#include "diagnostics/result.hpp"
#include "runtime/stop_signal.hpp"

namespace cdcrt::runtime {

/// Runs `step` until it is done, fails for good, was BUSY or cut off for half a minute, or the process is asked to stop; answers how the
/// last time went. `pause` waits in place of the thread where given.
inline Result<void> patiently(const std::function<Result<void>()>& step, const std::function<void(std::chrono::microseconds)>& pause = {}) {
  constexpr auto kTimeout = std::chrono::seconds(30);
  constexpr auto kPause = std::chrono::milliseconds(200);
  const auto until = std::chrono::steady_clock::now() + kTimeout;
  while (true) {
    auto done = step();
    const bool passes = !done && (done.error().code == CDCRT_BUSY || done.error().code == CDCRT_RETRY);
    if (!passes || stop_asked() || std::chrono::steady_clock::now() >= until) return done;
    if (pause) {
      pause(kPause);
    } else {
      std::this_thread::sleep_for(kPause);
    }
  }
}

}  // namespace cdcrt::runtime
