#include "runtime/resident_memory.hpp"

#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <utility>

namespace cdcrt::runtime {
namespace {

constexpr auto kInterval = std::chrono::seconds(1);
constexpr int64_t kQuiet = 1 << 20;
constexpr int64_t kSmallBudget = 48 << 20;
// So that the allocator's upkeep costs nothing where little comes and goes.
constexpr int64_t kWorthIt = 8 << 20;

/// 0: unknown.
int64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  int64_t whole = 0, resident = 0;
  return file >> whole >> resident ? resident * ::sysconf(_SC_PAGESIZE) : 0;
}

}  // namespace

void ResidentMemory::fit([[maybe_unused]] int64_t budget) {
#ifdef __GLIBC__
  if (budget <= kSmallBudget) ::mallopt(M_ARENA_MAX, 1);
#endif
}

void ResidentMemory::step(int64_t held) {
#ifdef __GLIBC__
  const auto now = Clock::now();
  if (now < next_) return;
  next_ = now + kInterval;
  const bool is_quiet = held < kQuiet;
  if (!std::exchange(was_quiet_, is_quiet) || !is_quiet) return;
  const int64_t resident = resident_bytes();
  if (resident < kept_ + kWorthIt) {
    kept_ = std::min(kept_, resident);
    return;
  }
  // Each thread's heap keeps what was freed in its midst, however much that is.
  (void)::malloc_trim(0);
  kept_ = resident_bytes();
#else
  (void)held;
#endif
}

}  // namespace cdcrt::runtime
