#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <string_view>
#include <utility>

#include "broker_error.hpp"
#include "group_consumer.hpp"

namespace cdcrt::kafka_source {
namespace {

constexpr std::chrono::milliseconds kBeforeSeekAgain{20};
constexpr std::chrono::seconds kBeforeRestart{1};
constexpr int kMaxParking = 2'000;  // milliseconds

/// 2.0.2 takes the timeout of a seek for a thousandth of what it says (CHANGELOG of 2.1.0).
int seek_timeout_ms() { return rd_kafka_version() < 0x020100ff ? 1'000'000 : 1'000; }

std::string names(const rd_kafka_topic_partition_list_t& partitions) {
  std::string text;
  for (int i = 0; i < partitions.cnt; ++i) {
    if (i == 20) return text + " and " + std::to_string(partitions.cnt - i) + " more";
    text += (i == 0 ? "" : ", ") + partition_name(partitions.elems[i].topic, partitions.elems[i].partition);
  }
  return text;
}

}  // namespace

bool GroupConsumer::is_cooperative() const {
  const char* protocol = rd_kafka_rebalance_protocol(client_->get());
  return protocol != nullptr && std::strcmp(protocol, "COOPERATIVE") == 0;
}

void GroupConsumer::on_rebalance(int code, rd_kafka_topic_partition_list_t* partitions) {
  const bool cooperative = is_cooperative();
  if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    assign(partitions, cooperative);
  } else {
    revoke(partitions, cooperative);
  }
  keep_positions();
}

// Puts the partitions where they end now, so that next to nothing is fetched (and dropped) before the host's seek. Where that
// cannot be said in time they are put at 0: what is fetched from there is dropped.
void GroupConsumer::park(rd_kafka_topic_partition_list_t* partitions) {
  if (partitions->cnt == 0) return;
  for (int i = 0; i < partitions->cnt; ++i) partitions->elems[i].offset = RD_KAFKA_OFFSET_END;
  const auto code = rd_kafka_offsets_for_times(client_->get(), partitions, kMaxParking);
  for (int i = 0; i < partitions->cnt; ++i) {
    auto& given = partitions->elems[i];
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR || given.err != RD_KAFKA_RESP_ERR_NO_ERROR || given.offset < 0) given.offset = 0;
    given.err = RD_KAFKA_RESP_ERR_NO_ERROR;
  }
}

void GroupConsumer::assign(rd_kafka_topic_partition_list_t* partitions, bool is_cooperative) {
  rd_kafka_t* handle = client_->get();
  if (partitions->cnt > 0) host_.info("group '" + settings_.group + "' assigned " + names(*partitions));
  if (!uses_lanes_ && needs_lanes(*partitions)) change_to_lanes();
  if (uses_lanes_) {
    for (int i = 0; i < partitions->cnt; ++i) partitions->elems[i].offset = 0;
    pause(*partitions);
  } else {
    park(partitions);
  }
  for (int i = 0; i < partitions->cnt; ++i) {
    auto& given = partitions->elems[i];
    auto owned = std::make_unique<Owned>();
    owned->topic = std::make_shared<const std::string>(given.topic);
    owned->number = given.partition;
    owned->parked_at = given.offset;
    if (uses_lanes_) {
      if (auto placed = lanes_.place(*owned->topic, owned->lane); !placed) fail(std::move(placed));
    } else {
      owned->queue = rd_kafka_queue_get_partition(handle, given.topic, given.partition);
    }
    if (const auto end = ends_.find(Key(given.topic, given.partition)); end != ends_.end()) owned->end = end->second;
    forward(*owned);
    forget(Key(given.topic, given.partition));
    partitions_[Key(given.topic, given.partition)] = std::move(owned);
  }
  if (is_cooperative) {
    if (rd_kafka_error_t* error = rd_kafka_incremental_assign(handle, partitions)) {
      fail(broker_error(rd_kafka_error_code(error), "cannot take the assigned partitions", rd_kafka_error_string(error), settings_));
      rd_kafka_error_destroy(error);
    }
  } else if (const auto code = rd_kafka_assign(handle, partitions); code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    fail(broker_error(code, "cannot take the assigned partitions", {}, settings_));
  }
  resume_those_of(*partitions);
  changed_at_ = Clock::now();
  for (int i = 0; i < partitions->cnt; ++i) {
    const auto& given = partitions->elems[i];
    events_->assigned(events_->self, sdk::borrow(given.topic), given.partition);
  }
}

