#include "runtime/table_watch.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "apply/table.hpp"

namespace {

using namespace std::chrono_literals;
using cdcrt::apply::Table;
using cdcrt::apply::TableIdentity;
using cdcrt::apply::Waiting;
using cdcrt::runtime::TableWatch;
using Time = TableWatch::Clock::time_point;

TableIdentity named(const char* name) {
  TableIdentity identity;
  identity.name = name;
  return identity;
}

struct Watched {
  cdcrt::manifest::BatchLimits limits, load;
  TableWatch watch{limits, load, [](const auto&, auto, const auto&) {}};
  Table customers{named("customers")}, orders{named("orders")};
  Time now = TableWatch::Clock::now();

  Waiting rows(std::size_t count, Time since) { return {since, {}, count, count * 100, false}; }
  Waiting loaded(std::size_t count, Time since) { return {since, {}, count, count * 100, true}; }
  /// Taken at `at`, durable after `took`.
  void write(Time at, TableWatch::Clock::duration took) {
    Table* table = watch.take(false, at);
    REQUIRE(table != nullptr);
    watch.written(*table);
    watch.done(1, at, at + took);
  }
};

}  // namespace

TEST_CASE_FIXTURE(Watched, "the first row after a pause is written at once") {
  watch.keep_distance();
  watch.ready(customers, rows(1, now));
  CHECK(watch.take(false, now) == &customers);
}

TEST_CASE_FIXTURE(Watched, "rows that follow close behind a transaction gather, those of several tables together") {
  watch.keep_distance();
  watch.ready(customers, rows(1, now));
  write(now, 1ms);
  watch.ready(orders, rows(1, now + 1ms));
  CHECK(watch.take(false, now + 1ms) == nullptr);
  REQUIRE(watch.next_due());
  CHECK(*watch.next_due() > now + 1ms);
  CHECK(*watch.next_due() <= now + 5ms);
  CHECK(watch.take(false, now + 5ms) == &orders);
}

TEST_CASE_FIXTURE(Watched, "a slow transaction keeps no other table waiting") {
  watch.keep_distance();
  watch.ready(customers, rows(1, now));
  REQUIRE(watch.take(false, now) == &customers);  // and is being written for long
  watch.ready(orders, rows(1, now + 10ms));
  CHECK(watch.take(false, now + 10ms) == &orders);
}

TEST_CASE_FIXTURE(Watched, "the more transactions are under way the longer the next one gathers rows, and less again once they are over") {
  watch.keep_distance();
  std::vector<std::unique_ptr<Table>> tables;
  const auto one_more = [&] {
    tables.push_back(std::make_unique<Table>(named("table")));
    watch.ready(*tables.back(), rows(1, now));
  };
  one_more();
  write(now, 15ms);
  for (int i = 0; i < 4; ++i) one_more();
  const Time first = now + 1s, second = first + 5ms, third = second + 10ms;
  CHECK(watch.take(false, first) != nullptr);
  CHECK(watch.take(false, second - 1ms) == nullptr);
  CHECK(watch.take(false, second) != nullptr);
  CHECK(*watch.next_due() == third);
  CHECK(watch.take(false, third - 1ms) == nullptr);
  watch.done(1, first, first + 15ms);
  CHECK(*watch.next_due() == second + 5ms);
  CHECK(watch.take(false, second + 5ms) != nullptr);
}

TEST_CASE_FIXTURE(Watched, "a small table is written while others are full, one after the other") {
  watch.keep_distance();
  const Time begin = now + 1s;
  std::vector<std::unique_ptr<Table>> busy;
  // Six transactions of full tables are always under way, and a new one begins every 3 ms.
  for (int i = 0; i < 100; ++i) {
    watch.ready(*busy.emplace_back(std::make_unique<Table>(named("busy"))), rows(limits.max_rows, begin));
  }
  for (int i = 0; i < 6; ++i) REQUIRE(watch.take(false, begin) != nullptr);
  watch.ready(orders, rows(1, begin - 1s));
  int begun = 0;
  Table* taken = nullptr;
  for (Time at = begin + 3ms; taken != &orders && begun < 90; at += 3ms, ++begun) {
    watch.done(1, at - 18ms, at);
    taken = watch.take(false, at);
  }
  CHECK(taken == &orders);
  CHECK(begun < 18);
}

