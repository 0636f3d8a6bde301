// Columns that get a third name, or their first one again; definitions that are read in another order than they were made.
#include <algorithm>

#include "evolution/column_names.hpp"
#include "evolution/renamed_table.hpp"

using namespace cdcrt;
using namespace cdcrt::test;

TEST_CASE("renames: of a column that was renamed twice another process takes over all names at once") {
  RenamedTable told, met;
  told.define(definition_of(11, {{"id"}, {"b", "a"}}), "5");
  told.define(definition_of(12, {{"id"}, {"c", "b"}}), "7");
  const auto older = met.knowledge.columns();
  met.knowledge.merge(told.knowledge.columns(), true, {});
  CHECK(met.column(1).source_name == "c");
  REQUIRE(met.column(1).former_names.size() == 2);
  CHECK(met.row(row_shape(3, {"id", "c"}), "8").slots == Slots{0, 1});
  CHECK(met.row(met.after, "6").slots == Slots{0, 1});
  CHECK(met.row(met.before, "4").slots == Slots{0, 1});
  told.knowledge.merge(older, true, {});
  CHECK(told.active() == 2);
}

TEST_CASE("renames: rows of the first of three names come later than those of the last") {
  RenamedTable told;
  told.define(definition_of(11, {{"id"}, {"b", "a"}}), "5");
  told.define(definition_of(12, {{"id"}, {"c", "b"}}), "7");
  route::Route route;
  TableKnowledge met(route);
  REQUIRE(met.observe(row_shape(3, {"id", "c"}), "8", true));
  met.merge(told.knowledge.columns(), true, {});
  CHECK((*met.observe(told.before, "4", true))->slots == Slots{0, 1});
  CHECK((*met.observe(told.after, "6", true))->slots == Slots{0, 1});
  CHECK(met.columns().size() == 2);
}

TEST_CASE("renames: the middle one of three names may be another column's afterwards, in another process too") {
  RenamedTable told;
  told.define(definition_of(11, {{"id"}, {"b", "a"}}), "5");
  told.define(definition_of(12, {{"id"}, {"c", "b"}}), "7");
  const auto both = row_shape(4, {"id", "c", "b"});
  CHECK(told.row(both, "9").slots == Slots{0, 1, 2});
  route::Route route;
  TableKnowledge met(route);
  REQUIRE(met.observe(both, "9", true));
  met.merge(told.knowledge.columns(), true, {});
  CHECK((*met.observe(told.before, "4", true))->slots == Slots{0, 1});
  CHECK((*met.observe(told.after, "6", true))->slots == Slots{0, 1});
  CHECK((*met.observe(both, "91", true))->slots == Slots{0, 1, 2});
}

TEST_CASE("renames: rows of all three names that were stored are one column where both renames were told") {
  RenamedTable told, met;
  told.define(definition_of(11, {{"id"}, {"b", "a"}}), "5");
  told.define(definition_of(12, {{"id"}, {"c", "b"}}), "7");
  met.row(met.after, "6");
  met.row(row_shape(3, {"id", "c"}), "8");
  const auto stored = met.knowledge.columns();
  REQUIRE(met.active() == 4);
  told.knowledge.merge(stored, true, {});
  CHECK(told.active() == 2);
  CHECK(told.knowledge.slot_of(stored[1], stored) == 1);
  for (const std::size_t later : {2U, 3U}) {
    const int32_t slot = told.knowledge.slot_of(stored[later], stored);
    REQUIRE(slot > 1);
    CHECK(told.column(static_cast<uint32_t>(slot)).merged_into == 1);
  }
  met.knowledge.merge(told.knowledge.columns(), true, {});
  CHECK(met.active() == 2);
  CHECK(met.column(1).source_name == "c");
}