void GroupConsumer::revoke(rd_kafka_topic_partition_list_t* partitions, bool is_cooperative) {
  rd_kafka_t* handle = client_->get();
  if (changed_at_) changed_at_ = Clock::now();
  if (partitions->cnt > 0) {
    const bool is_lost = rd_kafka_assignment_lost(handle) != 0;
    host_.log(is_lost ? CDCRT_LOG_WARNING : CDCRT_LOG_INFO,
              "group '" + settings_.group +
                  (is_lost ? "' took away (this process was silent for too long, or the topic was deleted) " : "' took back ") +
                  names(*partitions));
  }
  std::vector<Key> keys;
  for (int i = 0; i < partitions->cnt; ++i) keys.emplace_back(partitions->elems[i].topic, partitions->elems[i].partition);
  if (!is_cooperative) {  // everything goes
    keys.clear();
    for (const auto& [key, owned] : partitions_) keys.push_back(key);
  }
  for (const auto& key : keys) {
    if (partitions_.find(key) == partitions_.end()) continue;
    forget(key);
    events_->revoked(events_->self, sdk::borrow(key.first), key.second);
  }
  if (!is_cooperative) {
    rd_kafka_assign(handle, nullptr);
  } else if (rd_kafka_error_t* error = rd_kafka_incremental_unassign(handle, partitions)) {
    host_.warn("cannot give partitions back: " + std::string(rd_kafka_error_string(error)));
    rd_kafka_error_destroy(error);
  }
}

void GroupConsumer::forget(const Key& key) {
  const auto found = partitions_.find(key);
  if (found == partitions_.end()) return;
  drop_batch(*found->second);
  Owned* const owned = found->second.get();
  if (last_owned_ == owned) last_owned_ = nullptr;
  if (unread_ == owned) unread_ = nullptr;
  seeking_.erase(owned);
  lost_.erase(owned);
  failed_starts_.over(key);
  if (owned->lane != nullptr) {
    last_topic_ = nullptr;
    owned->lane->stop(key.first, key.second);
  }
  if (owned->queue != nullptr) rd_kafka_queue_destroy(owned->queue);
  partitions_.erase(found);
}

void GroupConsumer::keep_positions() {
  for (auto& [key, owned] : partitions_) {
    if (owned->lane == nullptr) reposition(*owned);
    owned->is_suspect = true;
  }
}

void GroupConsumer::reposition(Owned& owned) {
  owned.state.reposition();
  note_seek(owned);
}

void GroupConsumer::seek_again(Owned& owned) {
  owned.state.seek_again();
  note_seek(owned);
}

void GroupConsumer::note_seek(Owned& owned) {
  if (owned.state.needs_seek()) seeking_.insert(&owned);
}

bool GroupConsumer::needs_lanes(const rd_kafka_topic_partition_list_t& given) const {
  std::set<std::string_view> topics;
  for (const auto& [key, owned] : partitions_) topics.insert(key.first);
  for (int i = 0; i < given.cnt; ++i) topics.insert(given.elems[i].topic);
  return topics.size() > settings_.topics_per_client;
}

// What the group's client fetched so far is outdated by the pause, and goes when its queue is looked at.
void GroupConsumer::change_to_lanes() {
  uses_lanes_ = true;
  is_held_ = false;
  paused_.clear();
  host_.info("further clients fetch the topics: they are more than topics_per_client, " + std::to_string(settings_.topics_per_client));
  rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(static_cast<int>(partitions_.size()));
  for (auto& [key, owned] : partitions_) {
    rd_kafka_topic_partition_list_add(list, key.first.c_str(), key.second);
    if (owned->queue != nullptr) rd_kafka_queue_destroy(std::exchange(owned->queue, nullptr));
    if (auto placed = lanes_.place(key.first, owned->lane); !placed) fail(std::move(placed));
    reposition(*owned);
  }
  pause(*list);
  rd_kafka_topic_partition_list_destroy(list);
  while (rd_kafka_message_t* message = data_queue_->take()) rd_kafka_message_destroy(message);
}

