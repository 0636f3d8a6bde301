#include <doctest/doctest.h>

#include <algorithm>

#include "apply/orders.hpp"

using namespace cdcrt;
using namespace cdcrt::rig;

namespace {

/// The message's key is `id`, the table's is `id` and `a`.
route::Route wide_key() {
  route::Route route;
  route.primary_key = {"id", "a"};
  return route;
}

enum class Between { kNothing, kWrite, kRestart };
constexpr Between kAllBetween[] = {Between::kNothing, Between::kWrite, Between::kRestart};

void go_on(Rig& rig, Between between) {
  if (between != Between::kNothing) REQUIRE(rig.write());
  if (between == Between::kRestart) rig.restart();
}

}  // namespace

TEST_CASE("left behind: where a column of the route's key changes, an update without an image of the row before leaves no old row") {
  for (const Between between : kAllBetween) {
    Rig rig(wide_key());
    rig.send_all({insert(1, text("x"), integer(1)), insert(2, text("x"), integer(2))});
    go_on(rig, between);
    rig.send(update(1, text("y"), integer(3)));
    REQUIRE(rig.write());
    CHECK(rig.rows() == "id=1,a='y',b=3; id=2,a='x',b=2");
    CHECK(rig.written_dead_letters().empty());
  }
}

TEST_CASE("left behind: a row whose key changes back and forth stays one row, in one batch or in several") {
  for (const Between between : kAllBetween) {
    Rig rig(wide_key());
    rig.send(insert(1, text("x"), integer(1)));
    for (const char* a : {"y", "x", "z", "y", "x", "z"}) {
      go_on(rig, between);
      rig.send(update(1, text(a), integer(7)));
    }
    REQUIRE(rig.write());
    CHECK(rig.rows() == "id=1,a='z',b=7");
  }
}

TEST_CASE("left behind: what the event lacks comes from the row that it leaves") {
  for (const Between between : kAllBetween) {
    Rig rig(wide_key());
    rig.send(insert(1, text("x"), integer(1)));
    go_on(rig, between);
    rig.send(update(1, text("y"), absent()));
    REQUIRE(rig.write());
    CHECK(rig.rows() == "id=1,a='y',b=1");
    rig.send(update(5, text("y"), absent()));
    REQUIRE(rig.write());
    CHECK(rig.rows() == "id=1,a='y',b=1");
    CHECK(rig.written_dead_letters().size() == 1);
  }
}

TEST_CASE("left behind: an event that tells the row before touches no other row") {
  for (const Between between : kAllBetween) {
    Rig rig(wide_key());
    rig.send_all({insert(1, text("x"), integer(1)), insert(1, text("other"), integer(2))});
    go_on(rig, between);
    Event told = update(1, text("y"), integer(3));
    told.before = {integer(1), text("x"), integer(1)};
    rig.send(told);
    REQUIRE(rig.write());
    CHECK(rig.rows() == "id=1,a='other',b=2; id=1,a='y',b=3");
  }
}

TEST_CASE("left behind: a refused update leaves the row that is there") {
  Rig rig(wide_key());
  rig.database.refuses = [](const memory_sink::Row& row) {
    const auto a = row.find("a");
    return a != row.end() && a->second.find("bad") != std::string::npos;
  };
  rig.send(insert(1, text("x"), integer(1)));
  REQUIRE(rig.write());
  rig.send_all({update(1, text("bad"), integer(2)), insert(2, text("z"), integer(3))});
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,a='x',b=1; id=2,a='z',b=3");
  CHECK(rig.written_dead_letters().size() == 1);
}

TEST_CASE("left behind: where several source tables may meet nothing is taken away, and that is said once") {
  route::Route route = wide_key();
  route.match = {"shop.*"};
  route.table = "orders";
  route.names_target = true;
  Rig rig(route);
  rig.send(insert(1, text("x"), integer(1)));
  REQUIRE(rig.write());
  rig.send(update(1, text("y"), integer(2)));
  REQUIRE(rig.write());
  rig.send(update(1, text("z"), integer(3)));
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,a='x',b=1; id=1,a='y',b=2; id=1,a='z',b=3");
  CHECK(std::count_if(rig.warnings.begin(), rig.warnings.end(),
                      [](const auto& text) { return text.find("without an image of the row before") != std::string::npos; }) == 1);
}

namespace {

/// id and a are the table's key, id the message's.
Event wide(uint8_t operation, const char* a, cdcrt_cell b, cdcrt_cell c) {
  return {operation, {{"id", kInt, 1}, {"a", kText}, {"b", kInt}, {"c", kInt}}, {integer(1), text(a), b, c}};
}
Event narrow(uint8_t operation, const char* a, cdcrt_cell b) {
  Event event{operation, {{"id", kInt, 1}, {"a", kText}, {"b", kInt}}, {integer(1), text(a), b}};
  event.declared = false;
  return event;
}

/// Rows and dead letters after `events`, written after each whose bit is set.
std::string outcome_of(const std::vector<Event>& events, unsigned cuts) {
  Rig rig(wide_key());
  rig.send(insert(9, text("other"), integer(9)));
  REQUIRE(rig.write());
  for (std::size_t i = 0; i < events.size(); ++i) {
    rig.send(events[i]);
    if ((cuts >> i & 1) != 0) REQUIRE(rig.write());
  }
  REQUIRE(rig.write());
  CHECK(rig.table->stopped() == "");
  CHECK(rig.memory == 0);
  return rig.rows() + ", " + std::to_string(rig.written_dead_letters().size()) + " dead letters";
}

}  // namespace

