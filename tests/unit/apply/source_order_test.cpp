#include "apply/source_order.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "apply/logs.hpp"
#include "apply/orders.hpp"

using namespace cdcrt;
using namespace cdcrt::rig;

namespace {

route::Route by_source() {
  route::Route route;
  route.ordering = route::Ordering::kSource;
  return route;
}

Event snapshot(int64_t id, cdcrt_cell a, cdcrt_cell b, std::string order = {}) {
  return {CDCRT_SNAPSHOT, orders(), {integer(id), a, b}, std::move(order)};
}
Event patch_a(int64_t id, cdcrt_cell a, std::string order) {
  return {CDCRT_UPDATE, orders(), {integer(id), a, absent()}, std::move(order)};
}
Event patch_b(int64_t id, cdcrt_cell b, std::string order) {
  return {CDCRT_UPDATE, orders(), {integer(id), absent(), b}, std::move(order)};
}

// Events of the source in its order, each in a partition of its own, read in every order; a new process after each write, or none.
template <class Visit>
void in_every_order(const std::vector<Event>& events, Visit&& visit) {
  std::vector<std::size_t> order(events.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  do {
    for (uint32_t writes = 0; writes < 1U << (events.size() - 1); ++writes) {
      for (const bool restarts : {false, true}) {
        Rig rig(by_source(), static_cast<int32_t>(events.size()));
        for (std::size_t i = 0; i < order.size(); ++i) {
          rig.send(events[order[i]], static_cast<int32_t>(order[i]));
          if ((writes >> i & 1) == 0) continue;
          REQUIRE(rig.write());
          if (restarts) rig.restart();
        }
        REQUIRE(rig.write());
        CAPTURE(writes);
        CAPTURE(restarts);
        visit(rig);
      }
    }
  } while (std::next_permutation(order.begin(), order.end()));
}

}  // namespace

TEST_CASE("source order: of one key in many partitions the newest change stands, however they are read, also by a new process") {
  in_every_order(
      {insert(1, text("old"), integer(1), "1"), update(1, text("new"), integer(2), "2"), update(1, text("last"), integer(3), "3")},
      [](Rig& rig) {
        CHECK(rig.table->detached().empty());
        CHECK(rig.rows() == "id=1,a='last',b=3");
      });
}

TEST_CASE("source order: a row that was taken away does not come back, one that was made anew stays") {
  in_every_order({insert(1, text("old"), integer(1), "1"), update(1, text("new"), integer(2), "2"), remove(1, "3")},
                 [](Rig& rig) { CHECK(rig.rows().empty()); });
  in_every_order({insert(1, text("old"), integer(1), "1"), remove(1, "2"), insert(1, text("anew"), integer(3), "3")},
                 [](Rig& rig) { CHECK(rig.rows() == "id=1,a='anew',b=3"); });
}

TEST_CASE("source order: a snapshot row is older than every change, with an order of its own and without") {
  in_every_order({snapshot(1, text("loaded"), integer(0)), update(1, text("new"), integer(2), "2")},
                 [](Rig& rig) { CHECK(rig.rows() == "id=1,a='new',b=2"); });
  in_every_order({snapshot(1, text("loaded"), integer(0)), remove(1, "2"), snapshot(2, text("kept"), integer(0), "2")},
                 [](Rig& rig) { CHECK(rig.rows() == "id=2,a='kept',b=0"); });
  in_every_order({snapshot(1, text("loaded"), integer(0), "2"), update(1, text("new"), integer(2), "2")},
                 [](Rig& rig) { CHECK(rig.rows() == "id=1,a='new',b=2"); });
}

TEST_CASE("source order: a snapshot without orders is a table like any other") {
  in_every_order({snapshot(1, text("one"), integer(1)), snapshot(2, text("two"), integer(2)), update(2, text("new"), integer(3), "3")},
                 [](Rig& rig) { CHECK(rig.rows() == "id=1,a='one',b=1; id=2,a='new',b=3"); });
}

TEST_CASE("source order: changes of a part of a row are placed exactly among whole ones") {
  in_every_order({insert(1, text("x"), integer(1), "1"), patch_a(1, text("y"), "2"), update(1, text("z"), integer(3), "3"),
                  patch_b(1, integer(4), "4")},
                 [](Rig& rig) {
                   CHECK(rig.table->detached().empty());
                   // Where a part came before its row, its dead letter is told.
                   const bool is_told = !rig.written_dead_letters().empty();
                   CHECK((rig.rows() == "id=1,a='z',b=4" || is_told));
                 });
  Rig rig(by_source(), 3);
  rig.send(insert(1, text("x"), integer(1), "1"), 0);
  REQUIRE(rig.write());
  rig.send(patch_a(1, text("last"), "5"), 1);
  REQUIRE(rig.write());
  rig.restart();
  rig.send(update(1, text("z"), integer(3), "3"), 2);
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,a='last',b=3");
  rig.send(patch_b(1, integer(2), "2"), 2);
  rig.send(patch_b(1, integer(4), "4"), 2);
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,a='last',b=4");
  rig.send(update(1, text("whole"), integer(6), "6"), 0);
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,a='whole',b=6");
}

TEST_CASE("source order: a change of a part whose row is not there yet is a dead letter, which an older row does not close") {
  Rig rig(by_source(), 2);
  rig.send(patch_a(1, text("y"), "2"), 0);
  REQUIRE(rig.write());
  CHECK(rig.written_dead_letters().size() == 1);
  rig.send(insert(1, text("x"), integer(1), "1"), 1);
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,a='x',b=1");
  CHECK(rig.database.tables["cdcrt.open_dead_letters"].rows.size() == 1);
  rig.send(update(1, text("z"), integer(3), "3"), 1);
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,a='z',b=3");
  CHECK(rig.database.tables["cdcrt.open_dead_letters"].rows.empty());
}

TEST_CASE("source order: a truncate takes what is older, wherever it is read, and nothing that is newer") {
  const std::vector<Event> events{insert(1, text("gone"), integer(1), "1"), truncate("2"), insert(2, text("stays"), integer(3), "3")};
  std::vector<std::size_t> order{0, 1, 2};
  do {
    for (uint32_t writes = 0; writes < 4; ++writes) {
      Rig rig(by_source(), 3);
      for (std::size_t i = 0; i < order.size(); ++i) {
        rig.send(events[order[i]], static_cast<int32_t>(order[i]));
        rig.follow_rewinds();
        if (writes >> i & 1) REQUIRE(rig.write());
      }
      for (int i = 0; i < 3; ++i) {
        REQUIRE(rig.write());
        rig.follow_rewinds();
      }
      REQUIRE(rig.write());
      CAPTURE(writes);
      CHECK(rig.rows() == "id=2,a='stays',b=3");
    }
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("source order: one event changes a key, and each row is decided for itself") {
  Event moves = update(2, text("moved"), integer(2), "2");
  moves.before = {integer(1), text("x"), integer(1)};
  in_every_order({insert(1, text("x"), integer(1), "1"), moves, insert(1, text("other"), integer(3), "3")},
                 [](Rig& rig) { CHECK(rig.rows() == "id=1,a='other',b=3; id=2,a='moved',b=2"); });
}

TEST_CASE("source order: an event without an order stops the table with the reason") {
  Rig rig(by_source(), 2);
  rig.send(insert(1, text("x"), integer(1)), 0);
  CHECK(rig.table->stopped().find("carries no source order") != std::string::npos);
}

TEST_CASE("source order: an order of another kind stops the table with the choices") {
  Rig rig(by_source(), 2);
  rig.send(insert(1, text("x"), integer(1), "1"), 0);
  REQUIRE(rig.write());
  rig.send(update(1, text("y"), integer(2), "0000000002"), 1);
  REQUIRE(rig.write());
  CHECK(rig.table->detached().find("do not compare") != std::string::npos);
  CHECK(rig.table->detached().find("progress rewind") != std::string::npos);
  CHECK(rig.rows() == "id=1,a='x',b=1");
}

TEST_CASE("source order: what the target refuses does not hide what is older, nor is it closed by it") {
  Rig rig(by_source(), 2);
  rig.database.refuses = [](const memory_sink::Row& row) { return row.contains("a") && row.at("a").find("bad") != std::string::npos; };
  rig.send(update(1, text("bad"), integer(5), "5"), 0);
  rig.send(insert(2, text("good"), integer(1), "1"), 0);
  REQUIRE(rig.write());
  CHECK(rig.written_dead_letters().size() == 1);
  rig.send(update(1, text("older"), integer(3), "3"), 1);
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,a='older',b=3; id=2,a='good',b=1");
  CHECK(rig.database.tables["cdcrt.open_dead_letters"].rows.size() == 1);
  rig.send(update(1, text("newer"), integer(6), "6"), 1);
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,a='newer',b=6; id=2,a='good',b=1");
  CHECK(rig.database.tables["cdcrt.open_dead_letters"].rows.empty());
}

TEST_CASE("source order: an attempt that fails leaves the batch as it was") {
  Rig rig(by_source(), 2);
  rig.send(update(1, text("new"), integer(2), "2"), 0);
  REQUIRE(rig.write());
  rig.send(update(1, text("old"), integer(1), "1"), 1);
  rig.send(update(2, text("x"), integer(1), "1"), 1);
  rig.database.lost_before_commit = 2;
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,a='new',b=2; id=2,a='x',b=1");
}

TEST_CASE("source order: random logs in random partitions, batches and processes end as the source did") {
  for (uint32_t seed = 0; seed < 300; ++seed) {
    // Where the table finds out by itself, its first process remembers enough.
    const bool finds_out = seed % 2 == 1;
    std::mt19937 draw(seed);
    const auto below = [&](uint32_t end) { return static_cast<int32_t>(draw() % end); };
    constexpr int32_t kPartitions = 4;
    std::vector<std::vector<Event>> logs(kPartitions);
    std::map<int64_t, std::pair<std::string, int64_t>> expected;
    static std::vector<std::string> texts(200);
    for (int32_t order = 1; order < 60; ++order) {
      std::string at = std::to_string(100 + order);
      const int64_t id = below(6);
      const auto number = static_cast<std::size_t>(order);
      texts[number] = "v" + std::to_string(order);
      auto& log = logs[static_cast<std::size_t>(below(kPartitions))];
      const int kind = below(10);
      if (kind < 2) {
        log.push_back(remove(id, at));
        expected.erase(id);
      } else if (kind == 2 && order % 3 == 0) {
        log.push_back(truncate(at));
        expected.clear();
      } else {
        log.push_back(update(id, text(texts[number]), integer(order), at));
        expected[id] = {texts[number], order};
      }
    }
    CAPTURE(seed);
    Rig rig(finds_out ? route::Route() : by_source(), kPartitions);
    std::vector<std::size_t> next(kPartitions);
    for (int idle = 0; idle < 200; ++idle) {
      const auto partition = static_cast<std::size_t>(below(kPartitions));
      const auto count = std::min<std::size_t>(static_cast<std::size_t>(1 + below(4)), logs[partition].size() - next[partition]);
      if (count > 0) {
        rig.send_all({logs[partition].begin() + static_cast<std::ptrdiff_t>(next[partition]),
                      logs[partition].begin() + static_cast<std::ptrdiff_t>(next[partition] + count)},
                     static_cast<int32_t>(partition));
        next[partition] += count;
      }
      if (below(3) == 0) rig.follow_rewinds();
      if (below(3) == 0) REQUIRE(rig.write());
      if (below(20) == 0 && (!finds_out || rig.table->is_by_source())) rig.restart();
    }
    for (std::size_t i = 0; i < logs.size(); ++i) {
      if (next[i] < logs[i].size())
        rig.send_all({logs[i].begin() + static_cast<std::ptrdiff_t>(next[i]), logs[i].end()}, static_cast<int32_t>(i));
    }
    for (int i = 0; i < 10; ++i) {
      rig.follow_rewinds();
      REQUIRE(rig.write());
    }
    std::string rows;
    for (const auto& [id, row] : expected) {
      rows += (rows.empty() ? "" : "; ") + ("id=" + std::to_string(id)) + ",a='" + row.first + "',b=" + std::to_string(row.second);
    }
    CHECK(rig.table->detached().empty());
    CHECK(rig.rows() == rows);
  }
}

TEST_CASE("source order: a log that began anew stops the table, whichever kinds of changes meet, and nothing is left out in silence") {
  const std::string old_log = in_log(10, 100, 1000), new_log = in_log(1, 4, 5000);
  const Event before = insert(1, text("old"), integer(1), old_log);
  for (const Event& after : {update(1, text("new"), integer(2), new_log), patch_a(1, text("new"), new_log), remove(1, new_log)}) {
    for (const bool together : {false, true}) {
      CAPTURE(static_cast<int>(after.operation));
      CAPTURE(together);
      Rig rig(by_source(), 2);
      rig.send(before, 0);
      if (!together) REQUIRE(rig.write());
      rig.send(after, 1);
      REQUIRE(rig.write());
      CHECK(rig.table->detached().find("began anew") != std::string::npos);
      CHECK(rig.table->detached().find("progress rewind") != std::string::npos);
    }
  }
}

TEST_CASE("source order: a change of a part is compared with the parts that are known, and with what was refused") {
  Rig rig(by_source(), 2);
  rig.send(insert(1, text("x"), integer(1), in_log(10, 100, 1000)), 0);
  rig.send(patch_a(1, text("y"), in_log(12, 4, 9000)), 0);
  REQUIRE(rig.write());
  // Later than the row's last whole change, and of another log than that of its part.
  rig.send(patch_b(1, integer(2), in_log(11, 4, 20'000)), 1);
  REQUIRE(rig.write());
  CHECK(rig.table->detached().find("began anew") != std::string::npos);
  Rig refused(by_source(), 2);
  refused.send(patch_a(1, text("y"), in_log(12, 4, 9000)), 0);
  REQUIRE(refused.write());
  CHECK(refused.written_dead_letters().size() == 1);
  refused.send(insert(1, text("x"), integer(1), in_log(1, 4, 20'000)), 1);
  REQUIRE(refused.write());
  CHECK(refused.table->detached().find("began anew") != std::string::npos);
}

TEST_CASE("source order: a statement that ran while the log went on to another file stops nothing") {
  // The last one began first, and was read when it was done.
  in_every_order({insert(1, text("old"), integer(1), in_log(9, 100, 900)), update(1, text("short"), integer(2), in_log(10, 100, 5000)),
                  update(1, text("long"), integer(3), in_log(11, 4, 1000, 9000))},
                 [](Rig& rig) {
                   CHECK(rig.table->detached().empty());
                   CHECK(rig.rows() == "id=1,a='long',b=3");
                 });
}

TEST_CASE("source order: rows of a load that come after changes of theirs are told with their number") {
  Rig rig(by_source(), 2);
  for (int64_t id = 1; id <= 3; ++id) rig.send(insert(id, text("changed"), integer(2), "2"), 0);
  REQUIRE(rig.write());
  rig.warnings.clear();
  for (int64_t id = 1; id <= 4; ++id) rig.send(snapshot(id, text("loaded"), integer(0)), 1);
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,a='changed',b=2; id=2,a='changed',b=2; id=3,a='changed',b=2; id=4,a='loaded',b=0");
  REQUIRE(rig.warnings.size() == 1);
  CHECK(rig.warnings[0].find(" 3 rows of a load") != std::string::npos);
  CHECK(rig.warnings[0].find("progress rewind") != std::string::npos);
  rig.send(snapshot(1, text("again"), integer(0)), 1);
  REQUIRE(rig.write());
  CHECK(rig.warnings.size() == 1);
}
