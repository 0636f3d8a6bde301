#include "apply/key_order.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>

#include "apply/logs.hpp"
#include "apply/orders.hpp"

using namespace cdcrt;
using namespace cdcrt::rig;

namespace {

route::Route by_partition() {
  route::Route route;
  route.ordering = route::Ordering::kPartition;
  return route;
}

struct Change {
  int32_t partition;
  Event event;
};

// Every way in which two partitions may be read: each in its order, the batches ended here and there.
template <class Visit>
void in_every_way(const std::vector<Change>& changes, Visit&& visit) {
  for (uint32_t choices = 0; choices < 1U << changes.size(); ++choices) {
    for (uint32_t writes = 0; writes < 1U << changes.size(); ++writes) {
      std::vector<std::size_t> order;
      std::size_t next[2] = {0, 0};
      const auto find = [&](int32_t partition) {
        while (next[partition] < changes.size() && changes[next[partition]].partition != partition) ++next[partition];
        return next[partition] < changes.size();
      };
      for (std::size_t i = 0; i < changes.size(); ++i) {
        int32_t partition = choices >> i & 1 ? 1 : 0;
        if (!find(partition)) partition = 1 - partition;
        if (find(partition)) order.push_back(next[partition]++);
      }
      CAPTURE(choices);
      CAPTURE(writes);
      Rig rig(by_partition(), 2);
      for (std::size_t i = 0; i < order.size(); ++i) {
        rig.send(changes[order[i]].event, changes[order[i]].partition);
        if (writes >> i & 1) REQUIRE(rig.write());
      }
      REQUIRE(rig.write());
      visit(rig);
    }
  }
}

Event patch(int64_t id, cdcrt_cell a, std::string order) { return {CDCRT_UPDATE, orders(), {integer(id), a, absent()}, std::move(order)}; }

bool is_bad(const memory_sink::Row& row) {
  const auto a = row.find("a");
  return a != row.end() && a->second.find("bad") != std::string::npos;
}

}  // namespace

TEST_CASE("key order: of one key in two partitions the newer change stands, however they are read") {
  in_every_way({{0, insert(1, text("old"), integer(1), "1")},
                {1, update(1, text("new"), integer(2), "2")},
                {0, insert(2, text("x"), integer(0), "3")}},
               [](Rig& rig) {
                 CHECK(rig.table->detached().empty());
                 CHECK(rig.rows() == "id=1,a='new',b=2; id=2,a='x',b=0");
               });
}

TEST_CASE("key order: a newer delete is not undone by an older change of another partition") {
  in_every_way({{0, insert(1, text("old"), integer(1), "1")}, {1, remove(1, "2")}, {0, insert(2, text("x"), integer(1), "3")}},
               [](Rig& rig) { CHECK(rig.rows() == "id=2,a='x',b=1"); });
}

TEST_CASE("key order: an older delete does not take a row that was made anew in another partition") {
  in_every_way({{0, insert(1, text("old"), integer(1), "1")}, {0, remove(1, "2")}, {1, insert(1, text("new"), integer(1), "3")}},
               [](Rig& rig) { CHECK(rig.rows() == "id=1,a='new',b=1"); });
}

TEST_CASE("key order: a key that moves to and fro between partitions ends as the source did") {
  in_every_way({{0, insert(1, text("a"), integer(1), "1")},
                {1, update(1, text("b"), integer(2), "2")},
                {0, update(1, text("c"), integer(3), "3")},
                {1, remove(1, "4")},
                {0, insert(1, text("last"), integer(5), "5")}},
               [](Rig& rig) { CHECK(rig.rows() == "id=1,a='last',b=5"); });
}

TEST_CASE("key order: changes of a part of a row are placed exactly, or the table stops") {
  in_every_way({{0, insert(1, text("x"), integer(1), "1")},
                {1, patch(1, text("y"), "2")},
                {0, update(1, text("z"), integer(3), "3")},
                {1, patch(1, text("last"), "4")}},
               [](Rig& rig) {
                 const bool is_right = rig.rows() == "id=1,a='last',b=3";
                 const bool told = !rig.table->detached().empty() || !rig.written_dead_letters().empty();
                 CHECK((is_right || told));
               });
  Rig rig(by_partition(), 2);
  rig.send(insert(1, text("x"), integer(1), "1"), 0);
  rig.send(patch(1, text("y"), "2"), 1);
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,a='y',b=1");
}

