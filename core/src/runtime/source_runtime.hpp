// SourceRuntime: one source of the manifest at work: the thread that polls it, seeks, and a way to read messages again.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "diagnostics/reminder.hpp"
#include "manifest/manifest.hpp"
#include "plugin/instance.hpp"
#include "progress/stored.hpp"
#include "runtime/flow.hpp"
#include "runtime/monitor.hpp"
#include "runtime/source_outage.hpp"

namespace cdcrt::runtime {

/// Told by the source's thread when partitions come and go.
class AssignmentListener {
 public:
  virtual ~AssignmentListener() = default;
  virtual void assigned(std::size_t source, const std::string& topic, int32_t partition) = 0;
  virtual void revoked(std::size_t source, const std::string& topic, int32_t partition) = 0;
};

/// The error for a partition that was to be read from `next` on and begins at `first` by now: the gap and the choices.
Error deleted_by_retention(const progress::PartitionKey& partition, int64_t next, int64_t first);

/// The error for a log that was deleted and made again: another message is at an offset that was applied.
Error another_log(const progress::PartitionKey& partition, int64_t offset);

/// Created and started by the pipeline's thread. Any thread may call what does not say otherwise.
class SourceRuntime {
 public:
  /// `max_buffered_bytes`: of messages and rows together. It is higher than the bound at which all rows are written, so that reading goes
  /// on once they are.
  SourceRuntime(const manifest::Source& manifest, std::size_t index, Monitor& monitor, Flows& flows, int64_t max_message_bytes,
                int64_t max_buffered_bytes = INT64_MAX)
      : manifest_(manifest), index_(index), monitor_(monitor), flows_(flows), max_message_bytes_(max_message_bytes),
        max_buffered_bytes_(max_buffered_bytes) {}
  ~SourceRuntime();

  [[nodiscard]] const std::string& name() const { return manifest_.name; }
  [[nodiscard]] std::size_t index() const { return index_; }
  [[nodiscard]] const manifest::Source& manifest() const { return manifest_; }
  /// Partitions are assigned and taken away while it runs.
  [[nodiscard]] bool is_group() const { return source_->has(CDCRT_SOURCE_GROUPS); }
  Result<void> open();
  /// Before start(): where the target's progress of a partition ends, and what is remembered of the last messages that were applied,
  /// by offset: the source fails when another stands there now.
  Result<void> start_at(const std::string& topic, int32_t partition, int64_t offset, const std::map<int64_t, progress::LastMessage>& lasts);
  /// The listener outlives the source.
  void start(AssignmentListener& listener);
  // What the thread of start() does, for those who have no threads: begin() once, then step() until it answers false.
  bool begin(AssignmentListener& listener);
  bool step(uint32_t timeout_ms);

  /// The flow of a partition of this source, made on first use.
  Flow& flow(const std::string& topic, int32_t partition);
  /// Its thread may hand over one more batch.
  [[nodiscard]] bool reads() const { return reads_; }
  /// Every message was handed on, and no seek waits.
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] std::optional<Error> failure() const;
  [[nodiscard]] cdcrt_extent extent() { return source_->extent(); }
  [[nodiscard]] uint64_t messages() const { return messages_; }
  [[nodiscard]] uint64_t bytes() const { return bytes_; }
  /// Why nothing comes, while the source is waited for; nullopt: it answers. After an outage it is known some seconds late.
  [[nodiscard]] std::optional<std::string> outage() const { return outage_.text(std::chrono::steady_clock::now()); }
  /// Of an outage: that of a part, while the rest goes on bringing messages. Known some seconds late.
  [[nodiscard]] bool is_partial_outage() const { return outage_.is_partial(std::chrono::steady_clock::now()); }
  plugin::Source& source() { return *source_; }
  /// One reader at a time; see plugin::Source::fetch. UNSUPPORTED, before anything is visited: retention has deleted messages from
  /// `first` on. FATAL, also after something was visited: the log is not the one that the partition is read from.
  Result<void> fetch(const std::string& topic, int32_t partition, int64_t first, int64_t last,
                     const std::function<bool(const cdcrt_message&)>& visit);
  /// Whether `last` is still where it was, as far as that can be told: what retention or compaction deleted cannot. BUSY, where
  /// that is not waited for: somebody else reads.
  Result<bool> is_same_log(const std::string& topic, int32_t partition, const progress::LastMessage& last, bool waits);
  /// The same of many in few requests, without waiting for somebody who reads. False: it is not there, which may be said of the same log
  /// too, so that it is to be asked for singly, as is what is left out.
  std::map<progress::PartitionKey, bool> are_same_logs(const std::map<progress::PartitionKey, progress::LastMessage>& lasts);
  /// Where many partitions begin and end, in few requests; what is left out is to be asked for singly.
  std::map<progress::PartitionKey, cdcrt_bounds> bounds_of(const std::vector<progress::PartitionKey>& keys);
  /// The same of where reading begins when the target holds no progress.
  std::map<progress::PartitionKey, int64_t> start_offsets_of(const std::vector<progress::PartitionKey>& keys);
  /// Everything below `offset` is durable in every target; the source's own thread commits it.
  void commit(const std::string& topic, int32_t partition, int64_t offset);
  void stop();

 private:
  struct Seek {
    std::string topic;
    int32_t partition;
    int64_t offset;
    uint32_t generation;
  };
  void stay();
  void beat();
  Result<void> seek_pending();
  void commit_pending();
  [[nodiscard]] std::map<progress::PartitionKey, cdcrt_bounds> beginnings_of(const std::vector<Seek>& seeks);
  void request_seek(const progress::Partition& partition, int64_t offset, uint32_t generation);
  Result<void> check_lasts();
  bool fail(Error error);

  struct Expected {
    int64_t start = 0;  ///< what lies below is read only for its content
    std::map<int64_t, progress::LastMessage> lasts;
  };
  const manifest::Source& manifest_;
  const std::size_t index_;
  Monitor& monitor_;
  Flows& flows_;
  const int64_t max_message_bytes_;
  const int64_t max_buffered_bytes_;
  AssignmentListener* listener_ = nullptr;
  cdcrt_source_events events_{};
  std::unique_ptr<plugin::Source> source_;
  plugin::Messages messages_taken_;
  std::map<std::pair<std::string, int32_t>, Expected> expected_;  ///< before start(); then its thread's
  std::thread thread_;
  Heartbeat* heartbeat_ = nullptr;  ///< of that thread
  Result<bool> finds(const std::string& topic, int32_t partition, const progress::LastMessage& last);
  std::mutex fetching_;
  mutable std::mutex mutex_;
  std::vector<Seek> seeks_;
  std::vector<Seek> late_seeks_;  ///< that were tried in vain; the thread's, as what follows
  std::chrono::steady_clock::time_point seeks_again_at_{};
  std::chrono::milliseconds seeks_wait_{};
  std::map<std::pair<std::string, int32_t>, int64_t> commits_;
  std::optional<Error> failure_;
  std::atomic<bool> ended_{false}, reads_{false};
  void note_outage(const Error& error);
  diagnostics::Reminder reminder_;
  std::set<std::string> outage_texts_;  ///< that were told of it; the thread's
  SourceOutage outage_;
  std::atomic<uint64_t> messages_{0}, bytes_{0};
};

}  // namespace cdcrt::runtime
