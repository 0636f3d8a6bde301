// Two brokers that librdkafka plays itself; one of them goes away.
#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include "inspector.hpp"
#include "mock_cluster.hpp"
#include "rereader.hpp"

using namespace cdcrt;
using namespace cdcrt::kafka_source;

namespace {

constexpr int32_t kPartitions = MockCluster::kPartitions, kMessages = MockCluster::kMessages;

std::set<int32_t> led_by(int32_t broker) {
  std::set<int32_t> partitions;
  for (int32_t i = 0; i < kPartitions; ++i) {
    if (1 + i % 2 == broker) partitions.insert(i);
  }
  return partitions;
}

/// Partitions of which a list of bounds, or of messages, tells.
std::set<int32_t> told_of(Inspector& inspector, const MockCluster& cluster) {
  std::set<int32_t> told;
  inspector.bounds_of(cluster.places, [&](std::size_t i, const cdcrt_bounds& bounds) {
    CHECK(bounds.first == 0);
    CHECK(bounds.end == kMessages);
    told.insert(cluster.places[i].partition);
  });
  return told;
}

std::set<int32_t> told_of(Rereader& rereader, const MockCluster& cluster) {
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
  MockCluster cluster({"people"});
  Inspector inspector(cluster.settings, sdk::Host());
  Rereader rereader(cluster.settings, inspector, sdk::Host());
  CHECK(told_of(inspector, cluster).size() == kPartitions);
  CHECK(told_of(rereader, cluster).size() == kPartitions);
  cluster.take_away(2);
  CHECK(told_of(inspector, cluster) == led_by(1));
  CHECK(told_of(rereader, cluster) == led_by(1));
}
