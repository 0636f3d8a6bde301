#include "observe/time_left.hpp"

#include <algorithm>

namespace cdcrt::observe {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr Seconds kShortest{2.5};  // three looks, a little early
constexpr Seconds kMoves{20};      // within that long something must have moved
constexpr Seconds kLive{5};        // whoever is so little behind follows what arrives
constexpr Seconds kMost{366.0 * 86'400};

}  // namespace

void TimeLeft::add(Clock::time_point now, uint64_t done, uint64_t left, uint64_t parts) {
  // A log that was read again from further back counts anew as well.
  if (parts != parts_ || (count_ > 0 && done < newest().done)) count_ = 0;
  parts_ = parts;
  samples_[next_] = {now, done, left};
  next_ = (next_ + 1) % samples_.size();
  count_ = std::min(count_ + 1, samples_.size());
}

std::optional<double> TimeLeft::seconds(Clock::time_point now) const {
  if (count_ == 0) return std::nullopt;
  const Sample& last = newest();
  if (last.left == 0) return 0;
  const Sample& first = newest(count_ - 1);
  const Seconds measured = last.time - first.time;
  if (measured < kShortest) return std::nullopt;
  Clock::time_point moved = first.time;
  for (std::size_t back = 0; back + 1 < count_; ++back) {
    if (newest(back).done == newest(back + 1).done) continue;
    moved = newest(back).time;
    break;
  }
  if (now - moved > kMoves) return std::nullopt;
  const double read = static_cast<double>(last.done - first.done) / measured.count();
  const auto left = static_cast<double>(last.left);
  const bool arrives = last.done + last.left > first.done + first.left;
  if (arrives && left <= read * kLive.count()) return 0;
  const double less = (static_cast<double>(first.left) - left) / measured.count();
  if (less <= 0 || left / less > kMost.count()) return std::nullopt;
  return std::max(0.0, left / less - Seconds(now - last.time).count());
}

}  // namespace cdcrt::observe
