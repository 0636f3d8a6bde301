#include "runtime/short_turns.hpp"

#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <charconv>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

namespace cdcrt::runtime {

namespace {

constexpr auto kStep = std::chrono::milliseconds(500);
constexpr double kManyRows = 5'000;  // a second

#if defined(__linux__) && defined(SYS_sched_getattr) && defined(SYS_sched_setattr)

// Of the kernel, as of its first version (sched_setattr(2)); the C library has no name for it.
struct Attributes {
  uint32_t size = sizeof(Attributes), policy = 0;
  uint64_t flags = 0;
  int32_t nice = 0;
  uint32_t priority = 0;
  uint64_t runtime = 0, deadline = 0, period = 0;
};
constexpr uint32_t kNormal = 0;      // SCHED_OTHER
constexpr uint64_t kTurn = 100'000;  // ns: the least that the kernel takes; 0: as others have

bool set_turns(int thread, bool are_short) {
  Attributes own;
  // Kernels that know turns tell theirs.
  if (::syscall(SYS_sched_getattr, thread, &own, sizeof own, 0) != 0 || own.policy != kNormal || own.runtime == 0) return false;
  own.size = sizeof own;
  own.runtime = are_short ? kTurn : 0;
  return ::syscall(SYS_sched_setattr, thread, &own, 0) == 0;
}

#else

bool set_turns(int, bool) { return false; }

#endif

}  // namespace

bool ask_for_short_turns(int thread, bool are_short) { return set_turns(thread, are_short); }

void ShortTurns::step(uint64_t rows, Clock::time_point now) {
  if (looked_ != Clock::time_point{} && now - looked_ < kStep) return;
  const double seconds = std::chrono::duration<double>(now - std::exchange(looked_, now)).count();
  const bool are_few = static_cast<double>(rows - std::exchange(rows_, rows)) < kManyRows * seconds;
  if (are_few == are_short_) return;
  are_short_ = are_few;
  // Those that are started later ask for what their starter does.
  std::error_code none;
  for (const auto& each : std::filesystem::directory_iterator("/proc/self/task", none)) {
    const std::string name = each.path().filename().string();
    int thread = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), thread).ec == std::errc()) (void)set_turns(thread, are_short_);
  }
}

}  // namespace cdcrt::runtime
