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

TEST_CASE("a lane: one that reads nothing is not silent, whoever went away, and one that does names what it reads") {
  Settings settings;
  Wakeup wakeup;
  const auto lane = lane_of(settings, wakeup);
  const auto long_ago = Silence::Clock::now() - std::chrono::hours(1);
  lane->client().silence().answered(long_ago);
  lane->client().silence().lost(long_ago + std::chrono::seconds(1));
  CHECK_FALSE(lane->is_silent());
  CHECK(lane->topics_text() == "");
  REQUIRE(lane->start("people", 0, 0).ok());
  CHECK_FALSE(lane->is_silent());  // it was asked for nothing before
  lane->client().silence().answered(long_ago);
  lane->client().silence().lost(long_ago + std::chrono::seconds(1));
  REQUIRE(lane->start("people", 1, 0).ok());
  REQUIRE(lane->start("places", 0, 0).ok());
  REQUIRE(lane->start("things", 0, 0).ok());
  CHECK(lane->topics_text() == "'people' and 2 more");
  lane->stop("people", 0);
  lane->stop("people", 1);
  CHECK(lane->topics_text() == "'places' and 1 more");
  lane->stop_all();
  CHECK(lane->topics_text() == "");
  CHECK_FALSE(lane->is_silent());
}
