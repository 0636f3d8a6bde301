// Random: all chance of a schedule comes from one of these, made from its seed.
#pragma once

#include <cstdint>

namespace cdcrt::simulation {

/// SplitMix64. One thread.
class Random {
 public:
  // The first draw scatters the seeds: neighbours have nothing in common.
  explicit Random(uint64_t seed) : state_(seed) { state_ = next() ^ (seed << 32); }
  uint64_t next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  /// 0..bound-1; 0 for a bound below 1.
  int64_t below(int64_t bound) { return bound <= 0 ? 0 : static_cast<int64_t>(next() % static_cast<uint64_t>(bound)); }
  /// first..last
  int64_t between(int64_t first, int64_t last) { return first + below(last - first + 1); }
  /// True `per_mille` times in a thousand.
  bool chance(int64_t per_mille) { return below(1000) < per_mille; }

 private:
  uint64_t state_;
};

}  // namespace cdcrt::simulation
