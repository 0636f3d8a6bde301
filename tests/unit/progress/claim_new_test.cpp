#include <doctest/doctest.h>

#include <condition_variable>
#include <thread>

#include "progress/store.hpp"
#include "progress/target.hpp"

using namespace cdcrt;
using test::Target;

TEST_CASE("leases: two writers that meet a new partition at once hold the epoch that is stored") {
  Target target;
  auto second = target.sink.open();
  REQUIRE(second);
  progress::Store store("shop", "db", "cdcrt", CDCRT_SINK_SCHEMAS, "here");
  REQUIRE(store.prepare(target.connection));
  const progress::Partition partition("s", "t", 0, [](auto&, int64_t, uint32_t) {});

  // The second one claims while the first commits, and commits once the first is done: if it can.
  std::mutex mutex;
  std::condition_variable changed;
  bool second_commits = false, first_done = false;
  int commits = 0;
  std::thread other;
  target.database.before_commit = [&] {
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
  REQUIRE(store.claim_new(target.connection, {&partition}));
  {
    const std::lock_guard lock(mutex);
    first_done = true;
  }
  changed.notify_all();
  other.join();
  target.database.before_commit = {};
  REQUIRE(target.connection.begin());
  auto lost = store.check(target.connection, {&partition});
  REQUIRE(lost);
  CHECK(lost->empty());
}
