// Retries at the start: a target that has answered may still be busy with another process that starts, or lose a connection.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

#include "diagnostics/reminder.hpp"
#include "diagnostics/result.hpp"
#include "runtime/log.hpp"
#include "runtime/stop_signal.hpp"

namespace cdcrt::runtime {

/// Runs `step` until it succeeds or fails for good, for half a minute while it is BUSY or disconnected, or until the process is asked to
/// stop; answers the last result. A read-only server (a standby) is waited for without limit. Long waits are logged. `pause`, where
/// given, is called instead of sleeping.
inline Result<void> with_start_retries(std::string_view component, const std::function<Result<void>()>& step,
                                       const std::function<void(std::chrono::microseconds)>& pause = {}) {
  constexpr auto kTimeout = std::chrono::seconds(30);
  constexpr auto kPause = std::chrono::milliseconds(200);
  constexpr std::string_view kReadOnly = "25006";
  // Where two processes start at once, one waits for the other: a short wait is not worth a line.
  constexpr auto kNews = std::chrono::seconds(1);
  const auto began = std::chrono::steady_clock::now(), until = began + kTimeout;
  diagnostics::Reminder reminder;
  while (true) {
    auto done = step();
    const bool passes = !done && (done.error().code == CDCRT_BUSY || done.error().code == CDCRT_RETRY);
    const bool only_reads = passes && done.error().sqlstate == kReadOnly;
    if (done && reminder.ends()) log(CDCRT_LOG_INFO, component, "the target takes what the start has to write");
    if (!passes || stop_asked() || (!only_reads && std::chrono::steady_clock::now() >= until)) return done;
    const bool is_news = only_reads || std::chrono::steady_clock::now() - began >= kNews;
    if (is_news && reminder.lasts()) log(CDCRT_LOG_WARNING, component, "the start waits for the target: " + explain(done.error()));
    if (pause) {
      pause(kPause);
    } else {
      std::this_thread::sleep_for(kPause);
    }
  }
}

}  // namespace cdcrt::runtime
