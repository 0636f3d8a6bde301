#include "fetch_lane.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>

using namespace cdcrt;
using namespace cdcrt::kafka_source;

namespace {

/// A lane of a client that reaches no broker.
std::unique_ptr<FetchLane> lane_of(Settings& settings, Wakeup& wakeup) {
  settings.brokers = "127.0.0.1:1";
  settings.isolation_level = "read_committed";
  settings.queue_memory = 16 << 20;
  std::unique_ptr<FetchLane> lane;
  const auto opened = FetchLane::open(settings, sdk::Host(), wakeup, lane);
  INFO(opened.message());
  REQUIRE(opened.ok());
  return lane;
}

}  // namespace

TEST_CASE("a lane: a partition that cannot be begun says librdkafka's reason, and the others are begun") {
  Settings settings;
  Wakeup wakeup;
  const auto lane = lane_of(settings, wakeup);
  const auto unknown = lane->start("people", -1, 0);
  CHECK(unknown.code() == CDCRT_RETRY);
  CHECK(unknown.message() == "librdkafka: Local: Unknown partition");
  const auto unnamed = lane->start(std::string(1000, 'x'), 0, 0);
  CHECK(unnamed.code() == CDCRT_RETRY);
  CHECK(unnamed.message() == "librdkafka: Local: Invalid argument or configuration");
  CHECK(lane->start("people", 0, 0).ok());
  CHECK(lane->start("people", 0, 7).ok());
  lane->stop("people", 0);
  lane->stop("people", -1);
}
