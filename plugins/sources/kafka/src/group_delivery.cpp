#include <librdkafka/rdkafka.h>

#include <algorithm>

#include "broker_error.hpp"
#include "group_consumer.hpp"
#include "message_copy.hpp"

namespace cdcrt::kafka_source {
namespace {

constexpr uint64_t kMaxMessages = 1000;  // taken from librdkafka at once
constexpr uint64_t kMaxBytes = 1 << 20;
// A topic is not deleted, made again and written to beyond its old end in less.
constexpr std::chrono::milliseconds kLull{100};
// While there is a backlog, partitions take turns: what comes seldom is no lull of the topic. The host looks as well.
constexpr std::chrono::seconds kLullOfBacklog{2};
constexpr std::chrono::seconds kLookTimeout{2};
constexpr std::chrono::milliseconds kLookAgain{500};
constexpr std::chrono::seconds kBetweenRefusals{10};
constexpr std::chrono::seconds kSilentStart{8};  // without a word to whoever waits for the first assignment

}  // namespace

bool GroupConsumer::serve_group() {
  bool had_any = false;
  while (rd_kafka_message_t* message = rd_kafka_consumer_poll(client_->get(), 0)) {
    had_any = true;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      on_message_error(*message);
    } else if (Owned* owned = find(*message)) {
      // Not forwarded: the data queue may hold later ones already, so the order is taken up anew.
      if (owned->lane == nullptr) reposition(*owned);
    }
    rd_kafka_message_destroy(message);
  }
  last_topic_ = nullptr;
  char reason[512] = "";
  const auto fatal = rd_kafka_fatal_error(client_->get(), reason, sizeof reason);
  if (fatal == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID && joins_again()) return had_any;
  if (fatal != RD_KAFKA_RESP_ERR_NO_ERROR) {
    auto status = broker_error(fatal, "Kafka client", without_secrets(reason, settings_.properties), settings_);
    fail(status.code() == CDCRT_RETRY ? sdk::Status::fatal(std::string(status.message())) : std::move(status));
  }
  lanes_.listen();
  tell_of_silence();
  tell_of_refusal();
  Diagnostics& diagnostics = client_->diagnostics();
  const bool is_told = diagnostics.take_outage();
  if (is_told || (!is_outage_ && client_->silence().lasts())) {
    if (!is_outage_ && !diagnostics.is_refused()) {
      is_outage_ = true;
      fail(sdk::Status::retry("no Kafka broker can be reached at " + settings_.brokers + ": " + diagnostics.last(),
                              "reading goes on by itself when one comes back"));
    }
  }
  return had_any;
}

bool GroupConsumer::drain() {
  drained_messages_ = drained_bytes_ = 0;
  drain_limit_ = std::min(kMaxMessages, limit_.available(Clock::now()));
  if (drain_limit_ == 0) return false;
  last_topic_ = nullptr;
  last_owned_ = nullptr;
  drain_began_ = Clock::now();
  bool had_any = lanes_.empty() && take_from(*data_queue_, nullptr);
  for (std::size_t turns = lanes_.size(); turns > 0 && drained_messages_ < drain_limit_ && drained_bytes_ < kMaxBytes; --turns) {
    FetchLane* const lane = lanes_.next();
    if (lane == nullptr) break;
    const uint64_t before = drained_bytes_;
    had_any = take_from(lane->queue(), lane) || had_any;
    lanes_.taken(drained_bytes_ - before, drain_began_);
  }
  explain_lost();
  if (drained_messages_ > 0) {
    limit_.take(drained_messages_);
    done_ += drained_messages_;
    if (is_outage_) {
      is_outage_ = false;
      client_->diagnostics().reached();
      host_.info("reading from " + settings_.brokers + " again");
    }
  }
  return had_any;
}

