// What a table and its writer tell of themselves.
#include <doctest/doctest.h>

#include "apply/orders.hpp"
#include "observe/clock.hpp"

using namespace cdcrt;
using namespace cdcrt::rig;
using observe::TableState;

namespace {

Event at(Event event, int64_t seconds_ago) {
  event.source_time_us = observe::now_us() - seconds_ago * 1'000'000;
  return event;
}

/// About: a test may be slow, but not by a hundred seconds.
bool is_about(double seconds, double expected) { return seconds >= expected && seconds < expected + 100; }

observe::TableFacts facts_of(const Rig& rig) { return rig.table->facts({}); }

uint64_t retries(const Rig& rig, observe::RetryClass retry) { return rig.counts.retries[static_cast<std::size_t>(retry)]; }

uint64_t observed(const observe::SecondsHistogram& histogram) {
  uint64_t count = 0;
  for (const uint64_t each : histogram.counts().counts) count += each;
  return count;
}

}  // namespace

TEST_CASE("facts: a table is as far behind as its oldest change that is not written, and not at all when there is none") {
  Rig rig;
  CHECK(facts_of(rig).lag_seconds == 0);
  CHECK(facts_of(rig).last_commit_us == 0);
  rig.send(at(insert(1, text("x"), integer(1)), 1000));
  rig.send(at(insert(2, text("x"), integer(1)), 500));
  CHECK(is_about(*facts_of(rig).lag_seconds, 1000));
  CHECK(facts_of(rig).buffered_rows == 2);
  auto sealed = rig.seal();
  REQUIRE(sealed);
  rig.send(at(insert(3, text("x"), integer(1)), 200));
  CHECK(is_about(*facts_of(rig).lag_seconds, 1000));
  REQUIRE(rig.write(std::move(*sealed)));
  CHECK(is_about(*facts_of(rig).lag_seconds, 200));
  REQUIRE(rig.write());
  CHECK(facts_of(rig).lag_seconds == 0);
  CHECK(facts_of(rig).buffered_rows == 0);
  CHECK(facts_of(rig).batches == 2);
  CHECK(is_about(static_cast<double>(observe::now_us() - facts_of(rig).last_commit_us) / 1e6, 0));
  CHECK(observed(rig.counts.delay_seconds) == 2);
  CHECK(is_about(rig.counts.delay_seconds.counts().sum, 1200));
}

TEST_CASE("facts: rows are counted by operation, once they are durable") {
  Rig rig;
  rig.send(insert(1, text("x"), integer(1)));
  rig.send(update(1, text("y"), integer(1)));
  rig.send(insert(2, text("x"), integer(1)));
  rig.send(remove(2));
  CHECK(facts_of(rig).rows == observe::ByOperation{});
  REQUIRE(rig.write());
  CHECK(facts_of(rig).rows == observe::ByOperation{2, 1, 1});
  CHECK(facts_of(rig).bytes == observe::ByOperation{18, 9, 9});  // each message of the rig has nine
}

TEST_CASE("facts: a table loads while its rows are those of a snapshot, and no longer once a change came or all is read") {
  Rig rig;
  Event row = insert(1, text("x"), integer(1));
  row.operation = CDCRT_SNAPSHOT;
  CHECK_FALSE(facts_of(rig).is_loading);
  rig.send(row);
  CHECK(facts_of(rig).is_loading);
  CHECK(rig.table->is_loading());
  REQUIRE(rig.write());
  CHECK(facts_of(rig).is_loading);  // more of it may come: nobody knows where the log ends
  const auto read_to = [&](int64_t end) { return rig.table->facts({{rig.partitions[0].get(), {1, end, 0}}}).is_loading; };
  CHECK(read_to(5));
  CHECK_FALSE(read_to(1));
  rig.send(insert(2, text("x"), integer(1)));
  CHECK_FALSE(facts_of(rig).is_loading);
  // What waits is written as changes are, also where more of the snapshot is behind them.
  rig.send(row);
  CHECK_FALSE(rig.table->is_loading());
  REQUIRE(rig.write());
  rig.send(row);
  CHECK(rig.table->is_loading());
}

TEST_CASE("facts: what is behind counts by offsets of the partitions whose end is known") {
  Rig rig({}, 2);
  rig.send(insert(1, text("x"), integer(1)), 0);
  rig.send(insert(2, text("x"), integer(1)), 1);
  const auto behind = [&](std::optional<int64_t> first, std::optional<int64_t> second) {
    return rig.table->behind({{rig.partitions[0].get(), {1, first, 0}}, {rig.partitions[1].get(), {1, second, 0}}});
  };
  CHECK_FALSE(behind({}, {}).messages);
  CHECK(behind(10, {}).messages == 10U);  // the row that waits is not applied
  CHECK(behind(10, 20).messages == 30U);
  CHECK(behind(10, {}).partitions != behind({}, 10).partitions);
  REQUIRE(rig.write());
  CHECK(behind(10, 20).messages == 28U);
  CHECK(behind(10, 20).applied == 2);
}

