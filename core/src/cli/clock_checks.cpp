#include "cli/clock_checks.hpp"

#include <algorithm>
#include <chrono>

#include "cli/exit_code.hpp"

namespace cdcrt::cli {
namespace {

using std::chrono::microseconds;

/// Time services keep clocks within milliseconds. So much is a clock that nobody sets, and still far from what breaks something.
constexpr std::chrono::seconds kSuspicious{5};

constexpr const char* kFix =
    "let a time service keep this machine's clock and that of the other one: chrony (`chronyc tracking`) or systemd-timesyncd "
    "(`timedatectl set-ntp true`, `timedatectl timesync-status`)";

}  // namespace

void check_clocks(const std::string& owner, const std::vector<sdk::Clock>& clocks, DoctorReport& report) {
  for (const sdk::Clock& clock : clocks) {
    const microseconds apart = clock.ahead < microseconds(0) ? -clock.ahead : clock.ahead;
    const microseconds least = std::max(apart - clock.accuracy, microseconds(0));
    const std::string whose = owner + ": that of " + clock.owner;
    const std::string difference = whose + " is " + sdk::in_words(apart) + (clock.ahead < microseconds(0) ? " behind" : " ahead of") +
                                   " this machine's (measured to " + sdk::in_words(clock.accuracy) + ")";
    if (clock.allowed > microseconds(0) && least > clock.allowed) {
      report.fail("clock", difference + ", and from " + sdk::in_words(clock.allowed) + " on it refuses every request that is signed here",
                  kFix, kEnvironment);
    } else if (least >= kSuspicious) {
      report.warn("clock",
                  difference + ": what compares times is wrong by that (lag, tombstone_retention, logins and certificates that expire)" +
                      (clock.allowed > microseconds(0)
                           ? ", and from " + sdk::in_words(clock.allowed) + " on it refuses every request that is signed here"
                           : std::string()),
                  kFix);
    } else {
      report.ok("clock", whose + " is this machine's, to " + sdk::in_words(std::max(apart, clock.accuracy)));
    }
  }
}

}  // namespace cdcrt::cli
