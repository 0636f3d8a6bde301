// What this program's own code allocates and locks: operator new and the locks of the C library pass through here.
#pragma once

#include <cstdint>

namespace cdcrt::test {

struct Counted {
  uint64_t allocations = 0, locks = 0;
  Counted operator-(const Counted& other) const { return {allocations - other.allocations, locks - other.locks}; }
};

/// Of this thread so far.
Counted counted();

/// Between pause(true) and pause(false) nothing is counted; they may be nested.
void pause(bool begins);

/// The same while one of them lives.
class Uncounted {
 public:
  Uncounted() { pause(true); }
  ~Uncounted() { pause(false); }
  Uncounted(const Uncounted&) = delete;
  Uncounted& operator=(const Uncounted&) = delete;
};

}  // namespace cdcrt::test
