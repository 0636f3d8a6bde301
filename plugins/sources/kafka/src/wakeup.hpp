// Wakeup: one thread waits until one of several queues has something.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace cdcrt::kafka_source {

/// Any thread rings; one waits.
class Wakeup {
 public:
  void ring() {
    const std::lock_guard lock(mutex_);
    is_rung_ = true;
    rung_.notify_one();
  }
  /// Before looking into the queues: what is rung from now on ends the next wait at once.
  void arm() {
    const std::lock_guard lock(mutex_);
    is_rung_ = false;
  }
  void wait(std::chrono::steady_clock::time_point until) {
    std::unique_lock lock(mutex_);
    rung_.wait_until(lock, until, [this] { return is_rung_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable rung_;
  bool is_rung_ = false;
};

}  // namespace cdcrt::kafka_source