// One by one: the call that takes many keeps the whole queue out of the fetcher's sight meanwhile, which then fetches beyond
// queued.max.messages.kbytes without end.
bool GroupConsumer::take_from(FetchQueue& queue, FetchLane* lane) {
  QueueWatch::Amount served;
  while (drained_messages_ < drain_limit_ && drained_bytes_ < kMaxBytes) {
    rd_kafka_message_t* message = queue.take();
    if (message == nullptr) break;
    ++served.messages;
    served.bytes += message->len + message->key_len;
    const bool is_taken = on_message(*message);
    const bool is_large = message->len > settings_.queue_memory / 2;
    rd_kafka_message_destroy(message);
    // What is only sought again is none that the host is busy with.
    if (is_taken && is_large) hold(lane);
  }
  queue.client().taken(served, queue.length());
  if (lane != nullptr && served.messages > 0) queue.client().diagnostics().reached();
  return served.messages > 0;
}

void GroupConsumer::hold(FetchLane* lane) {
  if (std::exchange(is_held_, true)) return;
  held_lane_ = lane;
  last_topic_ = nullptr;
  FetchQueue& queue = lane != nullptr ? lane->queue() : *data_queue_;
  if (lane != nullptr) {
    lane->stop_all();
  } else {
    hold_group();
  }
  // What waits is outdated now, and goes when it is looked at.
  while (rd_kafka_message_t* message = queue.take()) {
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) on_message_error(*message);
    rd_kafka_message_destroy(message);
  }
}

void GroupConsumer::hold_group() {
  rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(static_cast<int>(partitions_.size()));
  for (const auto& [key, owned] : partitions_) {
    rd_kafka_topic_partition_list_add(list, key.first.c_str(), key.second);
    paused_.insert(key);
  }
  rd_kafka_pause_partitions(client_->get(), list);
  rd_kafka_topic_partition_list_destroy(list);
}

void GroupConsumer::release_hold() {
  if (!std::exchange(is_held_, false)) return;
  if (FetchLane* const lane = std::exchange(held_lane_, nullptr)) {
    for (const auto& [key, owned] : partitions_) {
      if (owned->lane == lane) seek_again(*owned);
    }
    return;
  }
  rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(static_cast<int>(partitions_.size()));
  for (const auto& [key, owned] : partitions_) {
    rd_kafka_topic_partition_list_add(list, key.first.c_str(), key.second);
    paused_.erase(key);
    seek_again(*owned);
  }
  rd_kafka_resume_partitions(client_->get(), list);
  rd_kafka_topic_partition_list_destroy(list);
}

// librdkafka keeps a partition paused that was taken away meanwhile and comes back.
void GroupConsumer::resume_those_of(const rd_kafka_topic_partition_list_t& given) {
  if (is_held_ || paused_.empty()) return;
  rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(given.cnt);
  for (int i = 0; i < given.cnt; ++i) {
    const Key key(given.elems[i].topic, given.elems[i].partition);
    if (paused_.erase(key) > 0) rd_kafka_topic_partition_list_add(list, key.first.c_str(), key.second);
  }
  if (list->cnt > 0) rd_kafka_resume_partitions(client_->get(), list);
  rd_kafka_topic_partition_list_destroy(list);
}

GroupConsumer::Owned* GroupConsumer::find(const rd_kafka_message_t& message) {
  // Messages come in runs of one partition. The topic's handle is compared only within one drain, which keeps it alive.
  if (message.rkt == nullptr) return nullptr;
  if (message.rkt == last_topic_ && last_owned_ != nullptr && last_owned_->number == message.partition) return last_owned_;
  const auto found = partitions_.find(Key(rd_kafka_topic_name(message.rkt), message.partition));
  last_topic_ = message.rkt;
  return last_owned_ = found == partitions_.end() ? nullptr : found->second.get();
}

