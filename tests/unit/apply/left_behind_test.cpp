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

TEST_CASE("left behind: back and forth, in one batch or in several, one row stands") {
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
