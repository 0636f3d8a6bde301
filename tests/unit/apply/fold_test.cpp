#include <doctest/doctest.h>

#include "apply/orders.hpp"

using namespace cdcrt;
using namespace cdcrt::rig;

namespace {

/// Events in one batch; with `apart` each in a batch of its own: both must end alike.
std::string after(const std::vector<Event>& events, bool apart, std::vector<std::string>* dead_letters = nullptr) {
  Rig rig;
  for (const Event& event : events) {
    rig.send(event);
    if (apart) REQUIRE(rig.write());
  }
  REQUIRE(rig.write());
  CHECK(rig.table->stopped() == "");
  CHECK(rig.memory >= 0);
  if (dead_letters != nullptr) *dead_letters = rig.written_dead_letters();
  return rig.rows();
}

void both(const std::vector<Event>& events, const std::string& rows) {
  CHECK(after(events, false) == rows);
  CHECK(after(events, true) == rows);
}

}  // namespace

TEST_CASE("fold: of two changes of a whole row the last one stands") {
  both({insert(1, text("x"), integer(1)), update(1, text("y"), null())}, "id=1,a='y',b=NULL");
}

TEST_CASE("fold: a partial change after a full one changes its own columns only") {
  both({insert(1, text("x"), integer(1)), update(1, absent(), integer(2))}, "id=1,a='x',b=2");
}

TEST_CASE("fold: two partial changes become one with the columns of both") {
  both(
      {insert(1, text("x"), integer(1)), insert(2, text("z"), integer(9)), update(1, absent(), integer(2)), update(1, text("y"), absent())},
      "id=1,a='y',b=2; id=2,a='z',b=9");
  Rig rig;
  rig.send(insert(1, text("x"), integer(1)));
  REQUIRE(rig.write());
  rig.send_all({update(1, absent(), integer(2)), update(1, text("y"), absent())});
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,a='y',b=2");
}

TEST_CASE("fold: a delete after any change leaves no row") {
  both({insert(1, text("x"), integer(1)), update(1, absent(), integer(2)), remove(1)}, "");
}

TEST_CASE("fold: a full change after a delete keeps no value of the deleted row") {
  Rig rig;
  rig.send(insert(1, text("x"), integer(1)));
  REQUIRE(rig.write());
  const std::vector<Column> narrow = {{"id", kInt, 1}, {"a", kText}};
  rig.send_all({remove(1), {CDCRT_INSERT, narrow, {integer(1), text("new")}}});
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,a='new',b=NULL");
}

TEST_CASE("fold: a partial change after a delete is a dead letter, in one batch or in two") {
  for (const bool apart : {false, true}) {
    std::vector<std::string> dead_letters;
    CHECK(after({insert(1, text("x"), integer(1)), remove(1), update(1, absent(), integer(3)), insert(2, text("y"), integer(2))}, apart,
                &dead_letters) == "id=2,a='y',b=2");
    REQUIRE(dead_letters.size() == 1);
    CHECK(dead_letters[0].find("\"row_missing\"") != std::string::npos);
    CHECK(dead_letters[0].find("\"offset\":2") != std::string::npos);
  }
}

TEST_CASE("fold: a partial change that finds no row is a dead letter and the full one after it stands") {
  for (const bool apart : {false, true}) {
    std::vector<std::string> dead_letters;
    CHECK(after({update(1, absent(), integer(3)), update(1, text("y"), integer(4))}, apart, &dead_letters) == "id=1,a='y',b=4");
    CHECK(dead_letters.size() == 1);
  }
}

TEST_CASE("fold: a key change in one event removes the old row and fills what the new one lacks") {
  Event moved = update(2, absent(), integer(5));
  moved.before = {integer(1), text("x"), integer(1)};
  both({insert(1, text("x"), integer(1)), moved}, "id=2,a='x',b=5");
}

TEST_CASE("fold: deletes may be ignored") {
  route::Route route;
  route.deletes = route::Deletes::kIgnore;
  Rig rig(route);
  rig.send_all({remove(7), insert(1, text("x"), integer(1)), remove(1)});
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,a='x',b=1");
  CHECK(rig.written_dead_letters().empty());
}

TEST_CASE("fold: a row whose key is null is a dead letter") {
  Rig rig;
  Event event = insert(1, text("x"), integer(1));
  event.cells[0] = null();
  rig.send(event);
  REQUIRE(rig.write());
  CHECK(rig.written_dead_letters().size() == 1);
  CHECK(rig.stored_next(0) == 1);
}

