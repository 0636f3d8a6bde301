// One partition of which a source cannot tell keeps nobody from the others, and is not forgotten itself.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <thread>

#include "runtime/group.hpp"
#include "runtime/log_watch.hpp"

using namespace cdcrt;
using namespace cdcrt::runtime;
using namespace cdcrt::test;

namespace {

constexpr Group::Lists kSpoilt[] = {Group::Lists::kLeaveOut, Group::Lists::kFailAfterAll, Group::Lists::kFailAtFirst};

Group& spoiled_by(const std::set<std::string>& topics, Group::Lists lists = Group::Lists::kLeaveOut) {
  Group& group = new_group();
  group.spoiled = topics;
  group.lists = lists;
  return group;
}

/// Whoever was told nothing of is asked for alone, once.
bool once_each(const Group::Asked& asked) {
  return std::all_of(asked.alone.begin(), asked.alone.end(), [&](const auto& topic) { return asked.alone.count(topic) == 1; });
}

/// Each was read up to message 4; message 2 is the anchor.
void move_all(Pipeline& pipeline) {
  for (Flow* flow : pipeline.flows.all()) {
    progress::Partition& partition = flow->partition;
    partition.take(3, last_at(2));
    partition.routed(partition.generation(), 5, last_at(4));
  }
}

std::set<std::string> unconfirmed(Pipeline& pipeline) {
  std::set<std::string> topics;
  for (const Flow* flow : pipeline.flows.all()) {
    if (flow->partition.anchor().offset != 4) topics.insert(flow->partition.topic());
  }
  return topics;
}

}  // namespace

TEST_CASE("spoiled lists: all partitions are read, and those that a list told of before it failed are not asked for again") {
  for (const auto lists : kSpoilt) {
    CAPTURE(static_cast<int>(lists));
    const Group& asked = spoiled_by({"t13"}, lists);
    Pipeline pipeline;
    pipeline.settle();
    CHECK(pipeline.unowned().empty());
    REQUIRE(pipeline.source().begin(pipeline.ownership));
    REQUIRE(pipeline.source().step(0));
    CHECK(asked.sought.size() == 300);
    for (const Group::Asked* each : {&asked.origins, &asked.bounds}) {
      CHECK(each->twice().empty());
      CHECK(each->told.size() + each->alone.size() == 300);
      CHECK(once_each(*each));
      CHECK((lists == Group::Lists::kFailAtFirst || each->alone.size() == 1));
    }
  }
}

TEST_CASE("spoiled lists: all logs are looked at, and those that a list told of before it failed are not asked for again") {
  for (const auto lists : kSpoilt) {
    CAPTURE(static_cast<int>(lists));
    const Group& asked = spoiled_by({"t13"}, lists);
    Pipeline pipeline;
    pipeline.settle();
    move_all(pipeline);
    LogWatch logs(pipeline.flows, pipeline.sources, pipeline.monitor);
    REQUIRE(logs.look_at_moved().ok());
    CHECK(unconfirmed(pipeline).empty());
    CHECK(asked.messages.twice().empty());
    CHECK(asked.messages.told.size() + asked.messages.alone.size() == 300);
    CHECK((lists == Group::Lists::kFailAtFirst || asked.messages.alone.size() == 1));
  }
}

