#include <doctest/doctest.h>

#include "apply/orders.hpp"

using namespace cdcrt;
using namespace cdcrt::rig;

namespace {

bool is_bad(const memory_sink::Row& row) {
  const auto a = row.find("a");
  return a != row.end() && a->second.find("bad") != std::string::npos;
}

std::string open_dead_letters(Rig& rig) { return rig.database.show("cdcrt.open_dead_letters"); }

std::size_t dead_letters_because_of(Rig& rig, const std::string& reason) {
  std::size_t count = 0;
  for (const auto& line : rig.written_dead_letters()) count += line.find("\"reason\":\"" + reason + "\"") != std::string::npos ? 1 : 0;
  return count;
}

std::size_t open_count(Rig& rig) { return rig.database.tables["cdcrt.open_dead_letters"].rows.size(); }

}  // namespace

TEST_CASE("open dead letters: a refused row is kept by its key in the commit that passes it") {
  Rig rig;
  rig.database.refuses = is_bad;
  rig.send_all({insert(1, text("x"), integer(1)), insert(2, text("bad"), integer(2))});
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,a='x',b=1");
  CHECK(open_count(rig) == 1);
  CHECK(open_dead_letters(rig).find("offset=1") != std::string::npos);
}

TEST_CASE("open dead letters: a partial change of an open row becomes one too, in the same batch, the next, and after a restart") {
  for (const int batches : {1, 2, 3}) {
    CAPTURE(batches);
    Rig rig;
    rig.database.refuses = is_bad;
    rig.send(insert(1, text("x"), integer(1)));
    REQUIRE(rig.write());
    rig.send(update(1, text("bad"), integer(2)));
    if (batches > 1) REQUIRE(rig.write());
    if (batches > 2) rig.restart();
    rig.send(update(1, absent(), integer(3)));
    REQUIRE(rig.write());
    CHECK(rig.rows() == "id=1,a='x',b=1");
    CHECK(dead_letters_because_of(rig, "earlier_dead_letter") == 1);
    CHECK(open_count(rig) == 2);
  }
}

TEST_CASE("open dead letters: a later full change, or a delete, closes those of its row and of no other") {
  for (const bool deletes : {false, true}) {
    CAPTURE(deletes);
    Rig rig;
    rig.database.refuses = is_bad;
    rig.send_all({insert(1, text("bad"), integer(1)), insert(2, text("bad"), integer(1))});
    REQUIRE(rig.write());
    CHECK(open_count(rig) == 2);
    rig.send(deletes ? remove(1) : update(1, text("good"), integer(2)));
    REQUIRE(rig.write());
    CHECK(open_count(rig) == 1);
    rig.send(update(1, absent(), integer(9)));
    REQUIRE(rig.write());
    CHECK(rig.rows() == (deletes ? "" : "id=1,a='good',b=9"));
    CHECK(dead_letters_because_of(rig, "earlier_dead_letter") == 0);
  }
}

TEST_CASE("open dead letters: one whose row is replaced within its batch is never stored") {
  Rig rig;
  rig.database.refuses = is_bad;
  rig.send_all({insert(1, text("bad"), integer(1)), update(1, text("good"), integer(2)), update(1, absent(), integer(3))});
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,a='good',b=3");
  CHECK(open_count(rig) == 0);
}

TEST_CASE("open dead letters: a value that is refused when it is folded opens its row as well") {
  route::Route route;
  route::ColumnRule rule;
  rule.pattern = "b";
  rule.type = types::type_of(CDCRT_TYPE_INT16);
  route.columns.push_back(rule);
  Rig rig(route);
  rig.send(insert(1, text("x"), integer(1)));
  REQUIRE(rig.write());
  rig.send_all({update(1, text("y"), integer(100'000)), update(1, absent(), integer(3))});
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,a='x',b=1");
  CHECK(dead_letters_because_of(rig, "value_refused") == 1);
  CHECK(dead_letters_because_of(rig, "earlier_dead_letter") == 1);
  CHECK(open_count(rig) == 2);
  rig.send(update(1, text("z"), integer(4)));
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,a='z',b=4");
  CHECK(open_count(rig) == 0);
}

TEST_CASE("open dead letters: a partial change without a row is one, and the row's creation closes it") {
  Rig rig;
  rig.send_all({insert(2, text("y"), integer(1)), update(1, absent(), integer(3))});
  REQUIRE(rig.write());
  CHECK(dead_letters_because_of(rig, "row_missing") == 1);
  CHECK(open_count(rig) == 1);
  rig.send(insert(1, text("x"), integer(4)));
  REQUIRE(rig.write());
  CHECK(open_count(rig) == 0);
}

TEST_CASE("open dead letters: a truncate closes all") {
  Rig rig;
  rig.database.refuses = is_bad;
  rig.send_all({insert(1, text("bad"), integer(1), "01"), insert(2, text("y"), integer(1), "02")});
  REQUIRE(rig.write());
  CHECK(open_count(rig) == 1);
  rig.send(truncate("03"));
  REQUIRE(rig.write());
  CHECK(open_count(rig) == 0);
}
