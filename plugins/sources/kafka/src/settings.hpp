// Settings: what the manifest says about one Kafka source.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "cdcrt/sdk/config.hpp"
#include "cdcrt/sdk/status.hpp"
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
  std::chrono::milliseconds connect_timeout{0};
  Properties properties;

  sdk::Status read(const sdk::Config& config);
};

}  // namespace cdcrt::kafka_source
