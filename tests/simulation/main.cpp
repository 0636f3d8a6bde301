// The simulation's command: runs schedules, prints those that fail and how to see them again.
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>

#include "plugin/instance.hpp"
#include "plugin/registry.hpp"
#include "simulation/broker.hpp"
#include "simulation/schedule.hpp"
#include "simulation/schedule_state.hpp"
#include "simulation/target.hpp"

namespace {

int usage() {
  std::fputs(
      "usage: simulation --seeds A..B | --seed N [--trace]\n"
      "  --seeds A..B   runs these schedules (B included)\n"
      "  --seed N       runs one\n"
      "  --trace        prints every step\n"
      "  --without WHAT schedules without that: truncates, growth, key-changes, bad-values, crashes, ... (several times)\n"
      "  --failures N   ends after so many failures (10)\n",
      stderr);
  return 2;
}

bool number(std::string_view text, uint64_t& value) {
  const auto end = text.data() + text.size();
  return !text.empty() && std::from_chars(text.data(), end, value).ptr == end;
}

double seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

}  // namespace

int main(int count, char** arguments) {
  uint64_t first = 1, last = 0, most_failures = 10;
  std::string without;
  for (int i = 1; i < count; ++i) {
    const std::string_view argument = arguments[i];
    const std::string_view value = i + 1 < count ? arguments[i + 1] : "";
    if (argument == "--trace") {
      cdcrt::simulation::set_tracing(true);
    } else if (argument == "--seed" && number(value, first)) {
      last = first;
      ++i;
    } else if (argument == "--without" && cdcrt::simulation::leave_out(value)) {
      without += " --without " + std::string(value);
      ++i;
    } else if (argument == "--failures" && number(value, most_failures)) {
      ++i;
    } else if (const auto dots = value.find(".."); argument == "--seeds" && dots != value.npos && number(value.substr(0, dots), first) &&
                                                   number(value.substr(dots + 2), last)) {
      ++i;
    } else {
      return usage();
    }
  }
  if (last < first) return usage();
  // What lives as long as the process must not be made within a schedule, whose memory goes with it.
  (void)cdcrt::plugin::path_of(nullptr);
  std::setvbuf(stdout, nullptr, _IOFBF, 1 << 16);
  const auto folder = std::filesystem::temp_directory_path() / ("cdcrt-simulation-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  // What is made once for all schedules is made before the first.
  (void)cdcrt::simulation::broker_plugin();
  (void)cdcrt::simulation::format_plugin();
  (void)cdcrt::simulation::target_plugin();
  (void)cdcrt::plugin::host_services();
  const double begun = seconds();
  uint64_t failures = 0, steps = 0, done = 0;
  for (uint64_t seed = first; seed <= last && failures < most_failures; ++seed) {
    const auto outcome = cdcrt::simulation::run_schedule(seed, folder.string());
    ++done;
    steps += outcome.steps;
    if (outcome.failure.empty()) continue;
    ++failures;
    std::printf("seed %llu fails: %s\n  see it again with: %s --seed %llu%s --trace\n", static_cast<unsigned long long>(seed),
                outcome.failure.c_str(), arguments[0], static_cast<unsigned long long>(seed), without.c_str());
    std::fflush(stdout);
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  const double taken = seconds() - begun;
  std::printf("%llu schedule(s), %llu failure(s), %.1f s, %.2f ms and %llu steps each\n", static_cast<unsigned long long>(done),
              static_cast<unsigned long long>(failures), taken, 1000 * taken / static_cast<double>(done),
              static_cast<unsigned long long>(steps / done));
  return failures == 0 ? 0 : 1;
}
