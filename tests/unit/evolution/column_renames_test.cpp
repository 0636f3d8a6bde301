#include "evolution/renamed_table.hpp"

using namespace cdcrt;
using namespace cdcrt::test;

TEST_CASE("renames: a column keeps its place under its new name, and late rows of the old one find it") {
  RenamedTable table;
  table.define(definition_of(11, {{"id"}, {"b", "a"}}), "5");
  CHECK(table.column(1).source_name == "b");
  CHECK(table.column(1).target_name == "b");
  CHECK(table.row(table.after, "6").slots == Slots{0, 1});
  CHECK(table.row(table.before, "4").slots == Slots{0, 1});
  CHECK(table.row(table.after, "7").absent.empty());
  CHECK(table.knowledge.columns().size() == 2);
  CHECK(table.knowledge.take_drops().empty());
  const uint64_t version = table.knowledge.version();
  table.define(definition_of(11, {{"id"}, {"b", "a"}}), "5");  // read again
  CHECK(table.knowledge.version() == version);
}

TEST_CASE("renames: a new column of the old name is another one") {
  RenamedTable table;
  table.define(definition_of(11, {{"id"}, {"b", "a"}}), "5");
  const auto both = row_shape(3, {"id", "b", "a"});
  CHECK(table.row(both, "8").slots == Slots{0, 1, 2});
  CHECK(table.row(table.before, "4").slots == Slots{0, 1});
  CHECK(table.row(both, "9").slots == Slots{0, 1, 2});
  CHECK(table.active() == 3);
}

TEST_CASE("renames: two columns change places, at once or through a third name") {
  for (const bool at_once : {true, false}) {
    RenamedTable table;
    const auto pair = row_shape(4, {"id", "a", "b"});
    CHECK(table.row(pair, "2").slots == Slots{0, 1, 2});
    if (at_once) {
      table.define(definition_of(11, {{"id"}, {"b", "a"}, {"a", "b"}}), "5");
    } else {
      table.define(definition_of(11, {{"id"}, {"t", "a"}, {"b"}}), "5");
      table.define(definition_of(12, {{"id"}, {"t"}, {"a", "b"}}), "6");
      table.define(definition_of(13, {{"id"}, {"b", "t"}, {"a"}}), "7");
    }
    CHECK(table.row(pair, "9").slots == Slots{0, 2, 1});
    CHECK(table.row(pair, "3").slots == Slots{0, 1, 2});
    CHECK(table.active() == 3);
  }
}

TEST_CASE("renames: rows that come before the definition keep the old column until it tells what became of it") {
  RenamedTable table;
  const ShapeMap map = table.row(table.after, "6");
  CHECK(map.slots == Slots{0, 2});
  CHECK(map.nulls == std::vector<uint32_t>{1});
  CHECK(table.column(1).active);
  SUBCASE("it was renamed") {
    table.define(definition_of(11, {{"id"}, {"b", "a"}}), "5");
    const auto merges = table.knowledge.take_merges();
    REQUIRE(merges.size() == 1);
    CHECK(merges[0].from == 2);
    CHECK(merges[0].into == 1);
    CHECK(table.row(table.after, "7").slots == Slots{0, 1});
    CHECK(table.row(table.after, "7").nulls.empty());
    CHECK(table.row(table.before, "4").slots == Slots{0, 1});
    CHECK(table.active() == 2);
    CHECK(table.knowledge.take_drops().empty());
  }
  SUBCASE("it was dropped, and another one was added") {
    table.define(definition_of(11, {{"id"}, {"b"}}), "5");
    CHECK_FALSE(table.column(1).active);
    CHECK(table.knowledge.take_drops() == std::vector<uint32_t>{1});
    CHECK(table.row(table.after, "7").slots == Slots{0, 2});
  }
  SUBCASE("another column of the old name came meanwhile") {
    CHECK(table.row(row_shape(3, {"id", "b", "a"}), "8").slots == Slots{0, 2, 3});
    CHECK(table.row(table.before, "2").slots == Slots{0, 1});
    SUBCASE("it was renamed") {
      table.define(definition_of(11, {{"id"}, {"b", "a"}}), "5");
      CHECK(table.column(1).source_name == "b");
      CHECK(table.row(row_shape(3, {"id", "b", "a"}), "9").slots == Slots{0, 1, 3});
      CHECK(table.row(table.before, "4").slots == Slots{0, 1});
      CHECK(table.active() == 3);
    }
    SUBCASE("it was dropped") {
      table.define(definition_of(11, {{"id"}, {"b"}}), "5");
      CHECK(table.active() == 3);
      CHECK(table.knowledge.take_drops() == std::vector<uint32_t>{1});
    }
  }
}

