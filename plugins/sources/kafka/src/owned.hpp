// What librdkafka makes and its caller gives back.
#pragma once

#include <memory>

struct rd_kafka_topic_partition_list_s;
struct rd_kafka_metadata;  // there is a function of that name as well

namespace cdcrt::kafka_source {

struct GiveBack {
  void operator()(rd_kafka_topic_partition_list_s* list) const;
  void operator()(const struct rd_kafka_metadata* metadata) const;
};
using PartitionList = std::unique_ptr<rd_kafka_topic_partition_list_s, GiveBack>;
using Metadata = std::unique_ptr<const struct rd_kafka_metadata, GiveBack>;

}  // namespace cdcrt::kafka_source
