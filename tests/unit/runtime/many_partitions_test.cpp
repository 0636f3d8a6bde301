// What is asked of a source does not grow with the number of its partitions: they are asked for in lists.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "cdcrt/sdk/source.hpp"
#include "runtime/decode_pool.hpp"
#include "runtime/log_ends.hpp"
#include "runtime/log_watch.hpp"
#include "runtime/ownership.hpp"

using namespace cdcrt;
using namespace cdcrt::runtime;

namespace {

constexpr int kPartitions = 2000;
constexpr int64_t kEnd = 7;

struct Calls {
  std::atomic<int> bounds{0}, origins{0}, fetches{0}, lists_of_bounds{0}, lists_of_origins{0}, lists_of_messages{0};
} calls;

cdcrt_message message_at(int64_t offset) {
  cdcrt_message message{};
  message.offset = offset;
  message.timestamp_ms = 1000 + offset;
  return message;
}

/// A group that holds kEnd messages in each partition. Partition 13 is never told together with others.
class Group final : public sdk::Source {
 public:
  static constexpr uint32_t kCapabilities = CDCRT_SOURCE_REWINDS | CDCRT_SOURCE_GROUPS;
  explicit Group(const sdk::Config&) {}
  sdk::Status seek(std::string_view, int32_t, int64_t, uint32_t) override { return {}; }
  sdk::Status poll(std::chrono::milliseconds, cdcrt_messages&) override { return {}; }
  sdk::Status list(const std::function<bool(std::string_view, int32_t)>& visit) override {
    for (int i = 0; i < kPartitions && visit("t" + std::to_string(i), 0); ++i) continue;
    return {};
  }
  sdk::Status bounds(std::string_view, int32_t, cdcrt_bounds& out) override {
    ++calls.bounds;
    out = {0, kEnd};
    return {};
  }
  sdk::Status origin(std::string_view, int32_t, int64_t& offset) override {
    ++calls.origins;
    offset = 0;
    return {};
  }
  sdk::Status fetch(std::string_view, int32_t, int64_t first, int64_t, const std::function<bool(const cdcrt_message&)>& visit) override {
    ++calls.fetches;
    visit(message_at(first));
    return {};
  }
  sdk::Status bounds_of(const std::vector<cdcrt_place>& places,
                        const std::function<void(std::size_t, const cdcrt_bounds&)>& answer) override {
    ++calls.lists_of_bounds;
    each(places, [&](std::size_t i) { answer(i, {0, kEnd}); });
    return {};
  }
  sdk::Status origins_of(const std::vector<cdcrt_place>& places, const std::function<void(std::size_t, int64_t)>& answer) override {
    ++calls.lists_of_origins;
    each(places, [&](std::size_t i) { answer(i, 0); });
    return {};
  }
  sdk::Status messages_at(const std::vector<cdcrt_place>& places,
                          const std::function<void(std::size_t, const cdcrt_message*)>& answer) override {
    ++calls.lists_of_messages;
    each(places, [&](std::size_t i) {
      const cdcrt_message message = message_at(places[i].offset);
      answer(i, &message);
    });
    return {};
  }

 private:
  template <class Answer>
  static void each(const std::vector<cdcrt_place>& places, const Answer& answer) {
    for (std::size_t i = 0; i < places.size(); ++i) {
      if (sdk::view(places[i].topic) != "t13") answer(i);
    }
  }
};

progress::LastMessage last_at(int64_t offset) {
  const cdcrt_message message = message_at(offset);
  return {offset, message.timestamp_ms, content_hash(message)};
}

/// A pipeline without sinks over that group, whose partitions were all assigned.
struct Pipeline {
  Pipeline() {
    for (auto* count :
         {&calls.bounds, &calls.origins, &calls.fetches, &calls.lists_of_bounds, &calls.lists_of_origins, &calls.lists_of_messages})
      *count = 0;
    manifest.name = "events";
    descriptor = sdk::detail::source_descriptor<Group>("group", "1.0.0", sdk::kNoOptions);
    manifest.descriptor = &descriptor;
    sources.push_back(std::make_unique<SourceRuntime>(manifest, 0, monitor, flows, INT64_MAX));
    REQUIRE(sources.front()->open().ok());
    for (int i = 0; i < kPartitions; ++i) ownership.assigned(0, "t" + std::to_string(i), 0);
  }
  SourceRuntime& source() { return *sources.front(); }

  manifest::Source manifest;
  cdcrt_plugin descriptor{};
  Monitor monitor;
  Flows flows{monitor};
  std::vector<std::unique_ptr<SourceRuntime>> sources;
  std::vector<std::unique_ptr<SinkRuntime>> sinks;
  Ownership ownership{monitor, sources, sinks};
};

}  // namespace

TEST_CASE("many partitions: those that are claimed together are asked for together, and one that is not told so alone") {
  Pipeline pipeline;
  REQUIRE(pipeline.ownership.step().ok());
  CHECK(pipeline.ownership.settled());
  CHECK(calls.lists_of_origins <= kPartitions / 100);
  CHECK(calls.origins == 1);
  // The source goes to where the logs begin by now.
  REQUIRE(pipeline.source().begin(pipeline.ownership));
  REQUIRE(pipeline.source().step(0));
  CHECK(calls.lists_of_bounds <= kPartitions / 100);
  CHECK(calls.bounds == 1);
}

TEST_CASE("many partitions: where their logs end is asked for together") {
  Pipeline pipeline;
  REQUIRE(pipeline.ownership.step().ok());
  LogEnds ends(pipeline.monitor, pipeline.flows, pipeline.sources);
  ends.start();
  const auto flows = pipeline.flows.all();
  const auto are_known = [&] {
    return std::all_of(flows.begin(), flows.end(), [&](const Flow* flow) { return ends.end(flow->partition) == kEnd; });
  };
  while (!are_known()) std::this_thread::yield();
  ends.stop();
  CHECK(calls.bounds <= 2 * calls.lists_of_bounds);
}

TEST_CASE("many partitions: whether their logs are the same is looked up together") {
  Pipeline pipeline;
  REQUIRE(pipeline.ownership.step().ok());
  for (Flow* flow : pipeline.flows.all()) {
    progress::Partition& partition = flow->partition;
    partition.take(3, last_at(2));
    partition.routed(partition.generation(), 5, last_at(4));
  }
  LogWatch logs(pipeline.flows, pipeline.sources, pipeline.monitor);
  REQUIRE(logs.look_at_moved().ok());
  CHECK(calls.lists_of_messages <= kPartitions / 50);
  CHECK(calls.fetches == 1);
  for (const Flow* flow : pipeline.flows.all()) CHECK(flow->partition.anchor().offset == 4);
}

TEST_CASE("many partitions: a log that was made again is found among many") {
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
