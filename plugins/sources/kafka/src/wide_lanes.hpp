// WideLanes: which of many lanes may ask for much at a time.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace cdcrt::kafka_source {

/// Each answer names all partitions of its lane, so that small answers are dear; large ones for all lanes at once would take too much
/// memory. A few of those that have a backlog take turns. One thread.
class WideLanes {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t kMost = 4;
  static constexpr uint64_t kTellsBacklog = 32 << 10;  ///< bytes, of one time that a lane was emptied
  static constexpr uint64_t kTurn = 16 << 20;          ///< bytes
  static constexpr std::chrono::milliseconds kRest{200};

  struct Change {
    std::size_t lane;
    bool is_wide;
    bool operator==(const Change&) const = default;
  };
  /// So many bytes were taken of a lane. Answers whose bounds change.
  std::vector<Change> taken(std::size_t lane, uint64_t bytes, Clock::time_point now) {
    std::vector<Change> changes;
    const auto found = std::find_if(wide_.begin(), wide_.end(), [&](const Wide& each) { return each.lane == lane; });
    if (found != wide_.end()) {
      found->bytes += bytes;
      if (bytes > 0) found->last = now;
      if (found->bytes >= kTurn) {
        wide_.erase(found);
        changes.push_back({lane, false});
      }
      return changes;
    }
    if (bytes < kTellsBacklog) return changes;
    std::erase_if(wide_, [&](const Wide& each) {
      const bool is_over = now - each.last >= kRest;
      if (is_over) changes.push_back({each.lane, false});
      return is_over;
    });
    if (wide_.size() >= kMost) return changes;
    wide_.push_back({lane, 0, now});
    changes.push_back({lane, true});
    return changes;
  }

 private:
  struct Wide {
    std::size_t lane;
    uint64_t bytes;  // since it is
    Clock::time_point last;
  };
  std::vector<Wide> wide_;
};

}  // namespace cdcrt::kafka_source