TEST_CASE_FIXTURE(Watched, "of four writers two work where a write is short, and all of them where it takes long") {
  struct Counted {
    int begun = 0, most = 0;
  };
  const auto backlog = [&](std::chrono::milliseconds write) {
    TableWatch watched{limits, load, [](const auto&, auto, const auto&) {}};
    watched.keep_distance();
    std::vector<std::unique_ptr<Table>> tables;
    for (int i = 0; i < 8; ++i) watched.ready(*tables.emplace_back(std::make_unique<Table>(named("table"))), rows(1, now));
    struct Transaction {
      Time begun;
      Table* table;
    };
    std::vector<Transaction> under_way;
    Counted counted;
    for (Time at = now + 1s; at < now + 3s; at += 1ms) {
      std::erase_if(under_way, [&](const Transaction& each) {
        if (at - each.begun < write) return false;
        watched.done(1, each.begun, at);
        watched.ready(*each.table, rows(1, now));
        return true;
      });
      while (under_way.size() < 4) {
        Table* const table = watched.take(false, at);
        if (table == nullptr) break;
        under_way.push_back({at, table});
        ++counted.begun;
      }
      if (at > now + 2s) counted.most = std::max(counted.most, static_cast<int>(under_way.size()));
    }
    return counted;
  };
  const Counted fast = backlog(15ms), slow = backlog(200ms);
  CHECK(fast.most == 2);
  CHECK(fast.begun < 300);  // 400 with a distance of 5 ms
  CHECK(fast.begun > 150);
  CHECK(slow.most == 4);
}

TEST_CASE_FIXTURE(Watched, "a table that was just written rests but no longer than 50 ms, and another one does not") {
  watch.keep_distance();
  watch.ready(customers, rows(1, now));
  const Time before = TableWatch::Clock::now(), taken = before - 1h;
  REQUIRE(watch.take(true, taken) == &customers);
  watch.written(customers);
  const Time after = TableWatch::Clock::now();
  watch.done(1, taken, after);
  watch.ready(customers, rows(3, after));
  watch.ready(orders, rows(3, before));
  CHECK(watch.take(false, before + 6ms) == &orders);
  CHECK(watch.take(false, before + 49ms) == nullptr);
  CHECK(watch.take(false, after + 50ms) == &customers);
}

