// Broker: topics that grow, and a consumer group whose members come, fall silent and go.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "cdcrt/abi/plugin.h"
#include "simulation/workload.hpp"

namespace cdcrt::simulation {

/// Topic (index) and partition.
using Place = std::pair<int, int32_t>;

class Broker {
 public:
  explicit Broker(const Workload& workload);

  struct Log {
    int64_t first = 0;
    std::vector<std::size_t> events;  ///< index into the workload's, by offset
    [[nodiscard]] int64_t end() const { return static_cast<int64_t>(events.size()); }
  };
  std::map<Place, Log> logs;  ///< partitions that exist now
  /// Appends the next event of the history.
  void produce();
  [[nodiscard]] bool produced_all() const { return next_ == workload_.events.size(); }
  void add_partitions();
  [[nodiscard]] bool is_growing_next() const { return next_ == workload_.growth_at && workload_.growth_at < workload_.events.size(); }
  [[nodiscard]] int topic_of(std::string_view name) const;
  [[nodiscard]] const Workload& workload() const { return workload_; }

  // The group.

  struct Member {
    int process = 0;
    Time last_seen = 0;
    uint64_t generation = 0;   ///< of the assignment it was told
    std::set<Place> assigned;  ///< as the group says
  };
  Member& join(int process);
  void leave(int process);
  /// Members that have been silent for too long are put out; the rest get everything.
  void rebalance(bool only_if_needed);
  [[nodiscard]] uint64_t generation() const { return generation_; }
  std::map<int, Member> members;
  bool down = false;

 private:
  const Workload& workload_;
  std::size_t next_ = 0;
  uint64_t generation_ = 1;
};

/// Of the running schedule.
Broker*& broker();

/// The source plugin that stands for the broker, and the format of its messages.
const cdcrt_plugin& broker_plugin();
const cdcrt_plugin& format_plugin();

/// Offset of each event in its partition, by order - 1.
constexpr Time kSessionTimeout = 3 * kSecond;

}  // namespace cdcrt::simulation
