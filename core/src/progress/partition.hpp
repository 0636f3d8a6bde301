// A partition of a source as the host follows it: whether it is ours, how far it was read and routed, and requests to read it again.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "cdcrt/abi/source.h"

namespace cdcrt::progress {

/// Identity of a partition as stored.
struct PartitionKey {
  std::string source, topic;
  int32_t number = 0;
  auto operator<=>(const PartitionKey&) const = default;
  /// True for a note of the source (CDCRT_SOURCE_NOTES): nothing is ever read of it.
  [[nodiscard]] bool is_note() const { return number <= CDCRT_NOTE_PARTITION; }
  /// "topic[3]"
  [[nodiscard]] std::string name() const { return topic + "[" + std::to_string(number) + "]"; }
};

/// What is remembered of the last message that was routed, so that a topic that was deleted and made again is noticed.
struct LastMessage {
  int64_t offset = -1;  ///< -1: none yet
  int64_t timestamp_ms = -1;
  uint64_t hash = 0;  ///< of key and value
};

/// Thread-safe.
class Partition {
 public:
  using SeekRequest = std::function<void(Partition& partition, int64_t offset, uint32_t generation)>;
  /// `assigned`: partition of a consumer group, ours only between take() and give_up(); else it is ours from the start.
  Partition(std::string source, std::string topic, int32_t number, SeekRequest seek, bool assigned = false)
      : key_{std::move(source), std::move(topic), number}, seek_(std::move(seek)), assigned_(assigned), owned_(!assigned) {}

  [[nodiscard]] const PartitionKey& key() const { return key_; }
  [[nodiscard]] const std::string& source() const { return key_.source; }
  [[nodiscard]] const std::string& topic() const { return key_.topic; }
  [[nodiscard]] int32_t number() const { return key_.number; }
  [[nodiscard]] bool is_assigned() const { return assigned_; }
  /// "topic[3]"
  [[nodiscard]] std::string name() const { return key_.name(); }

  /// Every message below was handed to the tables, in the current generation.
  [[nodiscard]] int64_t routed_next() const {
    const std::lock_guard lock(mutex_);
    return routed_next_;
  }
  /// Where reading began when it was last taken.
  [[nodiscard]] int64_t began_at() const {
    const std::lock_guard lock(mutex_);
    return began_at_;
  }
  /// First offset of the log where it was read from its beginning: retention has deleted what was before. 0: nothing is known to be
  /// deleted.
  void log_begins_at(int64_t first) {
    const std::lock_guard lock(mutex_);
    log_begins_at_ = first;
  }
  [[nodiscard]] int64_t log_begins_at() const {
    const std::lock_guard lock(mutex_);
    return log_begins_at_;
  }
  [[nodiscard]] LastMessage last() const {
    const std::lock_guard lock(mutex_);
    return last_;
  }
  /// The anchor (runtime/log_watch.hpp): a message as it was last seen in the log. When it is found there again, everything that was
  /// read until then is of the same log.
  [[nodiscard]] LastMessage anchor() const {
    const std::lock_guard lock(mutex_);
    return anchor_;
  }
  /// The anchor was found at its offset, and `last` was read before that: it is the next anchor.
  void confirm(uint32_t session, const LastMessage& last) {
    const std::lock_guard lock(mutex_);
    if (session == session_ && owned_) anchor_ = last;
  }
  /// Before the first read of a source whose partitions are always ours.
  void start_at(int64_t offset, const LastMessage& last = {}) {
    const std::lock_guard lock(mutex_);
    routed_next_ = offset;
    last_ = last;
  }
  void routed(uint32_t generation, int64_t next, const LastMessage& last = {}) {
    const std::lock_guard lock(mutex_);
    if (generation != generation_ || next <= routed_next_) return;
    routed_next_ = next;
    if (last.offset >= 0) last_ = last;
  }
  /// Asks the source to read again from `offset`, or from an earlier place that another rewind still needs. Answers the generation
  /// of the batches that come then. Between give_up() and take() the request waits for take(). `seek` is called in the order of
  /// the generations, and must not call back.
  uint32_t rewind(int64_t offset) {
    const std::lock_guard lock(mutex_);
    if (offset < routed_next_) routed_next_ = offset;
    ++generation_;
    if (owned_) {
      seek_(*this, routed_next_, generation_);
    } else {
      asked_ = std::min(asked_, offset);
    }
    return generation_;
  }

  /// The lease was claimed: reading begins at `offset`.
  void take(int64_t offset, const LastMessage& last) {
    const std::lock_guard lock(mutex_);
    owned_ = true;
    routed_next_ = std::min(offset, asked_);
    began_at_ = offset;
    last_ = anchor_ = last;
    taken_generation_ = ++generation_;
    seek_(*this, routed_next_, generation_);
  }
  /// Not ours any more, or not certainly: rows that were read before are not written any more. Answers the session that ended.
  uint32_t give_up() {
    const std::lock_guard lock(mutex_);
    owned_ = false;
    routed_next_ = began_at_ = 0;
    asked_ = INT64_MAX;
    ++generation_;
    return session_++;
  }
  /// Its topic has other partitions.
  void note_siblings() {
    const std::lock_guard lock(mutex_);
    has_siblings_ = true;
  }
  /// False: it is the only one of its topic, as far as is known.
  [[nodiscard]] bool may_have_siblings() const {
    const std::lock_guard lock(mutex_);
    return !assigned_ || key_.number > 0 || has_siblings_;
  }
  /// It was added to its topic later, and its reading began once the older partitions were applied up to where they ended at that time.
  void note_added() {
    const std::lock_guard lock(mutex_);
    added_ = true;
  }
  [[nodiscard]] bool was_added() const {
    const std::lock_guard lock(mutex_);
    return added_;
  }
  [[nodiscard]] bool owned() const {
    const std::lock_guard lock(mutex_);
    return owned_;
  }
  /// Whether batches of that generation were read after it was last taken.
  [[nodiscard]] bool accepts(uint32_t generation) const {
    const std::lock_guard lock(mutex_);
    return owned_ && generation >= taken_generation_;
  }
  /// Counts how often it was given up: what was sealed in another session is dropped.
  [[nodiscard]] uint32_t session() const {
    const std::lock_guard lock(mutex_);
    return session_;
  }
  /// Batches of an older one were read before a rewind or a loss.
  [[nodiscard]] uint32_t generation() const {
    const std::lock_guard lock(mutex_);
    return generation_;
  }

 private:
  const PartitionKey key_;
  const SeekRequest seek_;
  const bool assigned_;
  mutable std::mutex mutex_;
  int64_t routed_next_ = 0;
  int64_t began_at_ = 0;
  int64_t log_begins_at_ = 0;
  int64_t asked_ = INT64_MAX;  ///< lowest place of a rewind while it was not ours
  LastMessage last_, anchor_;
  uint32_t generation_ = 0;
  uint32_t taken_generation_ = 0;  ///< of the first batches after take()
  uint32_t session_ = 0;
  bool owned_;
  bool added_ = false;
  bool has_siblings_ = false;
};

using PartitionsByKey = std::map<PartitionKey, Partition*>;

}  // namespace cdcrt::progress
