#include <doctest/doctest.h>

#include <condition_variable>
#include <thread>

#include "apply/memory_sink.hpp"
#include "plugin/instance.hpp"
#include "progress/store.hpp"

using namespace cdcrt;

TEST_CASE("leases: two writers that meet a new partition at once hold the epoch that is stored") {
  memory_sink::Database database;
  const manifest::Sink component = memory_sink::component(database);
  auto sink = plugin::Sink::create(component);
  REQUIRE(sink);
  auto first = sink->open(), second = sink->open();
  REQUIRE(first);
  REQUIRE(second);
  progress::Store store("shop", "db", "cdcrt", CDCRT_SINK_SCHEMAS, "here");
  REQUIRE(store.prepare(*first));
  const progress::Partition partition("s", "t", 0, [](auto&, int64_t, uint32_t) {});

  // The second one claims while the first commits, and commits once the first is done: if it can.
  std::mutex mutex;
  std::condition_variable changed;
  bool second_commits = false, first_done = false;
  int commits = 0;
  std::thread other;
  database.before_commit = [&] {
    if (commits++ > 0) {
      std::unique_lock lock(mutex);
      second_commits = true;
      changed.notify_all();
      changed.wait(lock, [&] { return first_done; });
      return;
    }
    other = std::thread([&] { CHECK(store.claim_new(*second, {&partition})); });
    std::unique_lock lock(mutex);
    changed.wait_for(lock, std::chrono::milliseconds(200), [&] { return second_commits; });
  };
  REQUIRE(store.claim_new(*first, {&partition}));
  {
    const std::lock_guard lock(mutex);
    first_done = true;
  }
  changed.notify_all();
  other.join();
  database.before_commit = {};
  REQUIRE(first->begin());
  auto lost = store.check(*first, {&partition});
  REQUIRE(lost);
  CHECK(lost->empty());
}
