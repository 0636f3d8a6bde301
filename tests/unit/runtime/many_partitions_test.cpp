// What is asked of a source does not grow with the number of its partitions: they are asked for in lists.
#include <doctest/doctest.h>

#include <algorithm>
#include <thread>

#include "runtime/group.hpp"
#include "runtime/log_ends.hpp"
#include "runtime/log_watch.hpp"

using namespace cdcrt;
using namespace cdcrt::runtime;
using namespace cdcrt::test;

namespace {

constexpr int kPartitions = 2000;

/// One of them is never told together with others.
Group& many() {
  Group& group = new_group();
  group.topics = kPartitions;
  group.spoiled = {"t13"};
  return group;
}

}  // namespace

TEST_CASE("many partitions: those that are claimed together are asked for together, and one that is not told so alone") {
  const Group& asked = many();
  Pipeline pipeline;
  REQUIRE(pipeline.ownership.step().ok());
  CHECK(pipeline.ownership.settled());
  CHECK(asked.origins.lists <= kPartitions / 100);
  CHECK(asked.origins.alone.size() == 1);
  // The source goes to where the logs begin by now.
  REQUIRE(pipeline.source().begin(pipeline.ownership));
  REQUIRE(pipeline.source().step(0));
  CHECK(asked.bounds.lists <= kPartitions / 100);
  CHECK(asked.bounds.alone.size() == 1);
}

TEST_CASE("many partitions: where their logs end is asked for together") {
  const Group& asked = many();
  Pipeline pipeline;
  REQUIRE(pipeline.ownership.step().ok());
  LogEnds ends(pipeline.monitor, pipeline.flows, pipeline.sources);
  ends.start();
  const auto flows = pipeline.flows.all();
  const auto are_known = [&] {
    return std::all_of(flows.begin(), flows.end(), [&](const Flow* flow) { return ends.end(flow->partition) == asked.end; });
  };
  while (!are_known()) std::this_thread::yield();
  ends.stop();
  CHECK(asked.bounds.alone.size() <= 2 * static_cast<std::size_t>(asked.bounds.lists));
}

TEST_CASE("many partitions: while a part of the source is away the ends of the others are known, and nobody waits for its own") {
  Group& asked = many();
  Pipeline pipeline;
  REQUIRE(pipeline.ownership.step().ok());
  REQUIRE(pipeline.source().begin(pipeline.ownership));
  asked.on_poll = [](cdcrt_messages&) { return sdk::Status::retry("nobody leads t13", "wait"); };
  REQUIRE(pipeline.source().step(0));
  REQUIRE(pipeline.source().outage().has_value());
  const std::size_t before = asked.bounds.alone.size();
  asked.end = 9;
  LogEnds ends(pipeline.monitor, pipeline.flows, pipeline.sources);
  ends.start();
  const auto flows = pipeline.flows.all();
  const auto known = [&] {
    return std::count_if(flows.begin(), flows.end(), [&](const Flow* flow) { return ends.end(flow->partition) == asked.end; });
  };
  while (known() < kPartitions - 1) std::this_thread::yield();
  ends.stop();
  CHECK(known() == kPartitions - 1);
  CHECK(asked.bounds.alone.size() == before);
}

TEST_CASE("many partitions: whether their logs are the same is looked up together") {
  const Group& asked = many();
  Pipeline pipeline;
  REQUIRE(pipeline.ownership.step().ok());
  for (Flow* flow : pipeline.flows.all()) {
    progress::Partition& partition = flow->partition;
    partition.take(3, last_at(2));
    partition.routed(partition.generation(), 5, last_at(4));
  }
  LogWatch logs(pipeline.flows, pipeline.sources, pipeline.monitor);
  REQUIRE(logs.look_at_moved().ok());
  CHECK(asked.messages.lists <= kPartitions / 50);
  CHECK(asked.messages.alone.size() == 1);
  for (const Flow* flow : pipeline.flows.all()) CHECK(flow->partition.anchor().offset == 4);
}

TEST_CASE("many partitions: a log that was made again is found among many") {
  many();
  Pipeline pipeline;
  REQUIRE(pipeline.ownership.step().ok());
  for (Flow* flow : pipeline.flows.all()) {
    progress::Partition& partition = flow->partition;
    progress::LastMessage last = last_at(2);
    if (partition.topic() == "t500") ++last.hash;
    partition.take(3, last);
    partition.routed(partition.generation(), 5, last_at(4));
  }
  LogWatch logs(pipeline.flows, pipeline.sources, pipeline.monitor);
  const auto looked = logs.look_at_moved();
  REQUIRE(!looked.ok());
  CHECK(looked.error().code == CDCRT_FATAL);
  CHECK(looked.error().message.find("t500[0]") != std::string::npos);
}
