// What is told of clients that share topics while the host takes no messages.
#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "group_consumer.hpp"
#include "mock_cluster.hpp"

using namespace cdcrt;
using namespace cdcrt::kafka_source;

namespace {

/// A member of the group, who is sought to the beginning of whatever it is given.
struct Member {
  explicit Member(const Settings& settings) : inspector(settings, sdk::Host()), consumer(settings, inspector, sdk::Host()) {
    events.size = sizeof events;
    events.self = this;
    events.assigned = [](void* self, cdcrt_string topic, int32_t partition) {
      auto& member = *static_cast<Member*>(self);
      ++member.assigned;
      member.consumer.seek(sdk::view(topic), partition, 0, 1);
    };
    events.revoked = [](void*, cdcrt_string, int32_t) {};
    REQUIRE(consumer.start(events).ok());
  }
  /// Reads a batch, if one comes; answers how many messages it had.
  uint32_t read() {
    cdcrt_messages batch{};
    bool is_at_end = false;
    (void)consumer.poll(std::chrono::milliseconds(100), batch, is_at_end);
    const uint32_t count = batch.count;
    if (batch.release != nullptr) batch.release(&batch);
    return count;
  }

  cdcrt_source_events events{};
  Inspector inspector;
  GroupConsumer consumer;
  int assigned = 0;
};

}  // namespace

TEST_CASE("a silent lane: that nobody answers is told also while nothing is read, with the topics that are concerned") {
  MockCluster cluster({"people", "places"});
  Member member(cluster.settings);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  const auto goes_on = [&] { return std::chrono::steady_clock::now() < deadline; };
  for (uint32_t count = 0; count < 2 * MockCluster::kPartitions * MockCluster::kMessages && goes_on();) count += member.read();
  CHECK(member.assigned == 2 * MockCluster::kPartitions);
  cluster.take_away(1);
  cluster.take_away(2);
  std::string told;
  while (told.find("one of the clients that share the topics, that of 'p") == std::string::npos && goes_on()) {
    const auto served = member.consumer.serve();
    if (served.code() == CDCRT_RETRY) told = served.message();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  CHECK(told.find("no Kafka broker answers one of the clients that share the topics, that of 'p") == 0);
}
