#include <doctest/doctest.h>

#include <algorithm>

#include "apply/logs.hpp"
#include "apply/orders.hpp"

using namespace cdcrt;
using namespace cdcrt::rig;

namespace {

std::vector<Column> with(std::vector<Column> more) {
  std::vector<Column> columns = {{"id", kInt, 1}};
  columns.insert(columns.end(), more.begin(), more.end());
  return columns;
}

route::Route with_policy(types::OnOverflow policy) {
  route::ColumnRule rule;
  rule.pattern = "*";
  rule.on_overflow = policy;
  route::Route route;
  route.columns = {rule};
  return route;
}

}  // namespace

TEST_CASE("schema: rows that are buffered while a type grows are converted too") {
  const cdcrt_type f32 = types::type_of(CDCRT_TYPE_FLOAT32), f64 = types::type_of(CDCRT_TYPE_FLOAT64);
  const cdcrt_cell tenth = types::real_cell(static_cast<double>(0.1F));
  Rig rig;
  rig.send_all({{CDCRT_INSERT, with({{"v", kInt}, {"f", f32}}), {integer(1), integer(5), tenth}, "10"},
                {CDCRT_INSERT, with({{"v", kText}, {"f", f64}}), {integer(2), text("six"), types::real_cell(0.25)}, "20"}});
  REQUIRE(rig.write());
  CHECK(rig.table->stopped() == "");
  CHECK(rig.rows() == "id=1,v='5',f=0.10000000149011612; id=2,v='six',f=0.25");
}

TEST_CASE("schema: a type that grows converts the rows that are there") {
  Rig rig;
  rig.send({CDCRT_INSERT, with({{"v", kInt}}), {integer(1), integer(5)}, "10"});
  REQUIRE(rig.write());
  rig.send({CDCRT_INSERT, with({{"v", kText}}), {integer(2), text("six")}, "20"});
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,v='5'; id=2,v='six'");
}

TEST_CASE("schema: rows without a key are the same rows after their column became a text, in one batch and in two") {
  const cdcrt_type yes_or_no = types::type_of(CDCRT_TYPE_BOOL);
  const cdcrt_cell no = types::integer_cell(CDCRT_BOOL, 0);
  for (const bool apart : {false, true}) {
    Rig rig;
    rig.send({CDCRT_INSERT, {{"v", yes_or_no}}, {no}, "10"});
    if (apart) REQUIRE(rig.write());
    rig.send({CDCRT_INSERT, {{"v", kText}}, {text("0")}, "20"});
    rig.send({CDCRT_DELETE, {{"v", kText}}, {text("false")}, "30", {text("false")}});
    REQUIRE(rig.write());
    CHECK(rig.rows() == "v='0'");
    CHECK(rig.written_dead_letters().empty());
  }
}

TEST_CASE("schema: rows without a key that only a dropped column told apart are copies of one row, in one batch and in two") {
  for (const bool apart : {false, true}) {
    Rig rig;
    rig.send({CDCRT_INSERT, {{"a", kInt}, {"old", kInt}}, {integer(1), integer(2)}, "10"});
    rig.send({CDCRT_INSERT, {{"a", kInt}, {"old", kInt}}, {integer(1), integer(3)}, "20"});
    rig.send({CDCRT_UPDATE, {{"a", kInt}, {"old", kInt}}, {integer(1), integer(4)}, "30", {integer(1), integer(3)}});
    if (apart) REQUIRE(rig.write());
    rig.send({CDCRT_INSERT, {{"a", kInt}}, {integer(5)}, "40"});
    rig.send({CDCRT_DELETE, {{"a", kInt}}, {integer(1)}, "50", {integer(1)}});
    REQUIRE(rig.write());
    CHECK(rig.rows() == "a=1; a=5");
    CHECK(rig.written_dead_letters().empty());
  }
}

TEST_CASE("schema: a row without a key from before a column was added is found by the column's default, in one batch and in two") {
  for (const bool apart : {false, true}) {
    Rig rig;
    const std::vector<Column> first = {{"a", kText}}, both = {{"a", kText}, {"b", kInt, 0, integer(7)}},
                              last = {{"b", kInt, 0, integer(7)}};
    rig.send({CDCRT_INSERT, first, {text("x")}, "10"});
    rig.send({CDCRT_INSERT, first, {null()}, "15"});
    rig.send({CDCRT_INSERT, both, {text("y"), integer(7)}, "20"});
    if (apart) REQUIRE(rig.write());
    rig.send({CDCRT_INSERT, last, {integer(1)}, "30"});
    rig.send({CDCRT_DELETE, last, {integer(7)}, "40"});
    rig.send({CDCRT_DELETE, last, {integer(7)}, "50"});
    REQUIRE(rig.write());
    CHECK(rig.rows() == "b=1; b=7");
    CHECK(rig.written_dead_letters().empty());
  }
}