TEST_CASE("renames: a column that has the new name already was dropped, whether that was told or not") {
  for (const bool told : {false, true}) {
    RenamedTable table;
    const auto pair = row_shape(4, {"id", "a", "b"});
    CHECK(table.row(pair, "2").slots == Slots{0, 1, 2});
    if (told) table.define(definition_of(11, {{"id"}, {"a"}}), "4");
    table.define(definition_of(12, {{"id"}, {"b", "a"}}), "5");
    CHECK(table.column(1).source_name == "b");
    CHECK(table.knowledge.take_drops() == std::vector<uint32_t>{2});
    CHECK(table.knowledge.take_merges().empty());
    CHECK(table.row(table.after, "6").slots == Slots{0, 1});
    CHECK(table.row(pair, "3").slots == Slots{0, 1, ShapeMap::kLate});
    CHECK(table.active() == 2);
  }
}

TEST_CASE("renames: what was renamed and then dropped is dropped, also where a row without it came first") {
  for (const char* first : {"row", "renamed", "dropped"}) {
    CAPTURE(first);
    const std::string_view how(first);
    RenamedTable table;
    const auto rest = row_shape(6, {"id"});
    if (how == "row") CHECK(table.row(rest, "9").nulls == std::vector<uint32_t>{1});
    table.define(definition_of(11, {{"id"}, {"b", "a"}}), "5");
    if (how == "renamed") table.row(rest, "9");
    CHECK(table.active() == 2);
    table.define(definition_of(12, {{"id"}}), "7");
    if (how == "dropped") table.row(rest, "9");
    CHECK(table.active() == 1);
    CHECK(table.column(1).source_name == "b");
  }
}

TEST_CASE("renames: definitions of names alone that come before the first row are not forgotten") {
  for (const bool restart : {false, true}) {
    route::Route route;
    TableKnowledge first(route), second(route);
    const auto define = [](TableKnowledge& knowledge, const event::Shape& shape, const char* order) {
      knowledge.expect_definitions();
      REQUIRE(knowledge.rename(shape, order));
      REQUIRE(knowledge.observe(shape, order, true, false, true));
    };
    define(first, definition_of(10, {{"id"}, {"a"}}), "1");
    define(first, definition_of(11, {{"number", "id"}, {"b", "a"}}), "5");
    if (restart) {
      for (const auto& column : first.columns()) second.restore(column);
      second.expect_definitions();
    }
    TableKnowledge& knowledge = restart ? second : first;
    CHECK((*knowledge.observe(row_shape(1, {"id", "a"}), "2", true))->slots == Slots{0, 1});
    CHECK(knowledge.key() == std::vector<uint32_t>{0});
    CHECK((*knowledge.observe(row_shape(2, {"number", "b"}, "number"), "6", true))->slots == Slots{0, 1});
    CHECK(knowledge.columns().size() == 2);
    CHECK(knowledge.columns()[1].source_name == "b");
    CHECK(knowledge.columns()[1].type.kind == CDCRT_TYPE_INT32);
    CHECK(knowledge.take_drops().empty());
  }
}