TEST_CASE("renames: a column that one definition renames does not wait for what became of its name, whatever comes first in it") {
  for (const bool is_first : {false, true}) {
    CAPTURE(is_first);
    RenamedTable table;
    const event::Shape renamed =
        is_first ? typed_definition(11, {{"id"}, {"c", "a"}, {"a", "x"}}) : typed_definition(11, {{"id"}, {"a", "x"}, {"c", "a"}});
    table.define(renamed, "5");
    CHECK(table.column(1).source_name == "c");
    CHECK(table.row(row_shape(3, {"id", "a", "c"}), "6").slots[2] == 1);
    CHECK(table.row(table.before, "4").slots == Slots{0, 1});
  }
}

TEST_CASE("renames: a column that got its first name back is one, also where that was told twice") {
  for (const bool typed : {false, true}) {
    const auto define =
        typed ? typed_definition : [](uint32_t id, const std::vector<NamedColumn>& columns) { return definition_of(id, columns); };
    RenamedTable table;
    table.define(define(11, {{"id"}, {"b", "a"}}), "4");
    table.define(define(12, {{"id"}, {"b", "a"}}), "5");
    table.define(define(13, {{"id"}, {"a", "b"}}), "7");
    table.define(define(14, {{"id"}, {"a", "b"}}), "8");
    CHECK(table.column(1).former_names.size() == 2);
    CHECK(table.row(table.before, "9").slots == Slots{0, 1});
    CHECK(table.row(table.after, "6").slots == Slots{0, 1});
    CHECK(table.row(table.before, "3").slots == Slots{0, 1});
    CHECK(table.active() == 2);
  }
}

TEST_CASE("renames: a definition that is read before an earlier one drops no column that the earlier one renames") {
  RenamedTable table;
  table.define(typed_definition(12, {{"id"}, {"c", "b"}}), "7");
  CHECK(table.column(1).active);
  table.define(typed_definition(11, {{"id"}, {"b", "a"}}), "5");
  CHECK(table.column(1).source_name == "c");
  CHECK(table.row(table.before, "3").slots == Slots{0, 1});
  CHECK(table.row(table.after, "6").slots == Slots{0, 1});
  CHECK(table.active() == 2);
  CHECK(table.knowledge.take_drops().empty());
}

TEST_CASE("renames: where the second rename is read first and gives back the first name, its column waits for what became of it") {
  for (const bool row_between : {false, true}) {
    RenamedTable table;
    if (row_between) table.row(table.after, "6");
    table.define(typed_definition(12, {{"id"}, {"a", "b"}}), "7");
    CHECK(table.active() == 3);
    CHECK(table.knowledge.take_drops().empty());
    CHECK(table.row(table.before, "3").slots == Slots{0, 1});
    table.define(typed_definition(11, {{"id"}, {"b", "a"}}), "5");
    CHECK(table.active() == 2);
    CHECK(table.column(1).source_name == "a");
    CHECK(table.row(table.before, "8").slots == Slots{0, 1});
    CHECK(table.row(table.after, "6").slots == Slots{0, 1});
    CHECK(table.row(table.before, "4").slots == Slots{0, 1});
  }
}

TEST_CASE("renames: what waits for a definition that was read late is dropped where that one drops it") {
  RenamedTable table;
  table.row(table.after, "6");
  table.define(typed_definition(12, {{"id"}, {"a", "b"}}), "7");
  table.define(typed_definition(11, {{"id"}, {"b"}}), "5");
  CHECK(table.knowledge.take_drops() == std::vector<uint32_t>{1});
  CHECK(table.active() == 2);
}

TEST_CASE("renames: another process may know what became of a column that waits here") {
  RenamedTable waiting, told;
  waiting.row(waiting.after, "6");
  waiting.define(typed_definition(12, {{"id"}, {"a", "b"}}), "7");
  told.define(typed_definition(11, {{"id"}, {"b", "a"}}), "5");
  const auto stored = waiting.knowledge.columns();
  SUBCASE("here") {
    told.knowledge.merge(stored, true, {});
    CHECK(told.knowledge.slot_of(stored[1], stored) == 1);
    const int32_t early = told.knowledge.slot_of(stored[2], stored);
    REQUIRE(early > 1);
    CHECK(told.column(static_cast<uint32_t>(early)).merged_into == 1);
  }
  SUBCASE("there") {
    waiting.knowledge.merge(told.knowledge.columns(), true, {});
    CHECK(waiting.active() == 2);
    told.knowledge.merge(waiting.knowledge.columns(), true, {});
  }
  CHECK(told.active() == 2);
  CHECK(told.column(1).source_name == "a");
  CHECK(told.row(told.before, "8").slots == Slots{0, 1});
  CHECK(told.row(told.before, "4").slots == Slots{0, 1});
}

