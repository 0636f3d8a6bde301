// Heartbeats: which thread of a pipeline has not come round for long, so that a watchdog tells a process that hangs from one that waits.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace cdcrt::runtime {

/// Of one thread. It beats each time it comes round, also while it waits for something that may take for ever: what is late then is
/// stuck in a call that should have returned.
class Heartbeat {
 public:
  using Clock = std::chrono::steady_clock;
  explicit Heartbeat(std::string thread) : thread_(std::move(thread)) {}
  void beat() { last_.store(Clock::now().time_since_epoch().count(), std::memory_order_relaxed); }
  /// The thread ends, or does from now on what others look after.
  void rest() { last_.store(kResting, std::memory_order_relaxed); }

 private:
  friend class Heartbeats;
  static constexpr Clock::rep kResting = 0;
  const std::string thread_;
  std::atomic<Clock::rep> last_{kResting};
};

/// Any thread.
class Heartbeats {
 public:
  using Clock = Heartbeat::Clock;
  /// Of a thread that is about to start; rests until its first beat. Lives as long as this object.
  Heartbeat& add(std::string thread);
  /// The name of a thread whose last beat is older than `limit`; nullopt: there is none.
  [[nodiscard]] std::optional<std::string> late(Clock::time_point now, Clock::duration limit) const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Heartbeat>> threads_;
};

}  // namespace cdcrt::runtime