TEST_CASE("renames: the former name that another process was told is kept where only the new one was met") {
  route::Route route;
  TableKnowledge told(route), met(route);
  told.expect_definitions();
  const event::Shape definition = definition_of(11, {{"id"}, {"b", "a"}});
  REQUIRE(told.rename(definition, "5"));
  REQUIRE(told.observe(definition, "5", true, false, true));
  REQUIRE(met.observe(row_shape(1, {"id", "b"}), "6", true));
  met.merge(told.columns(), true, {});
  REQUIRE(met.columns()[1].former_names.size() == 1);
  CHECK(met.columns()[1].former_names[0].name == "a");
  CHECK(met.columns()[1].former_names[0].until == "5");
  met.merge(told.columns(), true, {});
  CHECK(met.columns()[1].former_names.size() == 1);
  CHECK((*met.observe(row_shape(2, {"id", "a"}), "2", true))->slots == Slots{0, 1});
  CHECK(met.columns().size() == 2);
}

TEST_CASE("renames: the former name is kept where the definition is met before any row of it, here and in another process") {
  route::Route route;
  TableKnowledge told(route), lagging(route);
  REQUIRE(told.observe(row_shape(1, {"id", "b"}), "6", true));
  told.expect_definitions();
  const event::Shape definition = definition_of(11, {{"id"}, {"b", "a"}});
  const uint64_t before = told.version();
  REQUIRE(told.rename(definition, "5"));
  CHECK(told.version() > before);
  REQUIRE(told.observe(definition, "5", true, false, true));
  REQUIRE(told.columns()[1].former_names.size() == 1);
  CHECK(told.columns()[1].former_names[0].name == "a");
  CHECK(told.columns()[1].former_names[0].until == "5");
  REQUIRE(lagging.observe(row_shape(2, {"id", "a"}), "2", true));
  lagging.merge(told.columns(), true, {});
  CHECK(lagging.columns().size() == 2);
  CHECK(lagging.columns()[1].source_name == "b");
  CHECK((*told.observe(row_shape(2, {"id", "a"}), "2", true))->slots == Slots{0, 1});
  CHECK(told.columns().size() == 2);
}

TEST_CASE("renames: a late row of the former name keeps its values until the definition is read, where another one was") {
  route::Route route;
  TableKnowledge knowledge(route);
  REQUIRE(knowledge.observe(row_shape(1, {"id", "b"}), "6", true));
  knowledge.expect_definitions();
  CHECK((*knowledge.observe(row_shape(2, {"id", "a"}), "2", true))->slots == Slots{0, 2});
  CHECK(knowledge.columns()[2].active);
  REQUIRE(knowledge.rename(definition_of(11, {{"id"}, {"b", "a"}}), "5"));
  CHECK(knowledge.columns()[2].source_name == "b");
  CHECK(knowledge.columns()[1].merged_into == 2);
}

TEST_CASE("renames: a column of the new name that was there before the definition is another one than the unknown former one") {
  route::Route route;
  TableKnowledge knowledge(route);
  REQUIRE(knowledge.observe(row_shape(1, {"id", "b"}), "3", true));
  knowledge.expect_definitions();
  REQUIRE(knowledge.rename(definition_of(11, {{"id"}, {"b", "a"}}), "5"));
  CHECK(knowledge.columns()[1].former_names.empty());
}

