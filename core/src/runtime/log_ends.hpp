// LogEnds: where the logs of this process's partitions end, asked for again and again while somebody may want to know how far behind it is.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <vector>

#include "runtime/flow.hpp"
#include "runtime/monitor.hpp"
#include "runtime/source_runtime.hpp"

namespace cdcrt::runtime {

/// Of sources whose partitions are assigned; others do not know. Asks about every 5 s, of some hundred partitions together, and not while
/// the source is waited for. A thread of its own, since a broker may let it wait.
class LogEnds {
 public:
  LogEnds(Monitor& monitor, Flows& flows, std::vector<std::unique_ptr<SourceRuntime>>& sources)
      : monitor_(monitor), flows_(flows), sources_(sources) {}
  ~LogEnds() { stop(); }
  /// Once the sources run.
  void start();
  void stop();
  /// As it was told last; nullopt: not yet. Any thread.
  [[nodiscard]] std::optional<int64_t> end(const progress::Partition& partition) const;

 private:
  void work();
  [[nodiscard]] bool look(SourceRuntime& source, const std::vector<const progress::Partition*>& partitions);
  void note(const progress::Partition& partition, int64_t end);
  [[nodiscard]] bool pause(std::chrono::milliseconds time);

  Monitor& monitor_;
  Flows& flows_;
  std::vector<std::unique_ptr<SourceRuntime>>& sources_;
  mutable std::mutex mutex_;
  std::unordered_map<const progress::Partition*, int64_t> ends_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace cdcrt::runtime
