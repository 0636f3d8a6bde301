// Whether this machine's clock is that of those whom it talks to.
#pragma once

#include <string>
#include <vector>

#include "cdcrt/sdk/clock.hpp"
#include "cli/doctor_report.hpp"

namespace cdcrt::cli {

/// A line for each clock of `owner` ("sink warehouse"): a warning from 5 seconds of difference on, a failure where signatures are refused
/// for it. What the measuring itself may be wrong by is in favour of the clock.
void check_clocks(const std::string& owner, const std::vector<sdk::Clock>& clocks, DoctorReport& report);

}  // namespace cdcrt::cli
