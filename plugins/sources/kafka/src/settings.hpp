// Settings: what the manifest says about one Kafka source.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "cdcrt/sdk/config.hpp"
#include "cdcrt/sdk/host.hpp"
#include "cdcrt/sdk/status.hpp"
#include "kafka/security.hpp"
#include "properties.hpp"
#include "start_position.hpp"
#include "topic_patterns.hpp"

namespace cdcrt::kafka_source {

/// Read once, then constant; any thread.
struct Settings {
  std::string brokers, group;
  std::string instance;  // empty: dynamic membership
  TopicPatterns topics;
  StartPosition start;
  bool stops_at_end = false;
  bool is_eager = false;
  std::string isolation_level;
  uint64_t max_messages_per_second = 0;  // 0: no limit
  uint64_t queue_memory = 0;             // bytes
  std::size_t topics_per_client = 0;
  std::chrono::milliseconds connect_timeout{0};
  Properties properties;  // of the operator, and those of `security`
  kafka::Security security;

  sdk::Status read(const sdk::Config& config, const sdk::Host& host);
  /// The member's fixed name in the group: `instance` and a mark of the topics; empty where it has none. A broker gives a member that
  /// comes back under its name what it had, without asking whether it still subscribes to the same (Kafka 4.1, GroupCoordinator; KIP-345):
  /// with other topics it has to be another member.
  [[nodiscard]] std::string member() const;
};

}  // namespace cdcrt::kafka_source
