// TimeLeft: how long what is left to read or to apply will take, by how far it came over the last minute, or the last steps where these are
// longer.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace cdcrt::observe {

/// One thread. It measures how fast what is left grows less: what arrives meanwhile counts.
class TimeLeft {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr auto kBetween = std::chrono::seconds(5), kSooner = std::chrono::seconds(1);

  /// About every kBetween, and at the beginning, when little was measured, every kSooner. `parts`: what is counted (which partitions); once
  /// that is something else the past says nothing.
  void add(Clock::time_point now, uint64_t done, uint64_t left, uint64_t parts);
  /// 0: nothing is left, or what arrives is read within seconds. nullopt: not known, because it was measured for less than 3 s, or what is
  /// left does not grow less, or nothing moved lately (for 20 s, or twice as long as the longest of the last steps), or it would take more
  /// than a year.
  [[nodiscard]] std::optional<double> seconds(Clock::time_point now) const;

 private:
  struct Sample {
    Clock::time_point time;
    uint64_t done = 0, left = 0;
  };
  /// In the order of time: the first look, the last looks at which it had moved, the last look.
  std::array<Sample, 15> samples_{};
  std::size_t count_ = 0;
  uint64_t parts_ = 0;
};

}  // namespace cdcrt::observe