TEST_CASE("renames: of two columns of one name that another process keeps, the one that waits is the former, and the other came early") {
  RenamedTable waiting, told;
  waiting.row(waiting.after, "6");
  waiting.row(waiting.before, "8");
  told.define(definition_of(11, {{"id"}, {"b", "a"}}), "5");
  told.define(definition_of(12, {{"id"}, {"a", "b"}}), "7");
  const auto stored = waiting.knowledge.columns();
  REQUIRE(stored.size() == 4);
  told.knowledge.merge(stored, true, {});
  CHECK(told.active() == 2);
  CHECK(told.knowledge.slot_of(stored[1], stored) == 1);
  for (const std::size_t later : {2U, 3U}) {
    const int32_t slot = told.knowledge.slot_of(stored[later], stored);
    REQUIRE(slot > 1);
    CHECK(told.column(static_cast<uint32_t>(slot)).merged_into == 1);
  }
}

TEST_CASE("renames: a name that rows lacked between is another column's, also after late rows that have it") {
  RenamedTable table;
  table.row(table.after, "6");
  CHECK(table.row(table.before, "4").slots == Slots{0, 1});
  CHECK(table.row(table.before, "8").slots == Slots{0, 3});
  table.define(definition_of(11, {{"id"}, {"b", "a"}}), "5");
  table.define(definition_of(12, {{"id"}, {"a", "b"}}), "7");
  CHECK(table.active() == 2);
  CHECK(table.row(table.before, "9").slots == Slots{0, 1});
  CHECK(table.row(table.before, "9").nulls.empty());
}

TEST_CASE(
    "renames: a later definition that is told twice drops no column that an earlier one renames, whichever of the two is read first") {
  for (const bool backwards : {false, true}) {
    CAPTURE(backwards);
    RenamedTable table;
    table.define(typed_definition(12, {{"id"}, {"c", "b"}}), backwards ? "8" : "7");
    table.define(typed_definition(12, {{"id"}, {"c", "b"}}), backwards ? "7" : "8");
    CHECK(table.column(1).active);
    table.define(typed_definition(11, {{"id"}, {"b", "a"}}), "5");
    CHECK(table.active() == 2);
    CHECK(table.column(1).source_name == "c");
  }
}

TEST_CASE("renames: NULL that later rows leave under a name that was given back does not count") {
  RenamedTable once;
  once.row(once.after, "6");
  once.define(definition_of(11, {{"id"}, {"b", "a"}}), "5");
  REQUIRE(once.knowledge.merges().size() == 1);
  CHECK_FALSE(once.knowledge.merges()[0].keeps_over_null);
  route::Route route;
  TableKnowledge knowledge(route);
  knowledge.expect_definitions();
  REQUIRE(knowledge.observe(row_shape(1, {"id", "a"}), "2", true));
  REQUIRE(knowledge.observe(row_shape(2, {"id", "b"}), "2", true, true));
  knowledge.place(knowledge.take_unplaced(), "2");
  REQUIRE(knowledge.observe(row_shape(1, {"id", "a"}), "8", true));
  REQUIRE(knowledge.rename(definition_of(11, {{"id"}, {"b", "a"}}), "5"));
  REQUIRE(knowledge.merges().size() == 1);
  CHECK(knowledge.merges()[0].keeps_over_null);
}