TEST_CASE("facts: a detached table goes on falling behind, until it has read back what it missed") {
  Rig rig;
  rig.send(at(insert(1, text("x"), integer(1)), 1000));
  rig.table->detach("locked", nullptr);
  CHECK(facts_of(rig).state == TableState::kDetached);
  CHECK(facts_of(rig).reason == "locked");
  CHECK(facts_of(rig).buffered_rows == 0);
  CHECK(is_about(*facts_of(rig).lag_seconds, 1000));
  rig.send(at(insert(2, text("x"), integer(1)), 500));
  CHECK(is_about(*facts_of(rig).lag_seconds, 1000));
  REQUIRE(rig.read_back());
  CHECK(facts_of(rig).state == TableState::kActive);
  CHECK(facts_of(rig).lag_seconds == 0);
  CHECK(facts_of(rig).rows == observe::ByOperation{2, 0, 0});
}

TEST_CASE("facts: a stopped table tells why, and is behind since then") {
  Rig rig;
  rig.send(at(insert(1, text("x"), integer(1)), 300));
  rig.table->stop("its key changed", nullptr);
  CHECK(facts_of(rig).state == TableState::kStopped);
  CHECK(facts_of(rig).reason == "its key changed");
  CHECK(is_about(*facts_of(rig).lag_seconds, 300));
}

TEST_CASE("facts: what is not read of a partition counts as not applied") {
  Rig rig({}, 2);
  rig.send(insert(1, text("x"), integer(1)), 0);
  rig.send(insert(2, text("x"), integer(1)), 1);
  const int64_t read_us = observe::now_us() - 400'000'000;
  const auto now = [&](std::optional<int64_t> end, std::optional<int64_t> other_end) {
    return apply::PartitionsNow{{rig.partitions[0].get(), {1, end, read_us}}, {rig.partitions[1].get(), {1, other_end, read_us}}};
  };
  CHECK(rig.table->facts(now(1, 1)).lag_messages == 2);
  REQUIRE(rig.write());
  CHECK(rig.table->facts(now(1, 1)).lag_messages == 0);
  CHECK(rig.table->facts(now(1, 1)).lag_seconds == 0);
  CHECK(rig.table->facts(now(1, 11)).lag_messages == 10);
  CHECK(is_about(*rig.table->facts(now(1, 11)).lag_seconds, 400));
  CHECK(rig.table->facts(now(std::nullopt, 11)).lag_messages == 10);
  CHECK_FALSE(rig.table->facts(now(std::nullopt, std::nullopt)).lag_messages.has_value());
  CHECK(rig.table->facts(now(1, 1)).partitions == 2);
}

TEST_CASE("facts: rows of a partition that was given up do not count as waiting, once a writer has looked") {
  Rig rig;
  rig.send(at(insert(1, text("x"), integer(1)), 1000));
  rig.partitions[0]->give_up();
  rig.table->forget(*rig.partitions[0]);
  REQUIRE(rig.write());
  CHECK(facts_of(rig).batches == 0);
  CHECK(facts_of(rig).lag_seconds == 0);
}

TEST_CASE("facts: what is tried again is counted by its reason, and what goes well is not") {
  Rig rig;
  rig.send(insert(1, text("x"), integer(1)));
  REQUIRE(rig.write());
  for (const auto& retry : rig.counts.retries) CHECK(retry == 0);
  rig.send(insert(2, text("x"), integer(1)));
  rig.database.unreachable["shop.orders"] = 2;
  REQUIRE(rig.write());
  CHECK(retries(rig, observe::RetryClass::kUnreachable) == 2);
  CHECK(retries(rig, observe::RetryClass::kLocked) == 0);
  CHECK(retries(rig, observe::RetryClass::kConflict) == 0);
}

TEST_CASE("facts: an outage tells why as long as it lasts") {
  apply::Outage outage;
  CHECK_FALSE(outage.reason().has_value());
  const int one = 1, other = 2;
  (void)outage.fails(&one, make_error(CDCRT_RETRY, "the disk is full"));
  (void)outage.fails(&other, make_error(CDCRT_RETRY, "no route"));
  REQUIRE(outage.reason().has_value());
  CHECK(outage.reason()->ends_with(": no route"));
  CHECK_FALSE(outage.works(&other));
  CHECK(outage.reason().has_value());
  CHECK(outage.works(&one));
  CHECK_FALSE(outage.reason().has_value());
}
