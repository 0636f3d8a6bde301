// How many files and connections a run has open, as an estimate on the safe side.
#pragma once

#include <cstdint>

namespace cdcrt::kafka_source {

/// Clients beside the group's and its lanes: what looks topics up, what the group has committed, and those that read messages again.
constexpr uint64_t kClientsBeside = 6;
/// Of a client: a connection and two ends of a pipe for each broker, and as much for the group's coordinator; what else wakes its threads.
constexpr uint64_t kFilesOfBroker = 3, kFilesOfClient = 6;

constexpr uint64_t clients_of(uint64_t topics, uint64_t topics_per_client) {
  if (topics <= topics_per_client) return 1 + kClientsBeside;
  return 1 + kClientsBeside + (topics_per_client == 0 ? topics : (topics + topics_per_client - 1) / topics_per_client);
}

constexpr uint64_t open_files(uint64_t topics, uint64_t topics_per_client, uint64_t brokers) {
  return clients_of(topics, topics_per_client) * (brokers * kFilesOfBroker + kFilesOfClient);
}

}  // namespace cdcrt::kafka_source
