// LogWatch: whether the logs that are read are still the ones they were.
//
// A topic that is deleted and made again while it is read shows in nothing that a client is told, where the new log is longer than the
// old one was: it goes on at the old position. So a message that was read before, the anchor, is read once more from time to time. As
// long as it is found, everything that was read until then is of the same log; the last of that becomes the anchor. Only anchors are
// stored with the watermarks, so that no crash hides the other log from the next start.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/source_runtime.hpp"

namespace cdcrt::runtime {

/// The coordinator's thread.
class LogWatch {
 public:
  LogWatch(Flows& flows, std::vector<std::unique_ptr<SourceRuntime>>& sources, Monitor& monitor)
      : flows_(flows), sources_(sources), monitor_(monitor) {}

  /// Looks at the partitions that are due, within a bounded share of the time: each second at those that something was read of, less
  /// often at others, and the more seldom the more there are. Error: one is another log; the pipeline must stop.
  Result<void> step();
  /// Looks at all partitions that something was read of since the last look.
  Result<void> look_at_moved();

 private:
  using Clock = std::chrono::steady_clock;
  struct Look {
    Clock::time_point looked{};
    Clock::time_point rests_until{};  ///< the last look had no result: not again before that
  };
  /// How far a partition was before it is looked at.
  struct Stand {
    Flow* flow;
    Look* of;
    uint32_t session;
    progress::LastMessage last, anchor;
  };
  Result<void> look(const std::vector<std::pair<Flow*, Look*>>& due, Clock::time_point until);
  std::map<const Flow*, bool> look_together(const std::vector<Stand>& stands);
  Result<void> look_alone(const Stand& stand);
  void confirm(const Stand& stand);

  Flows& flows_;
  std::vector<std::unique_ptr<SourceRuntime>>& sources_;
  Monitor& monitor_;
  std::map<const Flow*, Look> looks_;
  std::map<std::size_t, Clock::time_point> source_rests_until_;  ///< the source does not answer: not again before that
  Clock::time_point next_step_{};
};

}  // namespace cdcrt::runtime