TEST_CASE("key order: a whole row decides, also behind changes of a part that cannot be placed") {
  in_every_way({{0, insert(1, text("x"), integer(1), "1")},
                {1, update(1, text("y"), integer(2), "2")},
                {0, update(1, text("z"), integer(3), "4")},
                {1, update(1, text("last"), integer(4), "5")}},
               [](Rig& rig) { CHECK(rig.rows() == "id=1,a='last',b=4"); });
  Rig rig(by_partition(), 2);
  rig.send(insert(1, text("x"), integer(1), "1"), 0);
  REQUIRE(rig.write());
  rig.send(update(1, text("y"), integer(2), "3"), 1);
  REQUIRE(rig.write());
  rig.send(patch(1, text("z"), "2"), 0);
  rig.send(patch(1, text("z"), "4"), 0);
  rig.send(update(1, text("whole"), integer(5), "5"), 0);
  REQUIRE(rig.write());
  CHECK(rig.table->detached().empty());
  CHECK(rig.rows() == "id=1,a='whole',b=5");
}

TEST_CASE("key order: without a source order the table stops, with the way out, and a restart does not forget that") {
  in_every_way({{0, insert(1, text("one"), integer(1))}, {1, insert(1, text("two"), integer(2))}}, [](Rig& rig) {
    CHECK(rig.table->detached().find("no source order") != std::string::npos);
    CHECK(rig.table->detached().find("primary_key") != std::string::npos);
    rig.restart();
    REQUIRE(rig.write());
    rig.restart();
    REQUIRE(rig.write());
    CHECK(rig.table->detached().find("topic[0]") != std::string::npos);
    CHECK(rig.database.tables["shop.orders"].rows.size() < 2);
  });
}

TEST_CASE("key order: resuming a table that stopped accepts the rows that are in the target") {
  Rig rig(by_partition(), 2);
  rig.send(insert(1, text("one"), integer(1)), 0);
  REQUIRE(rig.write());
  rig.send(insert(1, text("two"), integer(2)), 1);
  REQUIRE(rig.write());
  CHECK(!rig.table->detached().empty());
  for (auto& row : rig.database.tables["cdcrt.tables"].rows) {
    for (const auto& [column, value] : {std::pair("state", "active"), std::pair("reason", "")}) {
      row[column].clear();
      types::append_text(row[column], text(value));
    }
    row["version"] = "i2:99";
  }
  rig.restart();
  REQUIRE(rig.write());
  CHECK(rig.table->detached().empty());
  CHECK(rig.rows() == "id=1,a='two',b=2");
}

TEST_CASE("key order: without a source order a key moves to a partition that was added, and not back") {
  for (const bool together : {true, false}) {
    CAPTURE(together);
    Rig rig(by_partition(), 2);
    rig.partitions[1]->note_added();
    rig.send(insert(1, text("one"), integer(1)), 0);
    if (!together) REQUIRE(rig.write());
    rig.send(insert(1, text("two"), integer(2)), 1);
    REQUIRE(rig.write());
    CHECK(rig.table->detached().empty());
    CHECK(rig.rows() == "id=1,a='two',b=2");
    rig.send(insert(1, text("late"), integer(3)), 0);
    REQUIRE(rig.write());
    CHECK(!rig.table->detached().empty());
    CHECK(rig.rows() == "id=1,a='two',b=2");
  }
}

TEST_CASE("key order: a change of the key in one event follows the row's last change") {
  for (const bool together : {true, false}) {
    CAPTURE(together);
    Rig rig(by_partition(), 2);
    rig.send(insert(1, text("x"), integer(1), "2"), 0);
    if (!together) REQUIRE(rig.write());
    Event moves = update(5, text("y"), integer(1), "1");
    moves.before = {integer(1), absent(), absent()};
    rig.send(moves, 1);
    REQUIRE(rig.write());
    CHECK(rig.rows() == "id=1,a='x',b=1; id=5,a='y',b=1");
    moves = update(6, text("z"), integer(1), "3");
    moves.before = {integer(1), absent(), absent()};
    rig.send(moves, 1);
    REQUIRE(rig.write());
    CHECK(rig.rows() == "id=5,a='y',b=1; id=6,a='z',b=1");
  }
}

TEST_CASE("key order: after a truncate nothing older is remembered") {
  Rig rig(by_partition(), 2);
  rig.send(insert(1, text("x"), integer(1), "5"), 0);
  REQUIRE(rig.write());
  rig.send(truncate("6"), 1);
  REQUIRE(rig.write());
  rig.follow_rewinds();
  rig.send(insert(1, text("y"), integer(2), "7"), 1);
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,a='y',b=2");
}

