// ServiceManager: tells systemd, or whoever else speaks its protocol of NOTIFY_SOCKET, how the process is.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "runtime/heartbeats.hpp"

namespace cdcrt::runtime {

/// Where nobody asked to be told, every call does nothing. Nothing waits for the manager: what it does not take is dropped, but for
/// ready(), which step() tries again. Called by the pipeline's thread.
class ServiceManager {
 public:
  using Clock = std::chrono::steady_clock;
  struct Settings {
    std::string socket;                     ///< path, or '@' and a name in the abstract namespace; empty: nobody asks
    std::chrono::microseconds watchdog{0};  ///< the process is ended where nothing is heard for longer; 0: it is not watched
  };
  /// NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID.
  static Settings from_environment();

  explicit ServiceManager(const Settings& settings);
  ~ServiceManager();
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  /// A thread whose last beat is older does not go on: the watchdog is told nothing more. Where none watches, what others judge by.
  [[nodiscard]] std::chrono::microseconds patience() const;
  /// A line for people; nothing is sent where it is the last one again.
  void status(const std::string& text);
  void ready();
  /// `bound`: how long the process may take, at most.
  void stopping(std::chrono::microseconds bound);
  /// Once in a while: says that the process is alive as long as no thread is late, and the status where that is due.
  void step(const Heartbeats& heartbeats, const std::function<std::string()>& status_text);

 private:
  /// False: the manager took nothing.
  bool send(std::string_view message) const;

  Settings settings_;
  int socket_ = -1;
  std::string last_status_;
  bool must_tell_ready_ = false;
  bool told_late_ = false;
  Clock::time_point next_alive_{}, next_status_{};
};

}  // namespace cdcrt::runtime
