// What Inspector asks of many partitions together.
#include <librdkafka/rdkafka.h>

#include <algorithm>

#include "broker_error.hpp"
#include "inspector.hpp"
#include "owned.hpp"

namespace cdcrt::kafka_source {
namespace {

// librdkafka looks for each answer in the list from its beginning, so that a longer list would cost more than it saves.
constexpr std::size_t kAtOnce = 250;
// Whoever leads one of them may be away: what it leads is asked for singly then, which waits as long as it may.
constexpr int kMaxWaitMs = 3000;
constexpr int64_t kNotTold = INT64_MIN;

using Places = std::vector<cdcrt_place>;
using Indices = Leaders::Indices;

PartitionList list_of(const Places& places, const Indices& wanted, int64_t offset) {
  PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(wanted.size())));
  for (const std::size_t i : wanted) {
    const std::string topic(sdk::view(places[i].topic));
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), places[i].partition)->offset = offset;
  }
  return list;
}

struct Answer {
  std::vector<int64_t> offsets;  ///< of each, by position; kNotTold where that failed
  rd_kafka_resp_err_t code;
};

Answer answer_of(const rd_kafka_topic_partition_list_t& list, rd_kafka_resp_err_t code) {
  Answer answer{std::vector<int64_t>(static_cast<std::size_t>(list.cnt), kNotTold), code};
  for (std::size_t i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < answer.offsets.size(); ++i) {
    if (list.elems[i].err == RD_KAFKA_RESP_ERR_NO_ERROR) answer.offsets[i] = list.elems[i].offset;
  }
  return answer;
}

/// `which`: RD_KAFKA_OFFSET_BEGINNING, RD_KAFKA_OFFSET_END or a time.
Answer look_up(Client& client, const Places& places, const Indices& wanted, int64_t which, int timeout_ms) {
  if (wanted.empty()) return {{}, RD_KAFKA_RESP_ERR_NO_ERROR};
  const PartitionList list = list_of(places, wanted, which);
  const auto code = rd_kafka_offsets_for_times(client.get(), list.get(), std::min(timeout_ms, kMaxWaitMs));
  return answer_of(*list, code);
}

}  // namespace

bool Inspector::learn_leaders(Leaders::Map& to) {
  Client* lookup = nullptr;
  const rd_kafka_metadata_t* raw = nullptr;
  if (!client(Client::Role::kLookup, lookup)) return false;
  if (rd_kafka_metadata(lookup->get(), 1, nullptr, &raw, std::min(timeout_ms(), kMaxWaitMs)) != RD_KAFKA_RESP_ERR_NO_ERROR) return false;
  const Metadata metadata(raw);
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    const auto& topic = metadata->topics[i];
    if (!settings_.topics.wants(topic.topic)) continue;
    for (int j = 0; j < topic.partition_cnt; ++j) to[{topic.topic, topic.partitions[j].id}] = topic.partitions[j].leader;
  }
  return true;
}

void Inspector::bounds_of(const Places& places, const std::function<void(std::size_t, const cdcrt_bounds&)>& answer) {
  Client* lookup = nullptr;
  if (!client(Client::Role::kLookup, lookup)) return;
  leaders_.ask(places, kAtOnce, [&](const Indices& wanted) {
    const auto firsts = look_up(*lookup, places, wanted, RD_KAFKA_OFFSET_BEGINNING, timeout_ms());
    if (firsts.code != RD_KAFKA_RESP_ERR_NO_ERROR) return firsts.code;
    const auto ends = look_up(*lookup, places, wanted, RD_KAFKA_OFFSET_END, timeout_ms());
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (firsts.offsets[i] >= 0 && ends.offsets[i] >= 0) answer(wanted[i], {firsts.offsets[i], ends.offsets[i]});
    }
    was_reached_ = true;
    return ends.code;
  });
}

void Inspector::origins_of(const Places& places, const std::function<void(std::size_t, int64_t)>& answer) {
  Client *lookup = nullptr, *group = nullptr;
  const StartPosition& start = settings_.start;
  const bool is_committed = start.kind == StartPosition::Kind::kCommitted;
  if (!client(Client::Role::kLookup, lookup) || (is_committed && !client(Client::Role::kCommitted, group))) return;
  leaders_.ask(places, kAtOnce, [&](const Indices& wanted) -> std::optional<int> {
    if (is_committed && Leaders::Clock::now().time_since_epoch().count() < committed_again_at_) return std::nullopt;
    // Of those for which the first question has no offset (-1 and below) the second one tells where the log begins or ends.
    Answer first{std::vector<int64_t>(wanted.size(), -1), RD_KAFKA_RESP_ERR_NO_ERROR};
    int64_t otherwise = start.kind == StartPosition::Kind::kLatest ? RD_KAFKA_OFFSET_END : RD_KAFKA_OFFSET_BEGINNING;
    if (start.kind == StartPosition::Kind::kTime) {
      first = look_up(*lookup, places, wanted, std::max<int64_t>(0, start.timestamp_ms), timeout_ms());
      otherwise = RD_KAFKA_OFFSET_END;
    } else if (is_committed) {
      const PartitionList list = list_of(places, wanted, RD_KAFKA_OFFSET_INVALID);
      const auto code = rd_kafka_committed(group->get(), list.get(), std::min(timeout_ms(), kMaxWaitMs));
      first = answer_of(*list, code);
      // It is the group's coordinator that is away, and nobody who leads one of them.
      if (is_transport(code)) {
        committed_again_at_ = (Leaders::Clock::now() + Leaders::kAway).time_since_epoch().count();
        return std::nullopt;
      }
    }
    if (first.code != RD_KAFKA_RESP_ERR_NO_ERROR) return first.code;
    const std::vector<int64_t>& offsets = first.offsets;
    Indices rest;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (offsets[i] >= 0) answer(wanted[i], offsets[i]);
      if (offsets[i] < 0 && offsets[i] != kNotTold) rest.push_back(wanted[i]);
    }
    const auto others = look_up(*lookup, places, rest, otherwise, timeout_ms());
    for (std::size_t i = 0; i < rest.size(); ++i) {
      if (others.offsets[i] < 0) continue;
      if (is_committed) tell_of_start(sdk::view(places[rest[i]].topic), places[rest[i]].partition);
      answer(rest[i], others.offsets[i]);
    }
    return others.code;
  });
}

}  // namespace cdcrt::kafka_source
