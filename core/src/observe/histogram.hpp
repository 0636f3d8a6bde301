// Histogram: how often values fell into which range. Counted for each batch, never for each row.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace cdcrt::observe {

/// As counted so far.
struct HistogramCounts {
  std::span<const double> bounds;  ///< upper ones, ascending, inclusive; the last range has none. Static
  std::vector<uint64_t> counts;    ///< of each range, one more than bounds
  double sum = 0;
};

inline constexpr std::array<double, 17> kSecondsBounds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
                                                       1,     2.5,    5,     10,   30,    60,   300, 3600};
inline constexpr std::array<double, 7> kRowsBounds{1, 10, 100, 1'000, 10'000, 100'000, 1'000'000};

/// Any thread. A reader may see the newest value in its range and not in the sum yet. `Bounds`: a static array, ascending.
template <const auto& Bounds>
class Histogram {
 public:
  void observe(double value) {
    const auto range = static_cast<std::size_t>(std::lower_bound(Bounds.begin(), Bounds.end(), value) - Bounds.begin());
    counts_[range].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(value, std::memory_order_relaxed);
  }
  [[nodiscard]] HistogramCounts counts() const {
    HistogramCounts found{Bounds, {}, sum_.load(std::memory_order_relaxed)};
    for (const auto& count : counts_) found.counts.push_back(count.load(std::memory_order_relaxed));
    return found;
  }

 private:
  std::array<std::atomic<uint64_t>, Bounds.size() + 1> counts_{};
  std::atomic<double> sum_{0};
};

using SecondsHistogram = Histogram<kSecondsBounds>;
using RowsHistogram = Histogram<kRowsBounds>;

}  // namespace cdcrt::observe
