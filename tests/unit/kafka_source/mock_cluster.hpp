// MockCluster: two brokers that librdkafka plays itself, in this process.
#pragma once

#include <doctest/doctest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <chrono>
#include <string>
#include <vector>

#include "cdcrt/abi/source.h"
#include "settings.hpp"

namespace cdcrt::kafka_source {

/// The brokers lead the partitions in turn, and each has some messages.
class MockCluster {
 public:
  static constexpr int32_t kPartitions = 12, kMessages = 3;

  explicit MockCluster(const std::vector<std::string>& topics) : topics_(topics) {
    rd_kafka_conf_t* configuration = rd_kafka_conf_new();
    rd_kafka_conf_set(configuration, "test.mock.num.brokers", "2", nullptr, 0);
    rd_kafka_conf_set_log_cb(configuration, [](const rd_kafka_t*, int, const char*, const char*) {});
    producer_ = rd_kafka_new(RD_KAFKA_PRODUCER, configuration, nullptr, 0);
    REQUIRE(producer_ != nullptr);
    mock_ = rd_kafka_handle_mock_cluster(producer_);
    for (const std::string& topic : topics_) make(topic);
    REQUIRE(rd_kafka_flush(producer_, 30'000) == RD_KAFKA_RESP_ERR_NO_ERROR);
    settings.brokers = rd_kafka_mock_cluster_bootstraps(mock_);
    settings.group = "readers";
    settings.isolation_level = "read_committed";
    settings.queue_memory = 16 << 20;
    settings.topics_per_client = 1;
    settings.connect_timeout = std::chrono::milliseconds(1000);
    REQUIRE(TopicPatterns::parse(topics_, settings.topics).ok());
  }
  ~MockCluster() { rd_kafka_destroy(producer_); }
  MockCluster(const MockCluster&) = delete;
  MockCluster& operator=(const MockCluster&) = delete;

  /// 1 or 2.
  void take_away(int32_t broker) { REQUIRE(rd_kafka_mock_broker_set_down(mock_, broker) == RD_KAFKA_RESP_ERR_NO_ERROR); }

  Settings settings;                ///< of a source that reads all topics
  std::vector<cdcrt_place> places;  ///< the second message of each partition

 private:
  void make(const std::string& name) {
    REQUIRE(rd_kafka_mock_topic_create(mock_, name.c_str(), kPartitions, 1) == RD_KAFKA_RESP_ERR_NO_ERROR);
    for (int32_t i = 0; i < kPartitions; ++i) {
      rd_kafka_mock_partition_set_leader(mock_, name.c_str(), i, 1 + i % 2);
      places.push_back({sdk::borrow(name), i, 0, 1});
    }
    rd_kafka_topic_t* topic = rd_kafka_topic_new(producer_, name.c_str(), nullptr);
    for (int32_t i = 0; i < kPartitions * kMessages; ++i) {
      std::string value = "value " + std::to_string(i / kPartitions);
      rd_kafka_produce(topic, i % kPartitions, RD_KAFKA_MSG_F_COPY, value.data(), value.size(), nullptr, 0, nullptr);
    }
    rd_kafka_topic_destroy(topic);
  }

  const std::vector<std::string> topics_;
  rd_kafka_t* producer_ = nullptr;
  rd_kafka_mock_cluster_t* mock_ = nullptr;
};

}  // namespace cdcrt::kafka_source
