// Flows: the partitions being read, each decoded in order by one worker at a time, several in parallel.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "plugin/instance.hpp"
#include "progress/partition.hpp"
#include "runtime/monitor.hpp"

namespace cdcrt::apply {
class Table;
}

namespace cdcrt::runtime {

/// A partition and its undecoded batches.
struct Flow {
  Flow(std::size_t index_of_source, std::string source, std::string topic, int32_t number, progress::Partition::SeekRequest seek,
       bool assigned)
      : source_index(index_of_source), partition(std::move(source), std::move(topic), number, std::move(seek), assigned) {}
  const std::size_t source_index;
  progress::Partition partition;
  /// Where its rows go. Only for the worker that has taken the flow.
  struct Destination {
    bool known = false;
    apply::Table* table = nullptr;  ///< null: ignored
  };
  std::unordered_map<uint64_t, Destination> destinations;  ///< by event::Shape::id

 private:
  friend class Flows;
  std::deque<plugin::Messages> queue;
  bool busy = false;
  bool listed = false;
};

/// Any thread.
class Flows {
 public:
  explicit Flows(Monitor& monitor) : monitor_(monitor) {}
  Flow& find_or_add(std::size_t source_index, const std::string& source, const std::string& topic, int32_t number,
                    const progress::Partition::SeekRequest& seek, bool assigned);
  /// Appends a batch; its bytes count against the budget until it is done.
  void push(Flow& flow, plugin::Messages messages);
  /// The next batch of a flow that no worker has taken; nullptr: nothing to do now. The caller ends with done().
  Flow* take(plugin::Messages& messages);
  /// Whoever calls it looks for more: nobody else is woken for what the flow has left.
  void done(Flow& flow, uint64_t bytes);
  /// No batch waits and none is being decoded.
  [[nodiscard]] bool idle() const;
  /// When a batch was last decoded; the epoch: never.
  [[nodiscard]] std::chrono::steady_clock::time_point last_done() const;
  [[nodiscard]] std::vector<Flow*> all() const;

 private:
  Monitor& monitor_;
  mutable std::mutex mutex_;
  std::map<std::tuple<std::size_t, std::string, int32_t>, std::unique_ptr<Flow>> flows_;
  std::deque<Flow*> waiting_;
  std::size_t busy_ = 0;
  std::chrono::steady_clock::time_point last_done_{};
};

}  // namespace cdcrt::runtime