TEST_CASE("renames: which name a column had need not be told where one alone is gone and one is new") {
  const auto definition = [](std::vector<const char*> names) {
    const char* key = names[0];
    event::Shape made = row_shape(20, std::move(names), key);
    made.renamed = true;
    return made;
  };
  const auto rows = [](std::vector<const char*> names) {
    event::Shape made = row_shape(21, std::move(names));
    made.declared = false;
    return made;
  };
  SUBCASE("definition first") {
    RenamedTable table;
    table.define(definition({"id", "b"}), "5");
    CHECK(table.column(1).source_name == "b");
    CHECK(table.row(rows({"id", "b"}), "6").slots == Slots{0, 1});
    CHECK(table.row(rows({"id", "a"}), "4").slots == Slots{0, 1});
    table.define(definition({"id", "b"}), "5");  // read again
    CHECK(table.knowledge.columns().size() == 2);
    table.define(definition({"number", "b"}), "7");
    CHECK(table.column(0).source_name == "number");
    CHECK(table.knowledge.key() == std::vector<uint32_t>{0});
  }
  SUBCASE("rows of the new name first") {
    RenamedTable table;
    CHECK(table.row(rows({"id", "b"}), "6").slots == Slots{0, 2});
    table.define(definition({"id", "b"}), "5");
    CHECK(table.knowledge.take_merges().size() == 1);
    CHECK(table.column(1).source_name == "b");
    CHECK(table.active() == 2);
  }
  SUBCASE("a snapshot showed both") {
    RenamedTable table;
    const auto pair = rows({"id", "a", "b"});
    REQUIRE(table.knowledge.observe(pair, "1", true, true));
    table.define(definition({"id", "a", "c"}), "5");
    CHECK(table.column(2).source_name == "c");
    CHECK(table.active() == 3);
  }
  SUBCASE("of several that are gone, one has the type of the new one") {
    RenamedTable table;
    auto pair = row_shape(3, {"id", "a", "c"});
    pair.columns[2].type = types::type_of(CDCRT_TYPE_DATE);
    CHECK(table.row(pair, "2").slots == Slots{0, 1, 2});
    table.define(definition({"id", "b"}), "5");
    CHECK(table.column(1).source_name == "b");
    CHECK_FALSE(table.column(2).active);
  }
  SUBCASE("read again, it renames no other column that is gone") {
    RenamedTable table;
    auto pair = row_shape(3, {"id", "a", "c"});
    pair.columns[2].type = types::type_of(CDCRT_TYPE_DATE);
    CHECK(table.row(pair, "2").slots == Slots{0, 1, 2});
    CHECK(table.row(rows({"id", "b", "d"}), "6").slots == Slots{0, 3, 4});
    table.knowledge.restore_sightings(table.knowledge.columns(), {"6"});  // after a restart: c may be in any of the rows
    auto renamed = definition({"id", "b", "d"});
    renamed.columns[2].type = types::type_of(CDCRT_TYPE_STRING);
    for (int reading = 0; reading < 2; ++reading) {
      table.define(renamed, "5");
      CHECK(table.column(1).source_name == "b");
      CHECK(table.column(2).source_name == "c");
      CHECK(table.column(4).source_name == "d");
    }
  }
  SUBCASE("rows of the new name show a column that the definition before it added") {
    RenamedTable table;
    CHECK(table.row(rows({"id", "b", "c"}), "7").slots == Slots{0, 2, 3});
    auto added = definition({"id", "a", "c"});
    added.renamed = false;
    table.define(added, "4");
    table.define(definition({"id", "b", "c"}), "5");
    CHECK(table.column(1).source_name == "b");
    CHECK(table.active() == 3);
  }
  SUBCASE("a definition in between is still to be read: nothing is guessed") {
    RenamedTable table;
    auto first = definition({"id", "a", "w"});
    first.renamed = false;
    table.define(first, "2");
    // x was added by one that is not read yet, and w dropped by another.
    CHECK(table.row(rows({"id", "a", "w", "x"}), "4").slots == Slots{0, 1, 2, 3});
    table.define(definition({"id", "a", "y"}), "7");
    CHECK(table.column(2).source_name == "w");
    CHECK(table.column(3).source_name == "x");
  }
  SUBCASE("two are gone, or none is new: nothing is guessed") {
    RenamedTable table;
    CHECK(table.row(rows({"id", "a", "c"}), "2").slots == Slots{0, 1, 2});
    table.define(definition({"id", "b"}), "5");
    CHECK(table.column(1).source_name == "a");
    table.define(definition({"id"}), "6");
    CHECK(table.column(1).source_name == "a");
  }
}

