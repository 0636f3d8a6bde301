#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <cstring>

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
  park(partitions);
  for (int i = 0; i < partitions->cnt; ++i) {
    auto& given = partitions->elems[i];
    auto owned = std::make_unique<Owned>();
    owned->topic = std::make_shared<const std::string>(given.topic);
    owned->number = given.partition;
    owned->parked_at = given.offset;
    owned->queue = rd_kafka_queue_get_partition(handle, given.topic, given.partition);
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
  if (last_owned_ == found->second.get()) last_owned_ = nullptr;
  if (found->second->queue != nullptr) rd_kafka_queue_destroy(found->second->queue);
  partitions_.erase(found);
}

void GroupConsumer::keep_positions() {
  for (auto& [key, owned] : partitions_) {
    owned->state.reposition();
    owned->is_suspect = true;
  }
}

void GroupConsumer::forward(Owned& owned) {
  if (owned.queue != nullptr) rd_kafka_queue_forward(owned.queue, data_queue_);
}

void GroupConsumer::apply_seeks() {
  const auto now = Clock::now();
  rd_kafka_topic_partition_list_t* list = nullptr;
  for (auto& [key, owned] : partitions_) {
    if (!owned->state.needs_seek() || owned->seek_again_at > now) continue;
    if (list == nullptr) list = rd_kafka_topic_partition_list_new(16);
    rd_kafka_topic_partition_list_add(list, key.first.c_str(), key.second)->offset = owned->state.next();
  }
  if (list == nullptr) return;
  rd_kafka_error_t* error = rd_kafka_seek_partitions(client_->get(), list, seek_timeout_ms());
  if (error != nullptr) rd_kafka_error_destroy(error);
  for (int i = 0; i < list->cnt; ++i) {
    Owned& owned = *partitions_.find(Key(list->elems[i].topic, list->elems[i].partition))->second;
    if (list->elems[i].err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      owned.state.positioned();
      holds_outdated_ = true;
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