TEST_CASE("renames: all processes come to the first row that lacks a column, whichever they read first") {
  RenamedTable here, there;
  here.row(here.after, "8");
  CHECK(here.row(row_shape(3, {"id", "b"}), "6").nulls == std::vector<uint32_t>{1});
  CHECK(here.column(1).lacked_since == "6");
  there.row(there.after, "4");
  here.knowledge.merge(there.knowledge.columns(), true, {});
  CHECK(here.column(1).lacked_since == "4");
  there.knowledge.merge(here.knowledge.columns(), true, {});
  CHECK(there.column(1).lacked_since == "4");
  here.define(definition_of(11, {{"id"}, {"b", "a"}}), "3");
  CHECK(here.column(2).lacked_since.empty());
}

TEST_CASE("renames: what another process has written shows no column that it does not know, which a row between lacks") {
  RenamedTable here;
  TableKnowledge other(here.route);
  REQUIRE(other.observe(here.after, "7", true));
  here.knowledge.merge(other.columns(), true, "7");
  CHECK(here.row(here.after, "6").nulls == std::vector<uint32_t>{1});
  CHECK(here.column(1).lacked_since == "6");
}

namespace {

/// What the target keeps of them; `before`: as programs did that did not keep what came early.
std::vector<evolution::Column> as_stored(std::vector<evolution::Column> columns, bool before = false) {
  for (evolution::Column& column : columns) {
    column.merged_into = -1;
    if (before) column.came_early = evolution::seems_early(column);
  }
  return columns;
}

void start_with(TableKnowledge& started, const std::vector<evolution::Column>& stored) {
  started.expect_definitions();
  for (const evolution::Column& column : stored) started.restore(column);
  started.restore_key_known();
}

}  // namespace

TEST_CASE("renames: what was written up to a claim shows no column that is known here alone") {
  RenamedTable here, other;
  const auto pair = row_shape(3, {"id", "a", "c"});
  here.row(pair, "4");
  here.knowledge.restore_sightings(other.knowledge.columns(), {"7"});
  CHECK(here.row(here.before, "6").nulls == std::vector<uint32_t>{2});
  CHECK(here.column(2).lacked_since == "6");
}

TEST_CASE("renames: a column that others know to be lacked was not shown by what they have written since") {
  RenamedTable there;
  there.row(there.before, "3");
  there.row(there.after, "8");
  const auto stored = as_stored(there.knowledge.columns());
  CHECK(stored[1].last_seen == "3");
  for (const bool is_start : {true, false}) {
    CAPTURE(is_start);
    RenamedTable met;
    TableKnowledge started(met.route);
    if (is_start) start_with(started, stored);
    TableKnowledge& here = is_start ? started : met.knowledge;
    if (!is_start) here.merge(stored, true, "9");
    here.restore_sightings(stored, {"4", "9"});
    CHECK(here.columns()[1].last_seen == "4");
    auto between = here.observe(met.after, "6", true);
    REQUIRE(between);
    CHECK((*between)->nulls == std::vector<uint32_t>{1});
    CHECK(here.columns()[1].lacked_since == "6");
  }
}

TEST_CASE("renames: what came early of a name that was given up elsewhere at an earlier order keeps no rows from its column") {
  for (const bool before : {false, true}) {
    CAPTURE(before);
    RenamedTable here, there;
    here.define(typed_definition(11, {{"id"}, {"b", "a"}}), "5");
    here.define(typed_definition(12, {{"id"}, {"c", "b"}}), "8");
    there.row(there.after, "6");
    there.define(typed_definition(12, {{"id"}, {"c", "b"}}), "7");
    there.knowledge.merge(as_stored(here.knowledge.columns(), before), true, {});
    REQUIRE(there.active() == 2);
    here.knowledge.merge(as_stored(there.knowledge.columns(), before), true, {});
    CHECK(here.row(here.after, "55").slots == Slots{0, 1});
    CHECK(here.row(here.after, "6").slots == Slots{0, 1});
    CHECK(here.row(here.before, "4").slots == Slots{0, 1});
    CHECK(here.row(row_shape(3, {"id", "c"}), "9").slots == Slots{0, 1});
    CHECK(here.active() == 2);
  }
}