TEST_CASE("key order: an overtaken change stays left out when the batch is written piece by piece or row by row") {
  for (const uint32_t savepoints : {0U, static_cast<uint32_t>(CDCRT_SINK_SAVEPOINTS)}) {
    for (const bool can_read_again : {true, false}) {
      for (const bool together : {true, false}) {
        CAPTURE(savepoints);
        CAPTURE(can_read_again);
        CAPTURE(together);
        Rig rig(by_partition(), 2, CDCRT_SINK_TRANSACTIONS | CDCRT_SINK_SCHEMAS | savepoints);
        rig.can_read_again = can_read_again;
        rig.database.refuses = is_bad;
        rig.send(update(1, text("new"), integer(7), "7"), 1);
        if (!together) REQUIRE(rig.write());
        rig.send_all(
            {insert(1, text("old"), integer(5), "5"), insert(2, text("bad"), integer(0), "6"), insert(3, text("good"), integer(0), "8")},
            0);
        REQUIRE(rig.write());
        CHECK(rig.table->detached().empty());
        CHECK(rig.rows() == "id=1,a='new',b=7; id=3,a='good',b=0");
        CHECK(rig.written_dead_letters().size() == 1);
      }
    }
  }
}

TEST_CASE("key order: an older row of another partition does not close a dead letter, a newer one does") {
  Rig rig(by_partition(), 2);
  Event refused = update(1, text("x"), text("no number"), "7");
  refused.columns[2].type = kText;
  rig.send(insert(9, text("x"), integer(1), "1"), 0);
  REQUIRE(rig.write());
  rig.send(refused, 1);
  REQUIRE(rig.write());
  const auto open = [&] { return rig.database.tables["cdcrt.open_dead_letters"].rows.size(); };
  if (open() == 1) {  // where the column does not follow the type
    rig.send(insert(1, text("old"), integer(5), "5"), 0);
    REQUIRE(rig.write());
    CHECK(open() == 1);
    rig.send(insert(1, text("new"), integer(8), "8"), 0);
    REQUIRE(rig.write());
    CHECK(open() == 0);
    CHECK(rig.rows() == "id=1,a='new',b=8; id=9,a='x',b=1");
  }
}

