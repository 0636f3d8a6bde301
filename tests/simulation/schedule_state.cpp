#include "simulation/schedule_state.hpp"

#include <cstdio>

namespace cdcrt::simulation {
namespace {

State* current = nullptr;
bool tracing = false;

}  // namespace

State* state() { return current; }
void set_state(State* of_schedule) { current = of_schedule; }

Time late_wake() { return random().between(20, 1000) * kMillisecond; }

void take_time() {
  const Character& own = character();
  Time time = random().below(own.latency);
  if (goes_wrong(own.slow_calls)) time = random().below(2 * kSecond);
  scheduler().sleep(time);
}

void set_tracing(bool on) { tracing = on; }
bool is_tracing() { return tracing; }

void trace(const std::string& line) {
  const int process = scheduler().process();
  std::printf("%10.3f ms  ", static_cast<double>(scheduler().now()) / 1000.0);
  if (process >= 0) {
    std::printf("process %d thread %u: ", process, scheduler().fiber_number());
  }
  std::printf("%s\n", line.c_str());
}

void fail(const std::string& what) {
  CDCRT_TRACE("FAILURE: " + what);
  if (current->failure.empty()) current->failure = what;
}

}  // namespace cdcrt::simulation