bool GroupConsumer::on_message(const rd_kafka_message_t& message) {
  if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    on_message_error(message);
    return false;
  }
  Owned* owned = find(message);
  if (owned == nullptr) return false;
  switch (owned->state.judge(message.offset)) {
    case PartitionState::Verdict::kDrop: return false;
    case PartitionState::Verdict::kSeekAgain:
      note_seek(*owned);
      host_.log(CDCRT_LOG_DEBUG, partition_name(*owned->topic, owned->number) + ": sought twice");
      return false;
    case PartitionState::Verdict::kTake: break;
  }
  if (!owned->batch) {
    owned->batch = std::make_unique<sdk::MessageBatch>(pool_, owned->topic, owned->number, owned->state.generation());
    owned->batch_begins = message.offset;
    owned->is_unsure = !owned->recent.empty() &&
                       (owned->is_suspect || drain_began_ - owned->came_at > (owned->was_at_end ? Clock::duration(kLull) : kLullOfBacklog));
    ready_.push_back(owned);
  }
  owned->came_at = drain_began_;
  copy_message(message, *owned->batch);
  drained_bytes_ += message.len + message.key_len;
  ++drained_messages_;
  return true;
}

void GroupConsumer::on_message_error(const rd_kafka_message_t& message) {
  Owned* owned = find(message);
  const std::string topic = message.rkt == nullptr ? std::string() : rd_kafka_topic_name(message.rkt);
  switch (message.err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
      if (owned == nullptr) return;
      owned->state.reached(message.offset);
      note_seek(*owned);
      return;
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
      if (owned != nullptr && owned->state.is_sought()) {
        owned->reported_lost = owned->state.position();
        lost_.insert(owned);
      }
      return;
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__TIMED_OUT: return;  // librdkafka tries again; an outage is told by the error callback
    case RD_KAFKA_RESP_ERR__FATAL: return;      // told with its cause by rd_kafka_fatal_error
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
      if (topic.rfind('^', 0) == 0) return;  // a pattern that matches nothing yet
      break;
    default: break;
  }
  const std::string what = topic.empty() ? "group '" + settings_.group + "'" : "topic '" + topic + "'";
  fail(broker_error(message.err, what, without_secrets(rd_kafka_message_errstr(&message), settings_.properties), settings_, topic));
}

// Up to the first of which nobody can say anything: each would be waited for, and the membership with it. The next time those behind it
// come first.
void GroupConsumer::explain_lost() {
  while (!lost_.empty() && failure_.ok()) {
    auto next = lost_.upper_bound(explained_);
    if (next == lost_.end()) next = lost_.begin();
    explained_ = *next;
    lost_.erase(next);
    explain_lost(*explained_);
  }
}

void GroupConsumer::explain_lost(Owned& owned) {
  const int64_t wanted = std::exchange(owned.reported_lost, -1);
  cdcrt_bounds now{};
  if (auto asked = inspector_.bounds(*owned.topic, owned.number, now); !asked) {
    owned.reported_lost = wanted;
    lost_.insert(&owned);
    return fail(std::move(asked));
  }
  if (wanted >= now.first && wanted <= now.end) {  // was told before the last seek, or the leader had been elsewhere, or it is another log
    owned.is_suspect = true;
    reposition(owned);
    owned.seek_again_at = Clock::now() + kLookAgain;
    return;
  }
  fail(offset_out_of_range(*owned.topic, owned.number, wanted, now.first, now.end));
}

// The list of topics may come from an address that works, while the brokers announce themselves at one that does not.
void GroupConsumer::tell_of_silence() {
  if (changed_at_ || has_told_of_silence_ || Clock::now() - joined_at_ < kSilentStart) return;
  has_told_of_silence_ = true;
  const std::string last = client_->diagnostics().last();
  host_.warn("group '" + settings_.group + "' has assigned nothing for " + std::to_string(kSilentStart.count()) +
             " s: " + (last.empty() ? "its coordinator does not answer, or other members hold every partition" : last) +
             "; this goes on until it does. The brokers at " + settings_.brokers +
             " name the addresses to connect to (advertised.listeners): they must be reachable from here");
}