TEST_CASE("renames: what the route says of the former name holds on") {
  route::Route route;
  route.columns.emplace_back().pattern = "*";
  route.columns.emplace_back().pattern = "a";
  route.columns.back().type = types::type_of(CDCRT_TYPE_STRING);
  route.columns.back().on_overflow = types::OnOverflow::kNull;
  TableKnowledge knowledge(route);
  REQUIRE(knowledge.observe(row_shape(1, {"id", "a"}), "1", true));
  knowledge.expect_definitions();
  for (const char* name : {"b", "c"}) {
    const std::string former = knowledge.columns()[1].source_name;
    REQUIRE(knowledge.rename(definition_of(11, {{"id"}, {name, former.c_str()}}), name == std::string("b") ? "5" : "6"));
    CHECK(knowledge.columns()[1].typed_by_route);
    CHECK(knowledge.columns()[1].on_overflow == types::OnOverflow::kNull);
  }
  route.columns.emplace_back().pattern = "d";
  REQUIRE(knowledge.rename(definition_of(11, {{"id"}, {"d", "c"}}), "7"));
  CHECK_FALSE(knowledge.columns()[1].typed_by_route);
}

TEST_CASE("renames: a definition of names alone drops no column that rows go on showing") {
  RenamedTable table;
  table.define(definition_of(11, {{"id"}, {"other"}}), "5");
  CHECK(table.row(table.before, "6").slots == Slots{0, 1});
  CHECK(table.column(1).active);
  CHECK(table.column(2).type.kind == CDCRT_TYPE_UNKNOWN);
}

TEST_CASE(
    "renames: a column that is added beside one that its definition lacks has its default, and not before any tells what became of that one") {
  const auto with_default = [](event::Shape shape) {
    event::ShapeColumn& added = shape.columns.back();
    added.flags |= CDCRT_COLUMN_DEFAULT;
    added.default_value.tag = CDCRT_I64;
    added.default_value.value.integer = 5;
    return shape;
  };
  const auto shown = with_default(row_shape(3, {"id", "c"}));
  const auto has_default = [](RenamedTable& table) { return table.knowledge.columns().back().default_value.tag != CDCRT_ABSENT; };
  {
    CAPTURE("one statement");
    RenamedTable table;
    table.define(definition_of(11, {{"id"}, {"c"}}), "5");
    table.row(shown, "6");
    CHECK(has_default(table));
  }
  {
    CAPTURE("two statements, and a row between");
    RenamedTable table;
    table.define(definition_of(11, {{"id"}}), "5");
    table.row(row_shape(4, {"id"}), "6");
    table.define(definition_of(12, {{"id"}, {"c"}}), "7");
    table.row(shown, "8");
    CHECK(has_default(table));
  }
  {
    CAPTURE("two statements");
    RenamedTable table;
    table.define(definition_of(11, {{"id"}}), "5");
    table.define(definition_of(12, {{"id"}, {"c"}}), "7");
    table.row(shown, "8");
    CHECK(has_default(table));
  }
  {
    CAPTURE("the row first");
    RenamedTable table;
    table.row(shown, "6");
    CHECK_FALSE(has_default(table));
  }
}

TEST_CASE("renames: definitions that are read before any row of a column tell what became of it, also once the table has rows") {
  const auto both = row_shape(3, {"id", "a", "b"}), last = row_shape(4, {"id", "a", "d"});
  {
    CAPTURE("renamed, and once more");
    RenamedTable table;
    table.define(definition_of(11, {{"id"}, {"a"}, {"b"}}), "2");
    table.define(definition_of(12, {{"id"}, {"a"}, {"c", "b"}}), "4");
    table.define(definition_of(13, {{"id"}, {"a"}, {"d", "c"}}), "5");
    CHECK(table.row(both, "3").slots == Slots{0, 1, 2});
    CHECK(table.row(last, "6").slots == Slots{0, 1, 2});
    CHECK(table.column(2).source_name == "d");
    CHECK(table.knowledge.columns().size() == 3);
    CHECK(table.knowledge.take_drops().empty());
  }
  {
    CAPTURE("dropped");
    RenamedTable table;
    table.define(definition_of(11, {{"id"}, {"a"}, {"b"}}), "2");
    table.define(definition_of(12, {{"id"}, {"a"}}), "4");
    CHECK(table.row(both, "3").slots == Slots{0, 1, 2});
    CHECK(table.column(2).active);
    table.row(table.before, "6");
    CHECK(table.knowledge.take_drops() == std::vector<uint32_t>{2});
  }
}

