// Two brokers that librdkafka plays itself; one of them goes away.
#include <doctest/doctest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "inspector.hpp"
#include "rereader.hpp"

using namespace cdcrt;
using namespace cdcrt::kafka_source;

namespace {

constexpr int32_t kPartitions = 12, kMessages = 3;

/// Topic "people", whose partitions the two brokers lead in turn, with some messages each.
class Cluster {
 public:
  Cluster() {
    rd_kafka_conf_t* configuration = rd_kafka_conf_new();
    rd_kafka_conf_set(configuration, "test.mock.num.brokers", "2", nullptr, 0);
    rd_kafka_conf_set_log_cb(configuration, [](const rd_kafka_t*, int, const char*, const char*) {});
    producer_ = rd_kafka_new(RD_KAFKA_PRODUCER, configuration, nullptr, 0);
    REQUIRE(producer_ != nullptr);
    mock_ = rd_kafka_handle_mock_cluster(producer_);
    REQUIRE(rd_kafka_mock_topic_create(mock_, "people", kPartitions, 1) == RD_KAFKA_RESP_ERR_NO_ERROR);
    for (int32_t i = 0; i < kPartitions; ++i) rd_kafka_mock_partition_set_leader(mock_, "people", i, 1 + i % 2);
    rd_kafka_topic_t* topic = rd_kafka_topic_new(producer_, "people", nullptr);
    for (int32_t i = 0; i < kPartitions * kMessages; ++i) {
      std::string value = "value " + std::to_string(i / kPartitions);
      rd_kafka_produce(topic, i % kPartitions, RD_KAFKA_MSG_F_COPY, value.data(), value.size(), nullptr, 0, nullptr);
    }
    REQUIRE(rd_kafka_flush(producer_, 30'000) == RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_destroy(topic);
    settings.brokers = rd_kafka_mock_cluster_bootstraps(mock_);
    settings.isolation_level = "read_committed";
    settings.queue_memory = 16 << 20;
    settings.connect_timeout = std::chrono::milliseconds(1000);
    REQUIRE(TopicPatterns::parse({"people"}, settings.topics).ok());
    for (int32_t i = 0; i < kPartitions; ++i) places.push_back({sdk::borrow("people"), i, 0, 1});
  }
  ~Cluster() { rd_kafka_destroy(producer_); }
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;
  void take_away(int32_t broker) { REQUIRE(rd_kafka_mock_broker_set_down(mock_, broker) == RD_KAFKA_RESP_ERR_NO_ERROR); }

  Settings settings;
  std::vector<cdcrt_place> places;

 private:
  rd_kafka_t* producer_ = nullptr;
  rd_kafka_mock_cluster_t* mock_ = nullptr;
};

std::set<int32_t> led_by(int32_t broker) {
  std::set<int32_t> partitions;
  for (int32_t i = 0; i < kPartitions; ++i) {
    if (1 + i % 2 == broker) partitions.insert(i);
  }
  return partitions;
}

/// Partitions of which a list of bounds, or of messages, tells.
std::set<int32_t> told_of(Inspector& inspector, const Cluster& cluster) {
  std::set<int32_t> told;
  inspector.bounds_of(cluster.places, [&](std::size_t i, const cdcrt_bounds& bounds) {
    CHECK(bounds.first == 0);
    CHECK(bounds.end == kMessages);
    told.insert(cluster.places[i].partition);
  });
  return told;
}

std::set<int32_t> told_of(Rereader& rereader, const Cluster& cluster) {
  std::set<int32_t> told;
  rereader.find_all(cluster.places, [&](std::size_t i, const cdcrt_message* message) {
    REQUIRE(message != nullptr);
    CHECK(std::string(static_cast<const char*>(message->value.data), message->value.size) == "value 1");
    told.insert(cluster.places[i].partition);
  });
  return told;
}

}  // namespace

TEST_CASE("a broker that is away: lists tell of what the others lead") {
  Cluster cluster;
  Inspector inspector(cluster.settings, sdk::Host());
  Rereader rereader(cluster.settings, inspector, sdk::Host());
  CHECK(told_of(inspector, cluster).size() == kPartitions);
  CHECK(told_of(rereader, cluster).size() == kPartitions);
  cluster.take_away(2);
  CHECK(told_of(inspector, cluster) == led_by(1));
  CHECK(told_of(rereader, cluster) == led_by(1));
}
