// GroupConsumer: membership in the consumer group, and what is read of the partitions that it brings.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "cdcrt/abi/source.h"
#include "cdcrt/sdk/message_batch.hpp"
#include "client.hpp"
#include "failed_starts.hpp"
#include "fetch_lanes.hpp"
#include "fetch_queue.hpp"
#include "inspector.hpp"
#include "intake_limit.hpp"
#include "owned_partition.hpp"
#include "rereader.hpp"
#include "wakeup.hpp"

struct rd_kafka_message_s;
struct rd_kafka_queue_s;
struct rd_kafka_topic_partition_list_s;

namespace cdcrt::kafka_source {

/// Two queues: librdkafka's own (rebalances, errors), and one to which every assigned partition is forwarded, so that the
/// membership can be kept alive while messages are left unread. One thread, except extent.
///
/// Given more topics than one client can fetch, the group's client fetches none: its partitions are paused, and lanes fetch them
/// (FetchLane), until it leaves.
///
/// Why nothing is lost or mixed (librdkafka 2.0.2, src/rdkafka_partition.c, rdkafka_queue.c, rdkafka.c):
/// - A seek, pause, stop or start of a partition raises its version at once, in the calling thread. A fetched message carries the
///   version it was asked for under; whoever takes it from a queue drops it when the version is older. So what was queued
///   before a seek never comes out after it.
/// - That test stands before each message that is taken singly (rd_kafka_consume_queue). rd_kafka_consume_batch_queue instead
///   collects first and throws away afterwards what a version raised meanwhile outdates, but has by then moved the position from
///   which a partition goes on after a rebalance's pause: messages are skipped (CHANGELOG of 2.1.0, "intermittently skipping
///   offsets"). It also waits for a full array or the timeout. rd_kafka_consume_callback_queue takes the whole queue out of the
///   fetcher's sight while it calls: the fetcher believes it empty and fetches beyond queued.max.messages.kbytes without end.
/// - A logical offset (the end) is looked up in the background. Where a seek overtakes the answer, librdkafka asks anew half a
///   second later under the seek's own version, and goes on reading at the end: what lies between is skipped. So partitions are
///   only ever given numbers.
/// - A rebalance pauses every partition inside librdkafka and goes on from a position that a control record of an outdated fetch
///   may have moved. Partitions that stay here are therefore sought to their own `next` after each rebalance.
/// - A topic that is deleted and made again is told by nothing where the new log is longer: a fetch that meets the deletion fails
///   inside librdkafka, which asks for the metadata and goes on at the old position (rdkafka_fetcher.c, UNKNOWN_TOPIC_OR_PART). That
///   cannot happen between two messages that come one right after the other; so what comes after a lull, or after librdkafka said
///   that the position was not in the log, is handed out once a message from before it was found in its place.
/// - librdkafka fetches the next answer as soon as its queue is short, whatever the host holds. So while the host is busy with a
///   message larger than the queue may be, the partitions are paused, and sought to their `next` once it asks for more.
/// - Stopping a partition takes the forwarding of its queue away in the background; so it is forwarded again after each seek.
class GroupConsumer {
 public:
  /// `settings` and `inspector` outlive the consumer; the settings are read from start on.
  GroupConsumer(const Settings& settings, Inspector& inspector, sdk::Host host);
  ~GroupConsumer();

  sdk::Status start(const cdcrt_source_events& events);
  void seek(std::string_view topic, int32_t partition, int64_t offset, uint32_t generation);
  /// END, where the settings say so, once every partition that is here was read to the end it had at the start.
  sdk::Status poll(std::chrono::milliseconds timeout, cdcrt_messages& out, bool& is_at_end);
  sdk::Status serve();
  void commit(std::string_view topic, int32_t partition, int64_t offset);
  /// Messages. Any thread.
  [[nodiscard]] cdcrt_extent extent() const { return {done_, are_ends_known_ ? done_ + lag_ : 0}; }
  /// Leaves the group (a member with a fixed name only closes) in bounded time. Legal at any time.
  void stop();

 private:
  using Clock = std::chrono::steady_clock;
  using Key = std::pair<std::string, int32_t>;
  using Owned = OwnedPartition;

