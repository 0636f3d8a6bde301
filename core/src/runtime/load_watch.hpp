// LoadWatch: how long sources and tables still take to come to the end of what there is.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "apply/partitions_now.hpp"
#include "observe/time_left.hpp"
#include "runtime/sink_runtime.hpp"
#include "runtime/source_runtime.hpp"

namespace cdcrt::runtime {

/// How much the source has read of what there is: by the ends of its logs where all of them are known, else as it counts itself.
cdcrt_extent extent_of(SourceRuntime& source, const apply::PartitionsNow& partitions);

/// One thread measures, any thread asks. Sources count by extent_of(), tables by the offsets of their partitions, as far as the ends of
/// these are known.
class LoadWatch {
 public:
  using Clock = observe::TimeLeft::Clock;

  /// Whether it is time to measure again.
  [[nodiscard]] bool is_due(Clock::time_point now) const { return now >= next_; }
  void measure(Clock::time_point now, const std::vector<std::unique_ptr<SourceRuntime>>& sources,
               const std::vector<std::unique_ptr<SinkRuntime>>& sinks, const apply::PartitionsNow& partitions);
  /// As observe::TimeLeft says; nullopt also for a table that has nothing left.
  [[nodiscard]] std::optional<double> left(const SourceRuntime& source) const;
  [[nodiscard]] std::optional<double> left(const apply::Table& table) const;

 private:
  Clock::time_point next_{};  ///< the measuring thread's
  uint32_t measured_ = 0;     ///< the same
  mutable std::mutex mutex_;
  std::unordered_map<const SourceRuntime*, observe::TimeLeft> sources_;
  std::unordered_map<const apply::Table*, observe::TimeLeft> tables_;  ///< those that are behind
};

}  // namespace cdcrt::runtime