TEST_CASE("key order: keys that stay in their partitions go on for ever, however far one lags, and what is remembered is bounded") {
  Rig rig(by_partition(), 2);
  const auto keys = static_cast<int64_t>(3 * apply::KeyOrder::kOfSeveral);
  std::vector<Event> ahead, behind;
  for (int64_t id = 0; id < keys; ++id) ahead.push_back(insert(id, text("x"), integer(1), std::to_string(100'000 + id)));
  for (int64_t id = 0; id < keys; ++id)
    behind.push_back(insert(keys + id, text("y"), integer(1), std::to_string(10'000 + id).insert(0, "0")));
  rig.send_all(ahead, 0);
  REQUIRE(rig.write());
  CHECK(rig.table->keys().order().size() <= 2 * apply::KeyOrder::kOfOnePartition);
  rig.send_all(behind, 1);
  REQUIRE(rig.write());
  CHECK(rig.table->detached().empty());
  CHECK(rig.warnings.empty());
  CHECK(rig.database.tables["shop.orders"].rows.size() == static_cast<std::size_t>(2 * keys));
  CHECK(rig.table->keys().order().size() <= 2 * apply::KeyOrder::kOfSeveral);
}

TEST_CASE("key order: of a batch from several partitions the last keys of each are remembered") {
  const auto many = static_cast<int64_t>(apply::KeyOrder::kOfSeveral) + 200;
  for (const int64_t few : {int64_t{10}, many}) {
    CAPTURE(few);
    Rig rig(by_partition(), 2);
    const auto inserts = [](int64_t first, int64_t count) {
      std::vector<Event> events;
      for (int64_t id = first; id < first + count; ++id)
        events.push_back(insert(id, text("new"), integer(2), std::to_string(100'000 + id)));
      return events;
    };
    rig.send_all(inserts(1, few), 0);
    rig.send_all(inserts(10'000, many), 1);
    REQUIRE(rig.write());
    const std::string rows = rig.rows();
    // The other way round: an older change of the last key, and of one that only has room where the other partition had few.
    rig.send(update(few, text("old"), integer(1), "000001"), 1);
    rig.send(update(10'000 + many - 1, text("old"), integer(1), "000002"), 0);
    rig.send(update(10'000 + many - (few < many ? 1'000 : 500), text("old"), integer(1), "000003"), 0);
    REQUIRE(rig.write());
    CHECK((rig.rows() == rows));  // thousands of rows: too many to print
  }
}

TEST_CASE("key order: the warning that an older change came after a newer one is given once") {
  Rig rig(by_partition(), 2);
  for (int64_t id = 1; id < 4; ++id) {
    rig.send(update(id, text("new"), integer(2), "2"), 1);
    REQUIRE(rig.write());
    rig.send(insert(id, text("old"), integer(1), "1"), 0);
    REQUIRE(rig.write());
  }
  REQUIRE(rig.warnings.size() == 1);
  CHECK(rig.warnings.front().find("shop.orders") != std::string::npos);
}

// The winner by source order is known: whatever the interleaving, each row is that of its newest change, or the table says that it stopped.
TEST_CASE("key order: random changes of few keys in three partitions, in random batches") {
  for (uint32_t seed = 1; seed <= 400; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    const auto draw = [&](uint32_t bound) { return static_cast<int64_t>(random() % bound); };
    const bool any_refused = draw(3) == 0;
    Rig rig(by_partition(), 3,
            CDCRT_SINK_TRANSACTIONS | CDCRT_SINK_SCHEMAS | (draw(2) == 0 ? static_cast<uint32_t>(CDCRT_SINK_SAVEPOINTS) : 0U));
    if (any_refused) rig.database.refuses = is_bad;
    std::vector<std::vector<Event>> logs(3);
    std::map<int64_t, int64_t> expected;
    std::map<int64_t, bool> refused;
    for (int64_t order = 100; order < 140; ++order) {
      const int64_t id = 1 + draw(5);
      Event event = draw(4) == 0
                        ? remove(id, std::to_string(order))
                        : insert(id, any_refused && draw(8) == 0 ? text("bad") : text("good"), integer(order), std::to_string(order));
      if (event.operation == CDCRT_DELETE) {
        expected.erase(id);
        refused[id] = false;
      } else if (is_bad({{"a", std::string(event.cells[1].value.data, event.cells[1].size)}})) {
        refused[id] = true;
      } else {
        expected[id] = order;
        refused[id] = false;
      }
      logs[static_cast<std::size_t>(draw(3))].push_back(std::move(event));
    }
    std::size_t next[3] = {0, 0, 0};
    for (std::size_t left = 40; left > 0;) {
      const auto partition = static_cast<std::size_t>(draw(3));
      if (next[partition] == logs[partition].size()) continue;
      rig.send(logs[partition][next[partition]++], static_cast<int32_t>(partition));
      --left;
      if (draw(3) == 0) REQUIRE(rig.write());
    }
    REQUIRE(rig.write());
    CHECK(rig.table->detached() == "");
    const std::string rows = "; " + rig.rows() + "; ";
    for (int64_t id = 1; id <= 5; ++id) {
      CAPTURE(id);
      if (refused[id]) continue;  // its newest change is a dead letter
      const std::string name = "; id=" + std::to_string(id) + ",";
      if (expected.contains(id)) {
        CHECK(rows.find(name + "a='good',b=" + std::to_string(expected[id]) + "; ") != std::string::npos);
      } else {
        CHECK(rows.find(name) == std::string::npos);
      }
    }
  }
}

TEST_CASE("key order: a key in two partitions, the log of one of which began anew, stops the table") {
  for (const bool together : {false, true}) {
    CAPTURE(together);
    Rig rig(by_partition(), 2);
    rig.send(insert(1, text("old"), integer(1), in_log(10, 100, 1000)), 0);
    rig.send(insert(2, text("other"), integer(1), in_log(10, 200, 1000)), 1);
    if (!together) REQUIRE(rig.write());
    rig.send(update(1, text("new"), integer(2), in_log(1, 4, 5000)), 1);
    REQUIRE(rig.write());
    CHECK(rig.table->detached().find("began anew") != std::string::npos);
  }
  // Within a partition what comes later counts, whatever its place.
  Rig one(by_partition(), 1);
  one.send(insert(1, text("old"), integer(1), in_log(10, 100, 1000)));
  one.send(update(1, text("new"), integer(2), in_log(1, 4, 5000)));
  REQUIRE(one.write());
  CHECK(one.table->detached().empty());
  CHECK(one.rows() == "id=1,a='new',b=2");
}