TEST_CASE("renames: after a start the middle one of three names is its column's, also where rows of it were read first") {
  route::Route route;
  TableKnowledge met(route);
  met.expect_definitions();
  REQUIRE(met.observe(row_shape(2, {"id", "b"}), "6", true));
  for (const auto& [definition, order] :
       {std::pair(typed_definition(12, {{"id"}, {"c", "b"}}), "7"), std::pair(typed_definition(11, {{"id"}, {"b", "a"}}), "5")}) {
    if (*order == '5') REQUIRE(met.observe(row_shape(1, {"id", "a"}), "4", true));
    REQUIRE(met.rename(definition, order));
    REQUIRE(met.observe(definition, order, true, false, true));
  }
  for (const bool before : {false, true}) {
    CAPTURE(before);
    TableKnowledge started(route);
    const auto stored = as_stored(met.columns(), before);
    start_with(started, stored);
    const auto map = started.observe(row_shape(2, {"id", "b"}), "6", true);
    REQUIRE(map);
    REQUIRE((*map)->slots[1] >= 0);
    CHECK(stored[static_cast<std::size_t>((*map)->slots[1])].source_name == "c");
    // Another process knows of no rename yet.
    TableKnowledge other(route);
    REQUIRE(other.observe(row_shape(2, {"id", "b"}), "6", true));
    const int32_t slot = started.slot_of(other.columns()[1], other.columns());
    REQUIRE(slot >= 0);
    CHECK(started.columns()[static_cast<std::size_t>(slot)].source_name == "c");
  }
}

TEST_CASE("renames: after a start what a snapshot showed before its definition is the renamed column's still") {
  RenamedTable met;
  REQUIRE(met.knowledge.observe(met.after, "2", true, true));
  met.define(typed_definition(11, {{"id"}, {"b", "a"}}), "5");
  REQUIRE(met.active() == 2);
  CHECK(met.row(met.after, "4").slots == Slots{0, 1});
  TableKnowledge started(met.route);
  start_with(started, as_stored(met.knowledge.columns()));
  const auto map = started.observe(met.after, "4", true);
  REQUIRE(map);
  CHECK((*map)->slots == Slots{0, 1});
}

TEST_CASE("renames: after a start another process that knows of no rename brings nothing back that came early") {
  RenamedTable met, other;
  met.row(met.after, "6");
  met.define(typed_definition(11, {{"id"}, {"b", "a"}}), "5");
  other.row(other.after, "8");
  for (const bool before : {false, true}) {
    CAPTURE(before);
    TableKnowledge started(met.route);
    start_with(started, as_stored(met.knowledge.columns(), before));
    started.merge(as_stored(other.knowledge.columns()), true, "9");
    CHECK_FALSE(started.columns()[2].active);
    const auto map = started.observe(met.after, "9", true);
    REQUIRE(map);
    CHECK((*map)->slots == Slots{0, 1});
  }
}

TEST_CASE("renames: where two processes disagree whether a column came early, they come to rest at the same answer") {
  for (const bool first_takes_over : {false, true}) {
    CAPTURE(first_takes_over);
    RenamedTable early;
    early.row(early.after, "9");
    early.define(definition_of(11, {{"id"}, {"b", "a"}}), "5");
    const auto is_early = [](const evolution::Column& column) { return column.came_early; };
    auto stored = as_stored(early.knowledge.columns());
    const auto column = std::find_if(stored.begin(), stored.end(), is_early);
    REQUIRE(column != stored.end());
    column->came_early = false;
    route::Route route;
    TableKnowledge dropped(route);
    start_with(dropped, stored);
    TableKnowledge* const both[] = {&early.knowledge, &dropped};
    for (const bool turn : {first_takes_over, !first_takes_over, first_takes_over}) {
      const auto kept = as_stored(both[turn ? 1 : 0]->columns());
      both[turn ? 0 : 1]->merge(kept, true, {});
    }
    CHECK(std::none_of(early.knowledge.columns().begin(), early.knowledge.columns().end(), is_early));
    CHECK(std::none_of(dropped.columns().begin(), dropped.columns().end(), is_early));
  }
}