TEST_CASE("keyless: rows are appended, changed and removed one copy at a time") {
  for (const bool apart : {false, true}) {
    std::vector<std::string> dead_letters;
    CHECK(after({append(text("x"), integer(1)), append(text("x"), integer(1)), append(text("x"), null()),
                 change({text("x"), integer(1)}, {text("y"), integer(1)}), take(text("x"), null())},
                apart, &dead_letters) == "a='x',b=1; a='y',b=1");
    CHECK(dead_letters.empty());
  }
}

TEST_CASE("keyless: a change of a row that is not there is a dead letter and changes nothing") {
  for (const bool apart : {false, true}) {
    std::vector<std::string> dead_letters;
    CHECK(after({append(text("x"), integer(1)), change({text("q"), integer(1)}, {text("r"), integer(1)})}, apart, &dead_letters) ==
          "a='x',b=1");
    REQUIRE(dead_letters.size() == 1);
    CHECK(dead_letters[0].find("\"row_missing\"") != std::string::npos);
  }
}

TEST_CASE("keyless: a change of a row that is not there is a dead letter, also where what comes after it in the batch makes up for it") {
  for (const bool apart : {false, true}) {
    std::vector<std::string> dead_letters;
    CHECK(after({append(text("x"), integer(1)), change({text("q"), integer(1)}, {text("q"), integer(1)})}, apart, &dead_letters) ==
          "a='x',b=1");
    CHECK(dead_letters.size() == 1);
    dead_letters.clear();
    CHECK(after({take(text("q"), integer(1)), append(text("q"), integer(1)), append(text("q"), integer(1))}, apart, &dead_letters) ==
          "a='q',b=1; a='q',b=1");
    CHECK(dead_letters.size() == 1);
    dead_letters.clear();
    CHECK(after({change({text("q"), integer(1)}, {text("r"), integer(1)}), change({text("r"), integer(1)}, {text("q"), integer(1)})}, apart,
                &dead_letters) == "");
    CHECK(dead_letters.size() == 2);
  }
}

TEST_CASE("keyless: a row that is there stays through changes that leave it as it was") {
  for (const bool apart : {false, true}) {
    std::vector<std::string> dead_letters;
    CHECK(after({append(text("x"), integer(1)), append(text("x"), integer(1)), change({text("x"), integer(1)}, {text("x"), integer(1)}),
                 take(text("x"), integer(1)), take(text("x"), integer(1)), append(text("x"), integer(1))},
                apart, &dead_letters) == "a='x',b=1");
    CHECK(dead_letters.empty());
  }
}

TEST_CASE("keyless: without a complete image a change is a dead letter") {
  std::vector<std::string> dead_letters;
  CHECK(after({append(text("x"), integer(1)), change({text("x"), absent()}, {text("r"), integer(1)})}, false, &dead_letters) ==
        "a='x',b=1");
  CHECK(dead_letters.size() == 1);
}

TEST_CASE("keyless: an image that says nothing of the row is not taken for any row") {
  std::vector<std::string> dead_letters;
  Event nothing{CDCRT_DELETE, {}, {}};
  nothing.declared = false;
  CHECK(after({append(text("x"), integer(1)), nothing}, true, &dead_letters) == "a='x',b=1");
  CHECK(dead_letters.size() == 1);
}

TEST_CASE("keyless: a row that came before a column was added is found by its image after") {
  const std::vector<Column> wide = {{"a", kText}, {"b", kInt}, {"c", kInt}};
  both({append(text("x"), integer(1)), append(text("x"), integer(1)), {CDCRT_DELETE, wide, {text("x"), integer(1), null()}}},
       "a='x',b=1,c=NULL");
}

TEST_CASE("keyless: rows of nothing but NULL are not lost") {
  std::vector<Column> unknown = {{"a"}, {"b"}};
  Event nothing{CDCRT_INSERT, unknown, {null(), null()}};
  nothing.declared = false;
  Rig rig;
  rig.send_all({nothing, nothing});
  REQUIRE(rig.write());
  CHECK(rig.rows() == "a=NULL; a=NULL");
}

TEST_CASE("events: a sink that takes every change gets truncates in their place") {
  Rig rig({}, 1, CDCRT_SINK_EVENTS);
  rig.send_all({insert(1, text("x"), integer(1)), truncate(""), insert(2, text("y"), integer(2))});
  REQUIRE(rig.write());
  CHECK(rig.database.events == std::vector<std::string>{"2 1 'x' 1", "5 (absent) (absent) (absent)", "2 2 'y' 2"});
}