// Told again and again, also by one broker of several: the host reads secrets anew that may have changed.
void GroupConsumer::tell_of_refusal() {
  Client* const of_lane = client_->diagnostics().is_refused() ? nullptr : lanes_.refused();
  Diagnostics& diagnostics = (of_lane != nullptr ? *of_lane : *client_).diagnostics();
  if (!diagnostics.is_refused() || Clock::now() - refusal_told_at_ < kBetweenRefusals) return;
  refusal_told_at_ = Clock::now();
  is_outage_ = true;
  fail(refused(settings_, diagnostics));
}

void GroupConsumer::fail(sdk::Status status) {
  if (failure_.ok() || (failure_.code() == CDCRT_RETRY && status.code() != CDCRT_RETRY)) failure_ = std::move(status);
}

void GroupConsumer::drop_batch(Owned& owned) {
  if (!owned.batch) return;
  owned.batch.reset();
  ready_.erase(std::find(ready_.begin(), ready_.end(), &owned));
}

GroupConsumer::Owned* GroupConsumer::next_ready() {
  while (!ready_.empty()) {
    Owned& owned = *ready_.front();
    if (!owned.is_unsure || (!owned.is_suspect && !may_look())) return &owned;
    auto confirmed = confirm(owned);
    if (confirmed) {
      owned.is_suspect = owned.is_unsure = false;
      return &owned;
    }
    // Read once more, when whatever is the matter is over.
    owned.is_suspect = true;
    drop_batch(owned);
    owned.state.seek(owned.batch_begins, owned.state.generation());
    note_seek(owned);
    owned.seek_again_at = Clock::now() + kLookAgain;
    fail(std::move(confirmed));
    return nullptr;
  }
  return nullptr;
}

// Looks take at most a quarter of the time: with very many partitions of which each has a message now and then, the host's own looks, which
// come a little later, have to do for some.
bool GroupConsumer::may_look() {
  const auto now = Clock::now();
  look_budget_ = std::min<Clock::duration>(std::chrono::seconds(1), look_budget_ + (now - budgeted_at_) / 4);
  budgeted_at_ = now;
  return look_budget_.count() > 0;
}

sdk::Status GroupConsumer::confirm(Owned& owned) {
  const auto began = Clock::now();
  sdk::Status status;
  bool is_found = false, is_other = false;
  for (size_t i = 0; i < owned.recent.size() && !is_found && status.ok(); ++i) {
    const auto& known = owned.recent[i];
    status = probe_.find(*owned.topic, owned.number, known.offset, kLookTimeout, [&](const cdcrt_message& message) {
      const auto there = RecentMessages::of(message);
      is_found = true;
      is_other = there.timestamp_ms != known.timestamp_ms || there.hash != known.hash;
      return false;
    });
  }
  look_budget_ -= Clock::now() - began;
  if (!status.ok() || (is_found && !is_other)) return status;
  const int64_t last = owned.recent[0].offset;
  if (is_found) return made_again(*owned.topic, owned.number, last);
  cdcrt_bounds now{};
  if (auto asked = inspector_.bounds(*owned.topic, owned.number, now); !asked) return asked;
  return last < now.end ? sdk::Status() : made_again(*owned.topic, owned.number, last);  // deleted by retention or compaction
}

void GroupConsumer::hand_out(Owned& owned, cdcrt_messages& out) {
  ready_.pop_front();
  sdk::MessageBatch::hand_over(std::move(owned.batch), &out);
  owned.recent.add(out);
  int64_t low = 0, end = 0;
  owned.was_at_end = rd_kafka_get_watermark_offsets(client_of(owned).get(), owned.topic->c_str(), owned.number, &low, &end) !=
                         RD_KAFKA_RESP_ERR_NO_ERROR ||
                     owned.state.next() >= end;
}

}  // namespace cdcrt::kafka_source
