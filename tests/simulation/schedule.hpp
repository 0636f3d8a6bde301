// Schedule: one seed's run: a workload, processes that come to grief, and what must be true at the end.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cdcrt::simulation {

struct Outcome {
  std::string failure;  ///< empty: none
  uint64_t steps = 0;
  int64_t virtual_ms = 0;
};

/// What no schedule has: "truncates", "growth", "crashes", ... (see schedule.cpp).
/// False: there is no such thing.
bool leave_out(std::string_view what);

/// Everything it makes is gone when it returns. `folder`: for dead letters.
Outcome run_schedule(uint64_t seed, const std::string& folder);

}  // namespace cdcrt::simulation