TEST_CASE("left behind: a row that comes back to a key has what was told of it under the others, wherever the batch is cut") {
  const auto put = [](const char* a, cdcrt_cell b, cdcrt_cell c) { return wide(CDCRT_UPDATE, a, b, c); };
  const Event begin = wide(CDCRT_INSERT, "x", integer(1), integer(1));
  const std::vector<std::pair<std::vector<Event>, std::string>> logs = {
      {{begin, put("y", integer(2), absent()), put("x", absent(), absent())}, "id=1,a='x',b=2,c=1"},
      {{begin, put("x", integer(5), absent()), put("y", absent(), integer(6)), put("z", absent(), absent())}, "id=1,a='z',b=5,c=6"},
      {{begin, put("y", integer(2), absent()), put("x", absent(), integer(3)), put("y", absent(), absent()), put("x", absent(), absent()),
        put("x", integer(7), absent())},
       "id=1,a='x',b=7,c=3"},
      {{begin, put("y", integer(2), absent()), narrow(CDCRT_UPDATE, "x", integer(4))}, "id=1,a='x',b=4,c=1"},
      {{begin, put("y", absent(), integer(2)), narrow(CDCRT_UPDATE, "x", integer(4))}, "id=1,a='x',b=4,c=2"},
      {{begin, wide(CDCRT_DELETE, "x", absent(), absent()), narrow(CDCRT_INSERT, "y", integer(2)), put("x", absent(), integer(3))},
       "id=1,a='x',b=2,c=3"},
      {{begin, wide(CDCRT_DELETE, "x", absent(), absent()), narrow(CDCRT_INSERT, "y", integer(2)), narrow(CDCRT_UPDATE, "x", integer(3))},
       "id=1,a='x',b=3,c=NULL"},
      {{begin, put("y", integer(2), absent()), wide(CDCRT_DELETE, "y", absent(), absent()), put("x", absent(), integer(3))}, ""},
      {{put("x", integer(1), absent()), put("y", absent(), integer(2)), put("x", integer(3), integer(4))}, "id=1,a='x',b=3,c=4"},
  };
  for (const auto& [events, rows] : logs) {
    const unsigned all = (1U << (events.size() - 1)) - 1;
    const std::string one_by_one = outcome_of(events, all);
    CHECK_MESSAGE(one_by_one.find(rows) == 0, one_by_one);
    for (unsigned cuts = 0; cuts < all; ++cuts) CHECK_MESSAGE(outcome_of(events, cuts) == one_by_one, "cut as ", cuts);
  }
}

TEST_CASE("left behind: where several source tables may meet, what comes back to a key is written in its order") {
  for (const bool together : {true, false}) {
    route::Route route = wide_key();
    route.match = {"shop.*"};
    route.table = "orders";
    route.names_target = true;
    Rig rig(route);
    rig.send(insert(9, text("other"), integer(9)));
    REQUIRE(rig.write());
    const auto put = [](const char* a, cdcrt_cell b, cdcrt_cell c) { return wide(CDCRT_UPDATE, a, b, c); };
    const std::vector<Event> events = {wide(CDCRT_INSERT, "x", integer(1), integer(1)),
                                       wide(CDCRT_INSERT, "y", integer(2), integer(2)),
                                       put("x", integer(3), absent()),
                                       put("y", integer(4), absent()),
                                       put("x", absent(), integer(5)),
                                       put("y", absent(), integer(6)),
                                       put("x", integer(7), absent())};
    if (together) rig.send_all(events);
    for (std::size_t i = 0; i < events.size() && !together; ++i) {
      rig.send(events[i]);
      REQUIRE(rig.write());
    }
    REQUIRE(rig.write());
    CHECK(rig.rows() == "id=1,a='x',b=7,c=5; id=1,a='y',b=4,c=6; id=9,a='other',b=9,c=NULL");
    CHECK(rig.written_dead_letters().empty());
  }
}

TEST_CASE("left behind: where another pipeline writes the same table nothing is taken away, and that is said") {
  Rig rig(wide_key());
  rig.send(insert(1, text("x"), integer(1)));
  REQUIRE(rig.write());
  auto& tables = rig.database.tables["cdcrt.tables"].rows;
  REQUIRE(tables.size() == 1);
  auto of_another = tables.front();
  of_another["pipeline"].clear();
  types::append_text(of_another["pipeline"], text("shard-2"));
  tables.push_back(of_another);
  rig.send(update(1, text("y"), integer(2)));
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,a='x',b=1; id=1,a='y',b=2");
  REQUIRE(rig.warnings.size() == 1);
  CHECK(rig.warnings[0].find("pipelines") != std::string::npos);
}