TEST_CASE("renames: a column that only a definition names is not NULL in rows: a connector may leave it out of them") {
  RenamedTable table;
  table.define(definition_of(11, {{"id"}, {"a"}, {"secret"}}), "2");
  CHECK(table.row(table.before, "3").nulls.empty());
  CHECK(table.row(table.before, "4").nulls.empty());
}

TEST_CASE("renames: where no definitions come, a row that lacks a column drops it") {
  route::Route route;
  TableKnowledge knowledge(route);
  REQUIRE(knowledge.observe(row_shape(1, {"id", "a"}), "1", true));
  REQUIRE(knowledge.observe(row_shape(2, {"id", "b"}), "2", true));
  CHECK(knowledge.take_drops() == std::vector<uint32_t>{1});
}

TEST_CASE("renames: the key's column may be renamed, also where the route names it") {
  for (const bool by_route : {false, true}) {
    route::Route route;
    if (by_route) route.primary_key = {"id"};
    TableKnowledge knowledge(route);
    REQUIRE(knowledge.observe(row_shape(1, {"id", "a"}), "1", true));
    knowledge.expect_definitions();
    const auto definition = definition_of(11, {{"number", "id"}, {"a"}});
    REQUIRE(knowledge.rename(definition, "5"));
    REQUIRE(knowledge.observe(definition, "5", true, false, true));
    REQUIRE(knowledge.observe(row_shape(2, {"number", "a"}, "number"), "6", true));
    CHECK(knowledge.key() == std::vector<uint32_t>{0});
    CHECK_FALSE(knowledge.met_other_key());
    REQUIRE(knowledge.observe(row_shape(1, {"id", "a"}), "4", true));
    CHECK(knowledge.columns().size() == 2);
    CHECK_FALSE(knowledge.key_crosses_partitions());
  }
}

TEST_CASE("renames: the route decides whether columns follow, and what they are called") {
  const auto after = [](route::Route& route) {
    TableKnowledge knowledge(route);
    (void)knowledge.observe(row_shape(1, {"id", "a"}), "1", true);
    knowledge.expect_definitions();
    auto renamed = knowledge.rename(definition_of(11, {{"id"}, {"b", "a"}}), "5");
    return std::pair(renamed.ok(), knowledge.columns().size() < 2 ? std::string() : knowledge.columns()[1].target_name);
  };
  route::Route route;
  route.schema_changes = route::SchemaChanges::kFail;
  CHECK_FALSE(after(route).first);
  route.schema_changes = route::SchemaChanges::kIgnore;
  CHECK(after(route) == std::pair(true, std::string("a")));
  route.schema_changes = route::SchemaChanges::kEvolve;
  route.columns.emplace_back().pattern = "a";
  route.columns.back().rename = "kept";
  CHECK(after(route) == std::pair(true, std::string("kept")));
  route.columns.emplace_back().pattern = "b";
  route.columns.back().rename = "given";
  CHECK(after(route) == std::pair(true, std::string("given")));
  route.columns[1].rename.clear();
  route.columns[1].exclude = true;
  CHECK(after(route) == std::pair(true, std::string("kept")));
}

TEST_CASE("renames: what another process renamed, or does not know yet, is the same column") {
  RenamedTable here, there;
  there.define(definition_of(11, {{"id"}, {"b", "a"}}), "5");
  there.row(row_shape(3, {"id", "b", "a"}), "8");
  const auto older = here.knowledge.columns();
  SUBCASE("rows of the new name came first here") { here.row(here.after, "6"); }
  SUBCASE("nothing came here") {}
  here.knowledge.merge(there.knowledge.columns(), true, "8");
  CHECK(here.column(1).source_name == "b");
  CHECK(here.row(here.after, "9").slots == Slots{0, 1});
  CHECK(here.row(here.before, "4").slots == Slots{0, 1});
  there.knowledge.merge(older, true, "3");
  CHECK(there.column(1).source_name == "b");
  CHECK(there.column(1).active);
  CHECK(there.knowledge.columns().size() == 3);
}
