// What the processes say goes into the trace: this takes the place of the host's own log.
#include "runtime/log.hpp"

#include "simulation/schedule_state.hpp"

namespace cdcrt::runtime {

void log(cdcrt_log_level, std::string_view component, std::string_view message) {
  if (simulation::state() != nullptr) CDCRT_TRACE("log: " + std::string(component) + ": " + std::string(message));
}

}  // namespace cdcrt::runtime