TEST_CASE_FIXTURE(Watched, "while hundreds of tables wait a table that was written rests longer, up to a second") {
  watch.keep_distance();
  std::vector<std::unique_ptr<Table>> others;
  const auto rest_with = [&](std::size_t waiting) {
    while (others.size() < waiting) {
      others.push_back(std::make_unique<Table>(named("other")));
      watch.ready(*others.back(), rows(1, now + 1h));
    }
    const Time before = TableWatch::Clock::now();
    watch.ready(customers, rows(1, before - 1h));
    REQUIRE(watch.take(true, before) == &customers);
    watch.written(customers);
    watch.done(1, before);
    watch.ready(customers, rows(1, before));
    REQUIRE(watch.next_due());
    const auto rest = *watch.next_due() - before;
    REQUIRE(watch.take(true, before + 1min) == &customers);
    watch.give_up();
    return rest;
  };
  CHECK(rest_with(100) < 100ms);
  CHECK(rest_with(1000) >= 100ms);
  CHECK(rest_with(20'000) >= 1s);
  CHECK(rest_with(20'000) < 2s);
}

TEST_CASE_FIXTURE(Watched, "in a backlog of hundreds of tables one that was written rests up to five seconds, and else up to one") {
  watch.keep_distance();
  std::vector<std::unique_ptr<Table>> others;
  for (int i = 0; i < 20'000; ++i) {
    others.push_back(std::make_unique<Table>(named("other")));
    watch.ready(*others.back(), rows(1, now + 1h));
  }
  const auto rest = [&] {
    const Time before = TableWatch::Clock::now();
    watch.ready(customers, rows(1, before - 1h));
    REQUIRE(watch.take(true, before) == &customers);
    watch.written(customers);
    watch.done(1, before);
    watch.ready(customers, rows(1, before));
    const auto due = *watch.next_due() - before;
    REQUIRE(watch.take(true, before + 1min) == &customers);
    watch.give_up();
    return due;
  };
  watch.note_backlog(true);
  const auto in_backlog = rest();
  CHECK(in_backlog >= 5s);
  CHECK(in_backlog < 6s);
  watch.note_backlog(false);
  CHECK(rest() < 2s);
}

TEST_CASE_FIXTURE(Watched, "a table that becomes full while it waits is taken once, and others in their order") {
  limits.max_age = 1h;
  limits.max_rows = 100;
  for (int round = 0; round < 500; ++round) {
    CAPTURE(round);
    watch.ready(customers, rows(1, now));
    watch.ready(customers, rows(100, now));
    watch.ready(orders, rows(1, now));
    REQUIRE(watch.take(false, now + 1min) == &customers);
    REQUIRE(watch.take(false, now + 1min) == nullptr);
    REQUIRE(watch.take(false, now + 1h) == &orders);
    REQUIRE(watch.take(true, now + 2h) == nullptr);
    REQUIRE_FALSE(watch.next_due().has_value());
    CHECK_FALSE(watch.idle());
    watch.give_up(2);
    CHECK(watch.idle());
  }
}

TEST_CASE_FIXTURE(Watched, "rows of a load gather as long as its settings say, and changes do not") {
  load.max_age = 10s;
  load.max_rows = 1'000'000;
  watch.ready(customers, loaded(50'000, now));
  watch.ready(orders, rows(1, now));
  CHECK(watch.take(false, now) == &orders);
  CHECK(watch.take(false, now + 9s) == nullptr);
  CHECK(*watch.next_due() == now + 10s);
  CHECK(watch.take(false, now + 10s) == &customers);
}

TEST_CASE_FIXTURE(Watched, "the first change behind rows of a load ends their waiting") {
  load.max_age = 10s;
  watch.ready(customers, loaded(10, now));
  REQUIRE(watch.take(false, now + 1s) == nullptr);
  watch.ready(customers, rows(11, now));
  CHECK(watch.take(false, now + 1s) == &customers);
  // More of the load behind it does not bring the waiting back.
  watch.give_up();
  watch.ready(customers, rows(11, now));
  watch.ready(customers, loaded(12, now));
  CHECK(watch.take(false, now + 1s) == &customers);
}

TEST_CASE_FIXTURE(Watched, "what is full for changes is not for a load, and the other way round") {
  load.max_age = limits.max_age = 10s;
  load.max_rows = 100;
  limits.max_rows = 50;
  watch.ready(customers, loaded(60, now));
  CHECK(watch.take(false, now) == nullptr);
  watch.ready(customers, rows(61, now));
  CHECK(watch.take(false, TableWatch::Clock::now()) == &customers);
  watch.ready(orders, loaded(100, now));
  CHECK(watch.take(false, TableWatch::Clock::now()) == &orders);
}

TEST_CASE_FIXTURE(Watched, "a full batch waits for nothing") {
  limits.max_rows = 10;
  watch.keep_distance();
  watch.ready(customers, rows(10, now));
  watch.ready(orders, rows(10, now));
  CHECK(watch.take(false) != nullptr);
  CHECK(watch.take(false) != nullptr);
}

TEST_CASE_FIXTURE(Watched, "where everything is due nothing keeps a distance") {
  watch.keep_distance();
  watch.ready(customers, rows(1, now));
  write(now, 40ms);
  watch.ready(customers, rows(1, now));
  CHECK(watch.take(true, now) == &customers);
}

TEST_CASE_FIXTURE(Watched, "without keeping a distance what is due is taken whenever that is") {
  for (int i = 0; i < 3; ++i) {
    watch.ready(customers, rows(1, now));
    write(now, 40ms);
  }
}

TEST_CASE_FIXTURE(Watched, "a table that fills up while it waits keeps its turn among the full ones") {
  limits.max_rows = 10;
  limits.max_age = 1h;
  watch.ready(orders, rows(2, now));
  watch.ready(customers, rows(10, now));
  watch.ready(orders, rows(10, now));
  CHECK(watch.take(false) == &customers);
  CHECK(watch.take(false) == &orders);
  CHECK_FALSE(watch.idle());
  watch.give_up(2);
  CHECK(watch.idle());
}

TEST_CASE_FIXTURE(
    Watched, "a detached table that is being tried makes progress however long that takes, and one attempt that failed tells nothing") {
  watch.troubled(customers, cdcrt::apply::Trouble::kDetached, "locked");
  const Time detached = *watch.last_detached_progress();
  const auto now_or_later = [&](Time since) { return *watch.last_detached_progress() >= since && since > detached; };
  const auto later = [] {
    const Time begun = TableWatch::Clock::now();
    while (TableWatch::Clock::now() == begun) {
    }
    return TableWatch::Clock::now();
  };
  CHECK(*watch.last_detached_progress() == detached);
  watch.tries(customers);
  CHECK(now_or_later(later()));
  watch.tried(customers, false);
  CHECK(now_or_later(later()));
  watch.tries(customers);
  CHECK(now_or_later(later()));
  watch.tried(customers, false);
  CHECK(*watch.last_detached_progress() == detached);
  watch.tries(customers);
  watch.written(customers);
  watch.tried(customers, true);
  CHECK(*watch.last_detached_progress() > detached);
}

TEST_CASE_FIXTURE(Watched,
                  "a detached table that was not tried since there is something new makes progress, where tables are tried at all") {
  const auto makes_progress = [&] {
    const Time before = *watch.last_detached_progress();
    while (TableWatch::Clock::now() <= before) {
    }
    return *watch.last_detached_progress() > before;
  };
  const auto fails = [&] {
    watch.tries(customers);
    watch.tried(customers, false);
  };
  watch.troubled(customers, cdcrt::apply::Trouble::kLacksKey, "its key is not known");
  CHECK_FALSE(makes_progress());
  watch.repairs();
  CHECK(makes_progress());
  CHECK_FALSE(watch.last_detached_progress(false).has_value());
  fails();
  fails();
  CHECK_FALSE(makes_progress());
  watch.told(customers);
  CHECK(makes_progress());
  fails();
  fails();
  CHECK_FALSE(makes_progress());
  watch.tries(customers);
  watch.tried(customers, true);
  CHECK(makes_progress());
}

TEST_CASE_FIXTURE(Watched, "a table that waits for definitions is listed until it is told, and is told of only when that lasts") {
  const auto waiting = [&] { return watch.waiting_for_definitions(); };
  watch.troubled(customers, cdcrt::apply::Trouble::kAwaitsDefinitions, "lacks a column");
  watch.troubled(orders, cdcrt::apply::Trouble::kDetached, "locked");
  CHECK(waiting() == std::vector<Table*>{&customers});
  watch.tell_waiting(false, now + 30s);
  CHECK_FALSE(watch.was_told(customers));
  watch.tell_waiting(false, now + 90s);
  CHECK(watch.was_told(customers));
  watch.told(customers);
  CHECK(waiting().empty());
}

TEST_CASE_FIXTURE(Watched, "definitions may come from a topic of the server's name that is read beside the rows' one") {
  const auto seek = [](auto&, int64_t, uint32_t) {};
  const cdcrt::progress::Partition rows("events", "shop.shop.t", 0, seek, true), beside("events", "shop", 0, seek, true);
  const cdcrt::progress::Partition of_file("events", "shop.shop.t", 0, seek), other("others", "shop.shop.t", 0, seek, true);
  CHECK_FALSE(watch.are_defined_apart(rows, "shop"));
  watch.read_topics({{"events", "shop.shop.t"}, {"events", "shop"}});
  CHECK(watch.are_defined_apart(rows, "shop"));
  CHECK_FALSE(watch.are_defined_apart(rows, "store"));
  CHECK_FALSE(watch.are_defined_apart(beside, "shop"));
  CHECK_FALSE(watch.are_defined_apart(of_file, "shop"));
  CHECK_FALSE(watch.are_defined_apart(other, "shop"));
}
