// OwnedPartition: a partition that the group gave to this process.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "cdcrt/sdk/message_batch.hpp"
#include "fetch_lane.hpp"
#include "partition_state.hpp"
#include "recent_messages.hpp"

struct rd_kafka_queue_s;

namespace cdcrt::kafka_source {

/// GroupConsumer's.
struct OwnedPartition {
  using Clock = std::chrono::steady_clock;

  std::shared_ptr<const std::string> topic;
  int32_t number = 0;
  PartitionState state;
  FetchLane* lane = nullptr;          // which fetches it; null: the group's client
  rd_kafka_queue_s* queue = nullptr;  // of the group's client
  std::unique_ptr<sdk::MessageBatch> batch;
  int64_t end = 0;             // at the start, with stop = "end"
  int64_t parked_at = 0;       // where librdkafka holds it until the host's first seek
  int64_t reported_lost = -1;  // offset at which the log had nothing any more
  Clock::time_point seek_again_at{};
  std::optional<Clock::time_point> seek_fails_since;
  RecentMessages recent;        // of those that were handed out since the host's seek
  Clock::time_point came_at{};  // the last of them
  bool was_at_end = true;       // of the log, as far as it was known when they were handed out
  bool is_suspect = false;      // librdkafka said something
  bool is_unsure = false;       // of the batch
  int64_t batch_begins = 0;
};

}  // namespace cdcrt::kafka_source
