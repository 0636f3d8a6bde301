#include "owned.hpp"

#include <librdkafka/rdkafka.h>

namespace cdcrt::kafka_source {

void GiveBack::operator()(rd_kafka_topic_partition_list_s* list) const { rd_kafka_topic_partition_list_destroy(list); }
void GiveBack::operator()(const struct rd_kafka_metadata* metadata) const { rd_kafka_metadata_destroy(metadata); }

}  // namespace cdcrt::kafka_source
