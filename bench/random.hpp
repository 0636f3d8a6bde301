// Numbers by seed: the same on every machine.
#pragma once

#include <cstdint>

namespace cdcrt::bench {

/// SplitMix64's finalizer, of the number after its step.
inline uint64_t mix(uint64_t value) {
  value += 0x9e3779b97f4a7c15ULL;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
  return value ^ (value >> 31);
}

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t below(uint64_t bound) { return mix(state_++) % bound; }

 private:
  uint64_t state_;
};

}  // namespace cdcrt::bench