  // group_consumer.cpp
  sdk::Status join();
  /// The same for who was a member before: where it fails, it is tried again for as long as it takes.
  void rejoin();
  void rejoin_when_due(Clock::time_point until);
  /// In bounded time; every partition is told as revoked.
  void leave();
  /// After the broker fenced this member: true where it became a new one.
  [[nodiscard]] bool joins_again();
  sdk::Status remember_ends();
  void flush_commits(bool at_once);
  void update_extent();
  /// `of`: which client, beside the group's.
  [[nodiscard]] sdk::Status nobody_answers(Client& silent, const std::string& of = {}) const;
  /// RETRY, each second: a lane that nobody answers, or that cannot begin to read one of its partitions.
  sdk::Status trouble_of_lanes(Clock::time_point now);
  void repeat_commits(const rd_kafka_topic_partition_list_s& failed);
  bool close();
  // group_rebalance.cpp
  void on_rebalance(int code, rd_kafka_topic_partition_list_s* partitions);
  void assign(rd_kafka_topic_partition_list_s* partitions, bool is_cooperative);
  void revoke(rd_kafka_topic_partition_list_s* partitions, bool is_cooperative);
  void forget(const Key& key);
  void keep_positions();
  void forward(Owned& owned);
  [[nodiscard]] bool needs_lanes(const rd_kafka_topic_partition_list_s& given) const;
  void change_to_lanes();
  /// As those of its state, which then needs a seek.
  void reposition(Owned& owned);
  void seek_again(Owned& owned);
  void note_seek(Owned& owned);
  void apply_seeks();
  void start_in_lane(Owned& owned);
  void restart(Owned& owned);
  void park(rd_kafka_topic_partition_list_s* partitions);
  void pause(const rd_kafka_topic_partition_list_s& partitions);
  // group_delivery.cpp
  bool serve_group();
  /// True: something came, if only to be dropped.
  bool drain();
  bool take_from(FetchQueue& queue, FetchLane* lane);
  /// Nothing more is fetched by the lane, or the group's client, and what was is dropped, until the host asks for more.
  void hold(FetchLane* lane);
  void hold_group();
  void release_hold();
  void resume_those_of(const rd_kafka_topic_partition_list_s& given);
  /// True: the host is given it.
  bool on_message(const rd_kafka_message_s& message);
  void on_message_error(const rd_kafka_message_s& message);
  void explain_lost();
  void explain_lost(Owned& owned);
  void tell_of_silence();
  void tell_of_refusal();
  void fail(sdk::Status status);
  void drop_batch(Owned& owned);
  /// The next partition whose batch may be handed out.
  Owned* next_ready();
  [[nodiscard]] bool may_look();
  sdk::Status confirm(Owned& owned);
  void hand_out(Owned& owned, cdcrt_messages& out);
  [[nodiscard]] bool is_at_end();
  [[nodiscard]] bool has_all();
  [[nodiscard]] bool is_cooperative() const;
  Owned* find(const rd_kafka_message_s& message);
  [[nodiscard]] Client& client_of(const Owned& owned) const { return owned.lane != nullptr ? owned.lane->client() : *client_; }

  const Settings& settings_;
  Inspector& inspector_;
  sdk::Host host_;
  Rereader probe_;
  Clock::duration look_budget_{};
  Clock::time_point budgeted_at_{};
  const cdcrt_source_events* events_ = nullptr;
  std::unique_ptr<Client> client_;
  Wakeup wakeup_;
  rd_kafka_queue_s* group_queue_ = nullptr;
  std::unique_ptr<FetchQueue> data_queue_;
  FetchLanes lanes_;
  bool uses_lanes_ = false;  // for what it is given
  std::shared_ptr<sdk::BlockPool> pool_ = std::make_shared<sdk::BlockPool>();

  std::map<Key, std::unique_ptr<Owned>, std::less<>> partitions_;
  std::set<Owned*> seeking_, lost_;  // that need a seek; of which the log has nothing where they stand
  Owned* explained_ = nullptr;       // of `lost_`, the last one; may be gone
  FailedStarts failed_starts_;       // of `seeking_`, those of lanes
  std::map<Key, int64_t> ends_;
  std::optional<Clock::time_point> counted_at_;  // changed_at_ as of when it was looked whether all of `ends_` are here
  bool has_all_ = false;
  Owned* unread_ = nullptr;   // one that was not read to its end
  std::deque<Owned*> ready_;  // partitions with a batch to hand out
  std::map<Key, int64_t> commits_;
  Clock::time_point committed_at_{}, measured_at_{}, lanes_looked_at_{};
  IntakeLimit limit_{0};
  Clock::time_point joined_at_{}, refusal_told_at_{};
  Clock::time_point others_are_gone_at_{};  // members that were gone when this one joined
  bool has_told_of_silence_ = false;
  std::optional<Clock::time_point> changed_at_;  // partitions were assigned or revoked; none before the first assignment
  std::optional<Clock::time_point> fenced_at_;   // the last time
  std::optional<Clock::time_point> rejoins_at_;  // it is no member, and tries again then
  sdk::Status failure_;                          // told by the next poll or serve
  bool is_outage_ = false, is_stopped_ = false;
  bool is_held_ = false;
  FetchLane* held_lane_ = nullptr;
  std::set<Key> paused_;  ///< by hold(), also those that were taken away since

  // Of one drain.
  Clock::time_point drain_began_{};
  uint64_t drained_messages_ = 0, drained_bytes_ = 0, drain_limit_ = 0;
  const void* last_topic_ = nullptr;
  Owned* last_owned_ = nullptr;

  std::atomic<uint64_t> done_{0}, lag_{0};
  std::atomic<bool> are_ends_known_{false};  ///< of all partitions that are read
};

}  // namespace cdcrt::kafka_source
