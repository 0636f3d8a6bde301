#include "apply/key_order.hpp"

#include <doctest/doctest.h>

#include "apply/orders.hpp"

using namespace cdcrt;
using namespace cdcrt::rig;

namespace {

struct Change {
  int32_t partition;
  Event event;
};

// Every way in which the changes may be read: each partition in its order, the batches ended here and there, a restart after some.
template <class Visit>
void in_every_way(const std::vector<Change>& changes, Visit&& visit) {
  for (const bool swapped : {false, true}) {
    for (const bool together : {false, true}) {
      for (int restart_after = -1; restart_after < static_cast<int>(changes.size()); ++restart_after) {
        CAPTURE(swapped);
        CAPTURE(together);
        CAPTURE(restart_after);
        Rig rig({}, 2);
        int sent = 0;
        for (const int32_t partition : {swapped ? 1 : 0, swapped ? 0 : 1}) {
          for (const Change& change : changes) {
            if (change.partition != partition) continue;
            rig.send(change.event, partition);
            if (!together) REQUIRE(rig.write());
            if (sent++ == restart_after) rig.restart();
          }
        }
        REQUIRE(rig.write());
        visit(rig);
      }
    }
  }
}

Event patch(int64_t id, cdcrt_cell a, std::string order) { return {CDCRT_UPDATE, orders(), {integer(id), a, absent()}, std::move(order)}; }

}  // namespace

TEST_CASE("key order: of one key in two partitions the newer change stands, however they are read") {
  in_every_way({{0, insert(1, text("old"), integer(1), "1")}, {1, update(1, text("new"), integer(2), "2")}}, [](Rig& rig) {
    CHECK(rig.table->stopped() == "");
    CHECK(rig.rows() == "id=1,a='new',b=2");
  });
}

TEST_CASE("key order: a newer delete is not undone by an older change of another partition") {
  in_every_way({{0, insert(1, text("old"), integer(1), "1")}, {1, remove(1, "2")}, {0, insert(2, text("x"), integer(1), "3")}}, [](Rig& rig) {
    CHECK(rig.table->stopped() == "");
    CHECK(rig.rows() == "id=2,a='x',b=1");
  });
}

TEST_CASE("key order: an older delete does not take a row that was made anew in another partition") {
  in_every_way({{0, insert(1, text("old"), integer(1), "1")}, {0, remove(1, "2")}, {1, insert(1, text("new"), integer(1), "3")}}, [](Rig& rig) {
    CHECK(rig.table->stopped() == "");
    CHECK(rig.rows() == "id=1,a='new',b=1");
  });
}

TEST_CASE("key order: without a source order the table stops and says the way out") {
  in_every_way({{0, insert(1, text("one"), integer(1))}, {1, insert(1, text("two"), integer(2))}}, [](Rig& rig) {
    CHECK(rig.table->stopped().find("source order") != std::string::npos);
    CHECK(rig.table->stopped().find("primary_key") != std::string::npos);
  });
}

TEST_CASE("key order: an older whole row under a newer partial change is refused, unless it is read first") {
  in_every_way({{0, insert(1, text("x"), integer(1), "1")}, {0, update(1, text("y"), integer(2), "2")}, {1, patch(1, text("z"), "3")}}, [](Rig& rig) {
    if (rig.table->stopped().empty() && rig.letters().empty()) CHECK(rig.rows() == "id=1,a='z',b=2");
  });
  Rig rig({}, 2);
  rig.send(insert(1, text("x"), integer(1), "1"), 0);
  rig.send(patch(1, text("z"), "3"), 1);
  rig.send(update(1, text("y"), integer(2), "2"), 0);
  CHECK(rig.table->stopped().find("newer is not known") != std::string::npos);
}

TEST_CASE("key order: changes of a key that wanders to and fro in one batch are one row") {
  Rig rig({}, 2);
  rig.send(insert(1, text("x"), integer(1), "1"), 0);
  rig.send(patch(1, text("y"), "2"), 1);
  rig.send(update(1, text("z"), integer(3), "3"), 0);
  rig.send(patch(1, text("last"), "4"), 1);
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,a='last',b=3");
}

