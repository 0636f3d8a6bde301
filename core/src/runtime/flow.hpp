// Flows: the partitions being read, each decoded in order by one worker at a time, several in parallel.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "plugin/instance.hpp"
#include "progress/partition.hpp"
#include "runtime/monitor.hpp"

namespace cdcrt::runtime {

/// A partition and its undecoded batches.
struct Flow {
  Flow(std::size_t index_of_source, std::string source, std::string name, int32_t number, progress::Partition::SeekRequest seek,
       bool assigned)
      : source_index(index_of_source), partition(std::move(source), std::move(name), number, std::move(seek), assigned) {}
  const std::size_t source_index;
  progress::Partition partition;
  uint32_t topic = 0;  ///< the same for all partitions of a topic of a source, and for no others

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
  /// Into `batches` the next batch of a flow that no worker has taken, and those that wait behind it and go on where it ends, as long as
  /// all have `most_bytes` at most; nullptr: nothing to do now. The caller ends with done().
  Flow* take(std::vector<plugin::Messages>& batches, uint64_t most_bytes);
  /// Whoever calls it looks for more: nobody else is woken for what the flow has left.
  void done(Flow& flow, uint64_t bytes);
  /// No batch waits and none is being decoded.
  [[nodiscard]] bool idle() const;
  /// When a batch was last decoded; the epoch: never.
  [[nodiscard]] std::chrono::steady_clock::time_point last_done() const;
  /// By source, topic and number.
  [[nodiscard]] std::vector<Flow*> all() const;

 private:
  struct Place {
    std::size_t source_index;
    std::string_view topic;  ///< of the flow itself
    int32_t number;
    auto operator<=>(const Place&) const = default;
  };
  struct PlaceHash {
    std::size_t operator()(const Place& place) const {
      const std::size_t numbers = place.source_index * 1'000'003 + static_cast<uint32_t>(place.number);
      return std::hash<std::string_view>()(place.topic) ^ (numbers * 0x9E3779B97F4A7C15ULL);
    }
  };
  Monitor& monitor_;
  mutable std::mutex mutex_;
  std::unordered_map<Place, std::unique_ptr<Flow>, PlaceHash> flows_;
  std::map<std::pair<std::size_t, std::string>, uint32_t> topics_;
  mutable std::vector<std::pair<Place, Flow*>> sorted_, added_;  ///< all of them; the latest are not in their places so far
  std::deque<Flow*> waiting_;
  std::size_t busy_ = 0;
  std::chrono::steady_clock::time_point last_done_{};
};

}  // namespace cdcrt::runtime
