#include "observe/time_left.hpp"

#include <algorithm>

namespace cdcrt::observe {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr Seconds kShortest{2.5};  // three looks, a little early
constexpr Seconds kLongest{60};    // but three steps at least
constexpr Seconds kMoves{20};      // within that long something must have moved
constexpr Seconds kLive{5};        // whoever is so little behind follows what arrives
constexpr Seconds kMost{366.0 * 86'400};
constexpr std::size_t kSteps = 3;

}  // namespace

void TimeLeft::add(Clock::time_point now, uint64_t done, uint64_t left, uint64_t parts) {
  // A log that was read again from further back counts anew as well.
  if (parts != parts_ || (count_ > 0 && done < samples_[count_ - 1].done)) count_ = 0;
  parts_ = parts;
  // Of looks at which nothing had moved since the one before only the last is kept: large batches move in steps of minutes.
  if (count_ > 1 && samples_[count_ - 1].done == samples_[count_ - 2].done) --count_;
  const auto is_over = [&] { return count_ == samples_.size() || (count_ > kSteps + 1 && now - samples_[1].time >= kLongest); };
  while (is_over()) {
    std::copy(samples_.begin() + 1, samples_.begin() + static_cast<std::ptrdiff_t>(count_), samples_.begin());
    --count_;
  }
  samples_[count_++] = {now, done, left};
}

std::optional<double> TimeLeft::seconds(Clock::time_point now) const {
  if (count_ == 0) return std::nullopt;
  const Sample& last = samples_[count_ - 1];
  if (last.left == 0) return 0;
  const Sample& first = samples_[0];
  const bool moved_now = count_ > 1 && last.done != samples_[count_ - 2].done;
  const Sample& moved = moved_now || count_ == 1 ? last : samples_[count_ - 2];
  const Seconds measured = moved.time - first.time;
  if (measured < kShortest) return std::nullopt;
  Seconds longest{0};
  for (const Sample* each = &first; each != &moved; ++each) longest = std::max<Seconds>(longest, (each + 1)->time - each->time);
  const Seconds since = now - moved.time;
  if (since > std::max(kMoves, 2 * longest)) return std::nullopt;
  const double read = static_cast<double>(moved.done - first.done) / measured.count();
  const auto left = static_cast<double>(last.left);
  const bool arrives = last.done + last.left > first.done + first.left;
  if (arrives && left <= read * kLive.count()) return 0;
  const double less = (static_cast<double>(first.left) - static_cast<double>(moved.left)) / measured.count();
  if (less <= 0 || left / less > kMost.count()) return std::nullopt;
  // While a step takes longer than the others did, there is a second left, not none.
  return std::max(1.0, left / less - since.count());
}

}  // namespace cdcrt::observe