TEST_CASE("slow lists: each log has its turn, and one of which the list does not tell, or whose message is gone, is looked at alone") {
  for (const bool is_gone : {false, true}) {
    CAPTURE(is_gone);
    Group& asked = spoiled_by({"t13"});
    asked.has_no_messages = is_gone;
    asked.list_of_messages_takes = std::chrono::milliseconds(150);  // longer than a step may look
    Pipeline pipeline;
    pipeline.settle();
    move_all(pipeline);
    LogWatch logs(pipeline.flows, pipeline.sources, pipeline.monitor);
    const progress::Partition& spoiled = pipeline.partition("t13");
    for (int64_t next = 6; spoiled.anchor().offset != 4 && asked.messages.lists < 10; ++next) {
      for (Flow* flow : pipeline.flows.all()) {  // the others go on, so that there is always a list to ask for
        if (&flow->partition != &spoiled) flow->partition.routed(flow->partition.generation(), next, last_at(next - 1));
      }
      REQUIRE(logs.step().ok());
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    CHECK(spoiled.anchor().offset == 4);
    CHECK(asked.messages.twice().empty());
  }
}

TEST_CASE("slow lists: where they tell nothing at all one log is looked at alone, however long they took") {
  std::set<std::string> all;
  for (int i = 0; i < 300; ++i) all.insert("t" + std::to_string(i));
  Group& asked = spoiled_by(all, Group::Lists::kFailAtFirst);
  asked.list_of_messages_takes = std::chrono::milliseconds(150);  // longer than a step may look
  Pipeline pipeline;
  pipeline.settle();
  move_all(pipeline);
  LogWatch logs(pipeline.flows, pipeline.sources, pipeline.monitor);
  REQUIRE(logs.step().ok());
  CHECK(asked.messages.told.empty());
  CHECK(unconfirmed(pipeline).size() == 299);
}

TEST_CASE("claims: one partition that cannot be asked about waits, the others are read, and it is once it can be") {
  for (const auto lists : {Group::Lists::kLeaveOut, Group::Lists::kFailAfterAll}) {
    memory_sink::Database database;
    spoiled_by({});
    Pipeline(&database).settle();

    Group& asked = spoiled_by({"t13"}, lists);
    asked.alone = CDCRT_RETRY;
    Pipeline pipeline(&database, "second");
    REQUIRE(pipeline.ownership.step().ok());
    CHECK(pipeline.unowned() == std::set<std::string>{"t13"});
    CHECK(pipeline.ownership.waiting(0) == 1);
    CHECK(asked.bounds.alone == std::multiset<std::string>{"t13"});
    asked.alone = CDCRT_OK;
    pipeline.settle();
    CHECK(pipeline.unowned().empty());
    CHECK(asked.bounds.twice().empty());
  }
}

TEST_CASE("claims: a new topic that cannot be asked about keeps nobody from what was read before, nor from other new topics") {
  memory_sink::Database database;
  spoiled_by({});
  Pipeline(&database).settle();

  Group& asked = spoiled_by({"t300"});
  asked.topics = 310;
  asked.alone = CDCRT_RETRY;
  Pipeline pipeline(&database, "second");
  REQUIRE(pipeline.ownership.step().ok());
  CHECK(pipeline.unowned() == std::set<std::string>{"t300"});
  asked.alone = CDCRT_OK;
  pipeline.settle();
  CHECK(pipeline.unowned().empty());
}

TEST_CASE("claims: who was asked about in vain comes last the next time, of what was read before and of new topics") {
  for (const int topics : {300, 310}) {
    CAPTURE(topics);
    memory_sink::Database database;
    spoiled_by({});
    Pipeline(&database).settle();

    const std::set<std::string> away =
        topics == 300 ? std::set<std::string>{"t13", "t14", "t15"} : std::set<std::string>{"t300", "t301", "t302"};
    Group& asked = spoiled_by(away);
    asked.topics = topics;
    asked.alone = CDCRT_RETRY;
    Pipeline pipeline(&database, "second");
    while (asked.bounds.alone.size() < 3) {
      REQUIRE(pipeline.ownership.step().ok());
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    CHECK(asked.bounds.alone == std::multiset<std::string>(away.begin(), away.end()));
    CHECK(pipeline.unowned() == away);
  }
}

TEST_CASE("claims: at the first start, whose settings say where all begin, nothing begins before all can be asked about") {
  memory_sink::Database database;
  Group& asked = spoiled_by({"t13"});
  asked.alone = CDCRT_RETRY;
  Pipeline pipeline(&database);
  REQUIRE(pipeline.ownership.step().ok());
  CHECK(pipeline.ownership.waiting(0) == 300);
  asked.alone = CDCRT_OK;
  pipeline.settle();
  CHECK(pipeline.unowned().empty());
}

TEST_CASE("seeks: where nobody tells where a log begins the thread goes on to read, says so, and asks for the others first") {
  Group& asked = spoiled_by({"t13", "t14", "t15"});
  Pipeline pipeline;
  pipeline.settle();
  REQUIRE(pipeline.source().begin(pipeline.ownership));
  asked.alone = CDCRT_RETRY;
  REQUIRE(pipeline.source().step(0));
  CHECK(asked.polls == 1);
  CHECK(asked.sought.size() == 297);
  CHECK(asked.bounds.alone.size() == 1);  // each may be waited for
  REQUIRE(pipeline.source().outage().has_value());
  CHECK(pipeline.source().outage()->find("nobody leads t13") != std::string::npos);
  // Asked ever more rarely; the others are read meanwhile.
  const auto step_until = [&](const std::function<bool()>& done) {
    for (int i = 0; i < 20'000 && !done(); ++i) {
      REQUIRE(pipeline.source().step(0));
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  };
  step_until([&] { return asked.bounds.alone.size() >= 3; });
  CHECK(asked.bounds.alone == std::multiset<std::string>{"t13", "t14", "t15"});
  CHECK(asked.polls >= 3);
  asked.alone = CDCRT_OK;
  step_until([&] { return asked.sought.size() >= 300; });
  CHECK(asked.sought.size() == 300);
}
