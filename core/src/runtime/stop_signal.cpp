#include "runtime/stop_signal.hpp"

#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>

#include "plugin/instance.hpp"
#include "runtime/log.hpp"

namespace cdcrt::runtime {
namespace {

volatile std::sig_atomic_t signals_received = 0;

void on_signal(int number) {
  // Progress is in the target, nothing is lost.
  if (signals_received != 0) ::_exit(128 + number);
  signals_received = number;
}

constexpr auto kSignalLook = std::chrono::milliseconds(50);
constexpr auto kFirstPause = std::chrono::milliseconds(300);   // for whoever looks at stop_asked() himself
constexpr auto kSecondPause = std::chrono::milliseconds(500);  // for plugins that ask whether the process stops

}  // namespace

void watch_stop_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

bool stop_asked() { return signals_received != 0; }

struct StopWhileOpening::Watch {
  std::mutex mutex;
  std::condition_variable changed;
  bool over = false;
  std::thread thread;

  // True: the pipeline is open, or gave up.
  bool wait(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, time, [this] { return over; });
  }
  void run() {
    while (!stop_asked()) {
      if (wait(kSignalLook)) return;
    }
    if (wait(kFirstPause)) return;
    plugin::announce_stop();
    if (wait(kSecondPause)) return;
    log(CDCRT_LOG_INFO, "pipeline", "stopped before anything was read");
    ::_exit(0);
  }
};

StopWhileOpening::StopWhileOpening() : watch_(new Watch) {
  watch_->thread = std::thread([this] { watch_->run(); });
}

StopWhileOpening::~StopWhileOpening() {
  {
    const std::lock_guard lock(watch_->mutex);
    watch_->over = true;
  }
  watch_->changed.notify_all();
  watch_->thread.join();
  delete watch_;
}

}  // namespace cdcrt::runtime