TEST_CASE("key order: a change of the key in one event follows the row's last change") {
  Rig rig({}, 2);
  rig.send(insert(1, text("x"), integer(1), "2"), 0);
  REQUIRE(rig.write());
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

TEST_CASE("key order: after a partition was sent back its older changes do not come back over another's newer one") {
  Rig rig({}, 2);
  rig.send(insert(1, text("old"), integer(1), "1"), 0);
  rig.send(update(1, text("new"), integer(1), "2"), 1);
  REQUIRE(rig.write());
  auto& progress = rig.database.tables["cdcrt.progress"].rows;
  for (auto& row : progress) {
    if (row.at("partition").ends_with("0")) row.at("next_offset") = progress.front().at("partition");
  }
  rig.restart();
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,a='new',b=1");
}

TEST_CASE("key order: a table with more keys than are remembered stops when keys wander, also after a restart") {
  Rig rig({}, 2);
  const auto many = static_cast<int64_t>(apply::KeyOrder::kRemembered) + 10;
  std::vector<Event> events;
  for (int64_t id = 0; id < many; ++id) events.push_back(insert(id, text("x"), integer(1), std::to_string(1000 + id)));
  rig.send_all(events, 0);
  REQUIRE(rig.write());
  rig.send(update(many - 1, text("newer"), integer(2), "3001"), 1);
  rig.send(update(many - 1, text("older"), integer(3), "3000"), 0);
  REQUIRE(rig.write());
  CHECK(rig.table->detached().find("one key") != std::string::npos);
  rig.restart();
  CHECK(rig.table->stopped().find("one key") != std::string::npos);
  CHECK(rig.rows().find("older") == std::string::npos);
}

TEST_CASE("key order: what is stored says the same after it was read back") {
  apply::KeyOrder before;
  const progress::PartitionKey zero{"s", "t", 0}, one{"s", "t", 1};
  const auto here = before.place(zero, "shop.orders"), there = before.place(one, "shop.orders");
  CHECK(before.judge("a", {here, "5", true, false}) == apply::KeyOrder::Verdict::kTake);
  apply::KeyOrder after;
  after.restore(before.to_text(), {{zero, {9, "7"}}});
  CHECK(after.to_text() == before.to_text());
  CHECK(after.judge("a", {there, "4", true, false}) == apply::KeyOrder::Verdict::kOlder);
  CHECK(after.judge("a", {there, "6", true, false}) == apply::KeyOrder::Verdict::kRefuse);
  CHECK(after.judge("a", {there, "8", true, false}) == apply::KeyOrder::Verdict::kMoves);
  // All of the partition is read again.
  after.restore(before.to_text(), {{zero, {0, ""}}});
  CHECK(after.judge("a", {there, "4", true, false}) == apply::KeyOrder::Verdict::kTake);
}

TEST_CASE("key order: two processes that meet a key, each in its own partition") {
  apply::KeyOrder ours, theirs;
  const progress::PartitionKey zero{"s", "t", 0}, one{"s", "t", 1};
  (void)ours.judge("newer", {ours.place(zero, "t"), "9", true, false});
  (void)ours.judge("older", {ours.place(zero, "t"), "2", true, false});
  for (const char* key : {"newer", "older"}) (void)theirs.judge(key, {theirs.place(one, "t"), "5", true, false});
  apply::KeyOrder stored;
  stored.restore(theirs.to_text(), {{one, {3, "6"}}});
  for (const auto& conflict : ours.merge(stored)) {
    CHECK(conflict.verdict == (conflict.hash == apply::KeyOrder::hash_of("newer") ? apply::KeyOrder::Verdict::kTake : apply::KeyOrder::Verdict::kOlder));
  }
}

TEST_CASE("key order: rows of two source tables that meet in one key stop the table, whatever their order") {
  apply::KeyOrder keys;
  const auto a = keys.place({"s", "a.t", 0}, "a.t"), b = keys.place({"s", "b.t", 0}, "b.t");
  CHECK(keys.judge("k", {a, "1", true, false}) == apply::KeyOrder::Verdict::kTake);
  CHECK(keys.judge("k", {b, "2", true, false}) == apply::KeyOrder::Verdict::kRefuse);
  CHECK(keys.why().find("a.t[0] (a.t)") != std::string::npos);
  // A row that left one of them may come in the other.
  CHECK(keys.judge("k", {a, "3", true, true}) == apply::KeyOrder::Verdict::kTake);
  CHECK(keys.judge("k", {b, "4", true, false}) == apply::KeyOrder::Verdict::kMoves);
}