// Before it is assigned: so that nothing of it is fetched.
void GroupConsumer::pause(const rd_kafka_topic_partition_list_t& partitions) {
  for (int i = 0; i < partitions.cnt; ++i) {
    const auto& each = partitions.elems[i];
    // It makes the partition known to the client.
    if (rd_kafka_queue_t* queue = rd_kafka_queue_get_partition(client_->get(), each.topic, each.partition)) rd_kafka_queue_destroy(queue);
  }
  rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_copy(&partitions);
  rd_kafka_pause_partitions(client_->get(), list);
  rd_kafka_topic_partition_list_destroy(list);
}

void GroupConsumer::forward(Owned& owned) {
  if (owned.queue != nullptr) rd_kafka_queue_forward(owned.queue, data_queue_->get());
}

void GroupConsumer::apply_seeks() {
  const auto now = Clock::now();
  rd_kafka_topic_partition_list_t* list = nullptr;
  for (auto next = seeking_.begin(); next != seeking_.end();) {
    Owned* const owned = *next++;
    if (owned->seek_again_at > now || (is_held_ && held_lane_ != nullptr && owned->lane == held_lane_)) continue;
    if (owned->lane != nullptr) {
      start_in_lane(*owned);
      continue;
    }
    if (list == nullptr) list = rd_kafka_topic_partition_list_new(16);
    rd_kafka_topic_partition_list_add(list, owned->topic->c_str(), owned->number)->offset = owned->state.next();
  }
  if (list == nullptr) return;
  rd_kafka_error_t* error = rd_kafka_seek_partitions(client_->get(), list, seek_timeout_ms());
  if (error != nullptr) rd_kafka_error_destroy(error);
  for (int i = 0; i < list->cnt; ++i) {
    Owned& owned = *partitions_.find(Key(list->elems[i].topic, list->elems[i].partition))->second;
    if (list->elems[i].err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      owned.state.positioned();
      seeking_.erase(&owned);
      data_queue_->outdate();
      owned.seek_fails_since.reset();
      forward(owned);
      continue;
    }
    // Usually not started yet, because librdkafka first stops others.
    owned.seek_again_at = Clock::now() + kBeforeSeekAgain;
    if (!owned.seek_fails_since) owned.seek_fails_since = now;
    if (now - *owned.seek_fails_since >= kBeforeRestart) {
      owned.seek_fails_since = now;
      restart(owned);
    }
  }
  rd_kafka_topic_partition_list_destroy(list);
}

void GroupConsumer::start_in_lane(Owned& owned) {
  const Key key(*owned.topic, owned.number);
  if (const auto started = owned.lane->start(key.first, key.second, owned.state.next()); !started) {
    owned.seek_again_at = failed_starts_.failed(key, started.message(), Clock::now());
    return;
  }
  failed_starts_.over(key);
  owned.state.positioned();
  seeking_.erase(&owned);
}

void GroupConsumer::restart(Owned& owned) {
  // A partition that gave up (its offset was out of range) cannot be sought; it is started anew.
  rd_kafka_t* handle = client_->get();
  rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(1);
  if (is_cooperative()) {
    rd_kafka_topic_partition_list_add(list, owned.topic->c_str(), owned.number);
    if (rd_kafka_error_t* error = rd_kafka_incremental_unassign(handle, list)) rd_kafka_error_destroy(error);
    list->elems[0].offset = owned.state.next();
    if (rd_kafka_error_t* error = rd_kafka_incremental_assign(handle, list)) rd_kafka_error_destroy(error);
  } else {
    for (const auto& [key, other] : partitions_) {
      rd_kafka_topic_partition_list_add(list, key.first.c_str(), key.second)->offset =
          other->state.is_sought() ? other->state.next() : other->parked_at;
    }
    rd_kafka_assign(handle, list);
    keep_positions();
  }
  rd_kafka_topic_partition_list_destroy(list);
}

}  // namespace cdcrt::kafka_source
