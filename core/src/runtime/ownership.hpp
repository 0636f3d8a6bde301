// Ownership: which partitions this process may read and write.
//
// What a source assigns is claimed in every sink (leases), verified against the log, put back into the tables, and then read from
// where the sink that is furthest behind needs it. What is taken away is dropped from the tables at once.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "diagnostics/reminder.hpp"
#include "progress/store.hpp"
#include "runtime/sink_runtime.hpp"
#include "runtime/source_runtime.hpp"

namespace cdcrt::runtime {

/// assigned(), revoked() and lost() may be called by any thread; the rest by the coordinator's alone.
class Ownership final : public AssignmentListener {
 public:
  Ownership(Monitor& monitor, std::vector<std::unique_ptr<SourceRuntime>>& sources, std::vector<std::unique_ptr<SinkRuntime>>& sinks)
      : monitor_(monitor), sources_(sources), sinks_(sinks) {}

  /// Once, before the sources start: claims the partitions of sources that have no consumer group (files), which are always ours.
  Result<void> claim_fixed();
  void assigned(std::size_t source, const std::string& topic, int32_t partition) override;
  void revoked(std::size_t source, const std::string& topic, int32_t partition) override;
  /// Another process, or a truncate of it, took the partition's lease. It is claimed again as long as it is assigned.
  void lost(const progress::Partition& partition);
  /// Claims what is due. Error: the pipeline must stop (retention deleted messages, or the topic was made again).
  Result<void> step();
  /// For sources that end: whether other processes have applied their partitions, up to where the logs ended when this was first
  /// called. Coordinator's thread.
  Result<bool> others_are_read();
  /// Whether other processes have nothing to write to this sink: by the watermarks that it last read, their partitions are applied up
  /// to where the logs end now. Coordinator's thread.
  bool others_rest(const SinkRuntime& sink);
  /// For those who watch, of one source; any thread.
  [[nodiscard]] uint64_t waiting(std::size_t source) const;
  [[nodiscard]] uint64_t leases_lost(std::size_t source) const;
  /// Whether the partition was handed to the tables up to `end`, or applied by the process that has it. Coordinator's thread.
  Result<bool> is_read(SourceRuntime& source, SinkRuntime& sink, const progress::PartitionKey& key, int64_t end);
  /// Nothing is waiting to be claimed.
  [[nodiscard]] bool settled() const;

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr auto kLookAgain = std::chrono::seconds(1);
  struct Wanted {
    std::size_t source = 0;
    Clock::time_point due{};
  };
  Result<void> keep_notes(SourceRuntime& source, const std::set<progress::PartitionKey>& kept_keys);
  void drop(SourceRuntime& source, const std::string& topic, int32_t partition);
  [[nodiscard]] std::vector<std::pair<progress::PartitionKey, Wanted>> due();
  void postpone(const std::vector<progress::PartitionKey>& keys, Clock::duration delay);
  Result<void> claim(SourceRuntime& source, std::vector<progress::PartitionKey> keys);
  Result<std::vector<progress::StartOffset>> start_offsets(SourceRuntime& source, std::vector<progress::PartitionKey>& keys,
                                                           Result<void>& failure);
  Result<std::optional<progress::StartOffset>> start_of_added(SourceRuntime& source, const progress::PartitionKey& key);
  static Result<int64_t> first_of_log(SourceRuntime& source, const progress::PartitionKey& key);
  Result<progress::WaitsFor> ends_of_older(SourceRuntime& source, const progress::PartitionKey& key);
  Result<bool> older_are_applied(SourceRuntime& source, const progress::PartitionKey& key);
  /// What the source told of many partitions at once, after they were claimed; of those that are missing it is asked for singly.
  struct Told {
    std::map<progress::PartitionKey, cdcrt_bounds> bounds;
    std::map<progress::PartitionKey, bool> same;       ///< the message that was applied last is still where it was
    std::map<progress::PartitionKey, int64_t> starts;  ///< where no target keeps progress
  };
  /// Where they begin: as the source's settings say, or their logs.
  std::map<progress::PartitionKey, int64_t> first_offsets(SourceRuntime& source, std::vector<progress::PartitionKey> keys, bool as_set,
                                                          Result<void>& failure);
  void put_vain_last(const SourceRuntime& source, std::vector<progress::PartitionKey>& keys) const;
  [[nodiscard]] Told ask_together(SourceRuntime& source, const std::vector<progress::PartitionKey>& keys) const;
  [[nodiscard]] std::optional<progress::StoredPartition> furthest_behind(const progress::PartitionKey& key) const;
  static Result<int64_t> verify(SourceRuntime& source, const progress::PartitionKey& key, const progress::StoredPartition& kept,
                                const Told& told);
  static Result<int64_t> start_of(SourceRuntime& source, const progress::PartitionKey& key, const Told& told);
  Result<void> take_when_older_are_applied(SourceRuntime& source, const progress::PartitionKey& key, uint32_t session, const Told& told);
  Result<void> take(SourceRuntime& source, const progress::PartitionKey& key, uint32_t session, const Told& told);

  Monitor& monitor_;
  std::vector<std::unique_ptr<SourceRuntime>>& sources_;
  std::vector<std::unique_ptr<SinkRuntime>>& sinks_;
  Result<bool> is_applied(SourceRuntime& source, const progress::PartitionKey& key, int64_t end);
  using Kept = std::map<progress::PartitionKey, progress::StoredPartition>;
  static Result<bool> is_empty_between(SourceRuntime& source, const progress::PartitionKey& key, int64_t first, int64_t end);
  static Result<bool> is_applied(const Kept& kept, SourceRuntime& source, const progress::PartitionKey& key, int64_t end);
  Result<bool> look_at_others(const SinkRuntime& sink);
  void leave_out_empty(SourceRuntime& source, std::vector<progress::PartitionKey>& keys, Result<void>& failure);

  std::map<std::size_t, std::map<progress::PartitionKey, cdcrt_bounds>> ends_;  ///< coordinator's
  struct Rest {
    Clock::time_point asked{};
    bool rests = false;
  };
  std::map<const SinkRuntime*, Rest> rests_;  ///< coordinator's
  /// Coordinator's: of partitions that are not ours, where the log ended and the watermark stood when all was found applied.
  std::map<std::pair<const SinkRuntime*, progress::PartitionKey>, std::pair<int64_t, int64_t>> applied_;
  std::set<progress::PartitionKey> empty_;  ///< coordinator's: added, and nothing is in them so far
  bool no_longer_wanted(std::set<progress::PartitionKey>& keys) const;
  std::map<std::size_t, progress::PartitionKey> asked_in_vain_;        ///< coordinator's: by source, the last one
  std::map<std::size_t, std::set<progress::PartitionKey>> unclaimed_;  ///< coordinator's: whose last claim failed
  std::map<std::size_t, diagnostics::Reminder> waits_;                 ///< coordinator's: sources that cannot be claimed yet
  mutable std::mutex mutex_;
  std::map<progress::PartitionKey, Wanted> wanted_;
  std::set<progress::PartitionKey> assigned_;
  std::map<std::size_t, uint64_t> leases_lost_;  ///< by source
};

}  // namespace cdcrt::runtime