TEST_CASE("schema: rows without a key are the same rows after their date became a moment, in one batch and in two") {
  const cdcrt_type date = types::type_of(CDCRT_TYPE_DATE), moment = types::type_of(CDCRT_TYPE_TIMESTAMP);
  const cdcrt_cell day = types::integer_cell(CDCRT_DATE, 1), midnight = types::integer_cell(CDCRT_TIMESTAMP, 86'400'000'000);
  const cdcrt_cell noon = types::integer_cell(CDCRT_TIMESTAMP, 43'200'000'000);
  for (const bool apart : {false, true}) {
    Rig rig;
    rig.send({CDCRT_INSERT, {{"v", date}}, {day}, "10"});
    if (apart) REQUIRE(rig.write());
    rig.send({CDCRT_INSERT, {{"v", moment}}, {noon}, "20"});
    rig.send({CDCRT_DELETE, {{"v", moment}}, {midnight}, "30", {midnight}});
    REQUIRE(rig.write());
    CHECK(rig.table->stopped() == "");
    const std::string rows = rig.rows();
    CHECK(std::count(rows.begin(), rows.end(), '=') == 1);
    CHECK(rig.written_dead_letters().empty());
  }
}

TEST_CASE("schema: a key is the same key after its column became a text, in one batch and in two") {
  const cdcrt_type money{CDCRT_TYPE_DECIMAL, 0, 2, 10};
  const cdcrt_cell five = types::text_cell(CDCRT_DECIMAL, "5.00");
  for (const bool apart : {false, true}) {
    Rig rig;
    rig.send({CDCRT_INSERT, {{"id", money, 1}, {"v", kText}}, {five, text("first")}, "10"});
    if (apart) REQUIRE(rig.write());
    rig.send({CDCRT_INSERT, {{"id", kText, 1}, {"v", kText}}, {text("5"), text("another")}, "20"});
    rig.send({CDCRT_UPDATE, {{"id", kText, 1}, {"v", kText}, {"w", kText}}, {text("5.00"), absent(), text("new")}, "30"});
    REQUIRE(rig.write());
    CHECK(rig.rows() == "id='5',v='another',w=NULL; id='5.00',v='first',w='new'");
    CHECK(rig.written_dead_letters().empty());
  }
}

TEST_CASE("schema: a later column is dropped by source order, and late cells for it are discarded") {
  Rig rig({}, 2);
  rig.send({CDCRT_INSERT, with({{"a", kText}, {"old", kText}}), {integer(1), text("x"), text("gone")}, "10"}, 0);
  rig.send({CDCRT_INSERT, with({{"a", kText}}), {integer(2), text("y")}, "30"}, 0);
  rig.send({CDCRT_INSERT, with({{"a", kText}, {"old", kText}}), {integer(3), text("z"), text("late")}, "20"}, 1);
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,a='x'; id=2,a='y'; id=3,a='z'");
  CHECK(rig.table->late_cells() == 1);
}

TEST_CASE("schema: a table's only column goes when another one has come") {
  Rig rig;
  rig.send({CDCRT_INSERT, {{"old", kText}}, {text("x")}, "10"});
  REQUIRE(rig.write());
  rig.send({CDCRT_INSERT, {{"new", kInt}}, {integer(1)}, "20"});
  REQUIRE(rig.write());
  CHECK(rig.table->detached() == "");
  CHECK(rig.rows() == "new=1; new=NULL");
}

TEST_CASE("schema: a column that is first seen after the drop was read is not added") {
  Rig rig({}, 2);
  rig.send({CDCRT_INSERT, with({{"a", kText}}), {integer(2), text("y")}, "30"}, 0);
  rig.send({CDCRT_INSERT, with({{"old", kText}, {"a", kText}}), {integer(3), text("late"), text("z")}, "20"}, 1);
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=2,a='y'; id=3,a='z'");
  rig.send({CDCRT_INSERT, with({{"old", kText}, {"a", kText}}), {integer(4), text("new"), text("w")}, "40"}, 1);
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=2,a='y',old=NULL; id=3,a='z',old=NULL; id=4,a='w',old='new'");
}

TEST_CASE("schema: an older shape never drops a newer column") {
  Rig rig({}, 2);
  rig.send({CDCRT_INSERT, with({{"a", kText}, {"c", kInt}}), {integer(1), text("x"), integer(1)}, "20"}, 0);
  rig.send({CDCRT_INSERT, with({{"a", kText}}), {integer(2), text("y")}, "10"}, 1);
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,a='x',c=1; id=2,a='y',c=NULL");
}

TEST_CASE("schema: a column that comes back is another one, in one batch, in two and after a restart") {
  for (const int apart : {0, 1, 2}) {
    Rig rig;
    const auto pause = [&] {
      if (apart > 0) REQUIRE(rig.write());
      if (apart > 1) rig.restart();
    };
    rig.send({CDCRT_INSERT, with({{"c", kText}}), {integer(1), text("first")}, "10"});
    pause();
    rig.send({CDCRT_INSERT, with({{"a", kText}}), {integer(2), text("y")}, "20"});
    pause();
    rig.send({CDCRT_INSERT, with({{"a", kText}, {"c", kInt}}), {integer(3), text("z"), integer(7)}, "30"});
    REQUIRE(rig.write());
    CHECK(rig.table->stopped() == "");
    const auto rows = rig.rows();
    CHECK(rows.find("first") == std::string::npos);
    CHECK(rows.find("c=7") != std::string::npos);
  }
}

TEST_CASE("schema: a value that follows the second ALTER stays, whichever partition is read first, and after a restart") {
  const std::vector<Column> with = orders(), without = {{"id", kInt, 1}, {"a", kText}};
  for (const int restart_after : {-1, 0, 1, 2}) {
    for (const bool swapped : {false, true}) {
      CAPTURE(restart_after);
      CAPTURE(swapped);
      Rig rig({}, 2);
      const auto read = [&](int32_t partition) {
        const bool first = partition == 0;
        const int64_t id = first ? 1 : 2;
        rig.send(insert(id, text("x"), integer(1), first ? "1" : "2"), partition);
        REQUIRE(rig.write());
        rig.send({CDCRT_UPDATE, without, {integer(id), text("y")}, first ? "3" : "4"}, partition);
        if (restart_after == 0) rig.restart();
        REQUIRE(rig.write());
        rig.send(update(id, text("z"), integer(10 * id), first ? "5" : "6"), partition);
        if (restart_after == 1) rig.restart();
        REQUIRE(rig.write());
      };
      read(swapped ? 1 : 0);
      if (restart_after == 2) rig.restart();
      read(swapped ? 0 : 1);
      CHECK(rig.rows() == "id=1,a='z',b=10; id=2,a='z',b=20");
    }
  }
}

TEST_CASE("schema: after a restart a late value of the dropped column is not the new one's") {
  Rig rig({}, 2);
  rig.send(insert(2, text("x"), integer(1), "20"), 1);
  rig.send({CDCRT_UPDATE, {{"id", kInt, 1}, {"a", kText}}, {integer(2), text("y")}, "40"}, 1);
  rig.send(update(2, text("z"), integer(2), "60"), 1);
  REQUIRE(rig.write());
  rig.restart();
  rig.send(insert(1, text("x"), integer(7), "10"), 0);
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,a='x',b=NULL; id=2,a='z',b=2");
}

TEST_CASE("schema: late rows of an older shape get the default of a column that was added") {
  Rig rig({}, 2);
  rig.send({CDCRT_INSERT, with({{"a", kText}}), {integer(1), text("x")}, "10"}, 0);
  REQUIRE(rig.write());
  rig.send({CDCRT_INSERT, with({{"a", kText}, {"n", kInt, 0, integer(5)}}), {integer(2), text("y"), integer(1)}, "30"}, 0);
  rig.send({CDCRT_INSERT, with({{"a", kText}}), {integer(3), text("z")}, "20"}, 1);
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,a='x',n=5; id=2,a='y',n=1; id=3,a='z',n=5");
}

TEST_CASE("schema: learned types only widen") {
  const auto learned = [](std::vector<cdcrt_cell> values) {
    Rig rig;
    int64_t id = 0;
    for (const cdcrt_cell& value : values) {
      Event event{CDCRT_INSERT, {{"id", {}, 1}, {"v"}}, {integer(++id), value}};
      event.declared = false;
      rig.send(event);
    }
    REQUIRE(rig.write());
    CHECK(rig.table->stopped() == "");
    return rig.rows();
  };
  const cdcrt_cell half = types::text_cell(CDCRT_DECIMAL, "0.5");
  CHECK(learned({integer(1), half, integer(2)}) == "id=1,v=1; id=2,v=0.5; id=3,v=2");
  CHECK(learned({integer(1), text("x"), integer(2)}) == "id=1,v='1'; id=2,v='x'; id=3,v='2'");
}

TEST_CASE("schema: a column seen only as NULL is made when a value comes, with its rows") {
  Rig rig;
  Event event{CDCRT_INSERT, {{"id", {}, 1}, {"v"}}, {integer(1), null()}};
  event.declared = false;
  rig.send(event);
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1");
  rig.restart();
  event.cells = {integer(2), text("x")};
  rig.send(event);
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,v=NULL; id=2,v='x'");
}

TEST_CASE("schema: a key that is only named makes no table yet") {
  Rig rig;
  Event event{CDCRT_DEFINITION, {{"id", {}, 1}, {"v"}}, {}};
  event.declared = false;
  rig.send(event);
  REQUIRE(rig.write());
  CHECK(rig.rows() == "(none)");
  CHECK(rig.stored_next(0) == 1);
  rig.restart();
  Event row{CDCRT_INSERT, {{"id"}, {"v"}}, {integer(1), text("x")}};
  row.declared = false;
  rig.send_all({row, row});
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,v='x'");  // the key was kept
}

TEST_CASE("schema: fail stops at an added, a dropped and a changed column; ignore takes what fits") {
  const std::vector<std::vector<Column>> changes = {with({{"a", kInt}, {"c", kInt}}), with({}), with({{"a", kText}})};
  const std::vector<std::vector<cdcrt_cell>> cells = {{integer(2), integer(6), integer(1)}, {integer(2)}, {integer(2), text("7")}};
  const std::vector<std::string> ignored = {"id=1,a=5; id=2,a=6", "id=1,a=5; id=2,a=NULL", "id=1,a=5; id=2,a=7"};
  for (std::size_t i = 0; i < changes.size(); ++i) {
    route::Route route;
    route.schema_changes = route::SchemaChanges::kFail;
    Rig strict(route);
    strict.send({CDCRT_INSERT, with({{"a", kInt}}), {integer(1), integer(5)}, "10"});
    strict.send({CDCRT_INSERT, changes[i], cells[i], "20"});
    CHECK(strict.table->stopped().find("schema_changes is \"fail\"") != std::string::npos);

    route.schema_changes = route::SchemaChanges::kIgnore;
    Rig lenient(route);
    lenient.send({CDCRT_INSERT, with({{"a", kInt}}), {integer(1), integer(5)}, "10"});
    lenient.send({CDCRT_INSERT, changes[i], cells[i], "20"});
    REQUIRE(lenient.write());
    CHECK(lenient.rows() == ignored[i]);
  }
}

TEST_CASE("schema: a target that folds names is followed all the same") {
  for (const bool again : {false, true}) {
    Rig rig;
    rig.database.folds_names = true;
    rig.send({CDCRT_INSERT, with({{"Note", kText}, {"Old", kInt}}), {integer(1), text("x"), integer(1)}, "10"});
    REQUIRE(rig.write());
    if (again) rig.restart();
    rig.send({CDCRT_INSERT, with({{"Note", kText}, {"New", kInt}}), {integer(2), text("y"), integer(2)}, "20"});
    REQUIRE(rig.write());
    CHECK(rig.table->detached() == "");
    CHECK(rig.rows() == "id=1,note='x',new=NULL; id=2,note='y',new=2");
  }
}

TEST_CASE("schema: what the target cannot hold follows on_overflow, and is counted") {
  struct Case {
    types::OnOverflow policy;
    const char* rows;
    std::size_t dead_letters;
    uint64_t counted;
  };
  for (const auto& [policy, rows, dead_letters, counted] : {
           Case{types::OnOverflow::kDeadLetter, "id=1,v='short'", 1, 0},
           Case{types::OnOverflow::kWiden, "id=1,v='short'", 1, 0},
           Case{types::OnOverflow::kNull, "id=1,v='short'; id=2,v=NULL", 0, 1},
           Case{types::OnOverflow::kTruncate, "id=1,v='short'; id=2,v='longe'", 0, 1},
       }) {
    CAPTURE(static_cast<int>(policy));
    Rig rig(with_policy(policy));
    rig.database.longest_text = 5;
    rig.send({CDCRT_INSERT, with({{"v", kText}}), {integer(1), text("short")}, "10"});
    rig.send({CDCRT_INSERT, with({{"v", kText}}), {integer(2), text("longer")}, "20"});
    REQUIRE(rig.write());
    CHECK(rig.rows() == rows);
    CHECK(rig.written_dead_letters().size() == dead_letters);
    CHECK(rig.table->overflowed_cells() == counted);
  }
}

TEST_CASE("schema: a key is never cut nor made NULL") {
  for (const auto policy : {types::OnOverflow::kNull, types::OnOverflow::kTruncate}) {
    Rig rig(with_policy(policy));
    rig.database.longest_text = 5;
    rig.send({CDCRT_INSERT, {{"k", kText, 1}, {"v", kInt}}, {text("longer"), integer(1)}, "10"});
    REQUIRE(rig.write());
    CHECK(rig.rows() == "");
    CHECK(rig.written_dead_letters().size() == 1);
  }
}

TEST_CASE(
    "schema: a column that a row without source order showed first stays while partitions lag, and goes when its own partition shows that it went") {
  // An incremental snapshot's row has no order of its own: what another partition says may be older or newer than it.
  const auto wide = [](int64_t id, const char* c, std::string order) {
    return Event{order.empty() ? uint8_t{CDCRT_SNAPSHOT} : uint8_t{CDCRT_INSERT},
                 with({{"a", kText}, {"c", kText}}),
                 {integer(id), text("a"), text(c)},
                 std::move(order)};
  };
  const auto narrow = [](int64_t id, std::string order) {
    return Event{CDCRT_INSERT, with({{"a", kText}}), {integer(id), text("a")}, std::move(order)};
  };
  for (const bool lagging_first : {false, true}) {
    for (const bool restart : {false, true}) {
      for (const bool stays : {true, false}) {
        Rig rig({}, 2);
        rig.send(narrow(1, "10"), 0);
        rig.send(narrow(2, "11"), 1);
        REQUIRE(rig.write());
        if (lagging_first) rig.send(narrow(4, "20"), 1);
        rig.send(wide(3, "kept", ""), 0);
        REQUIRE(rig.write());
        if (restart) rig.restart();
        if (!lagging_first) rig.send(narrow(4, "20"), 1);
        REQUIRE(rig.write());
        CHECK(rig.rows() == "id=1,a='a',c=NULL; id=2,a='a',c=NULL; id=3,a='a',c='kept'; id=4,a='a',c=NULL");
        if (stays) {
          rig.send(wide(5, "new", "30"), 1);
          rig.send(narrow(6, "25"), 0);
          REQUIRE(rig.write());
          CHECK(rig.rows() ==
                "id=1,a='a',c=NULL; id=2,a='a',c=NULL; id=3,a='a',c='kept'; id=4,a='a',c=NULL; id=5,a='a',c='new'; id=6,a='a',c=NULL");
          rig.send(narrow(7, "40"), 1);
        } else if (!restart) {
          rig.send(narrow(7, "40"), 0);
        } else {
          continue;
        }
        REQUIRE(rig.write());
        CHECK(rig.rows().find("kept") == std::string::npos);
      }
    }
  }
}

TEST_CASE("schema: after the log began anew a column may be dropped, and come again, as before") {
  const std::vector<Column> narrow{{"id", kInt, 1}, {"a", kText}};
  Rig rig;
  rig.send(insert(1, text("x"), integer(1), in_log(10, 100, 1000)));
  rig.send({CDCRT_INSERT, narrow, {integer(2), text("y")}, in_log(10, 200, 2000)});
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,a='x'; id=2,a='y'");
  rig.restart();
  // Lower places of another log, which are later all the same.
  rig.send(insert(3, text("z"), integer(3), in_log(1, 4, 50'000)));
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,a='x',b=NULL; id=2,a='y',b=NULL; id=3,a='z',b=3");
  rig.send({CDCRT_INSERT, narrow, {integer(4), text("w")}, in_log(1, 8, 51'000)});
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,a='x'; id=2,a='y'; id=3,a='z'; id=4,a='w'");
}
