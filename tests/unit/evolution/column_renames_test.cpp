#include <doctest/doctest.h>

#include "evolution/table_knowledge.hpp"
#include "types/type.hpp"

using namespace cdcrt;
using evolution::ShapeMap;
using evolution::TableKnowledge;

namespace {

struct NamedColumn {
  const char* name;
  const char* former = "";
};

event::Shape row_shape(uint32_t id, std::vector<const char*> names, const char* key = "id") {
  event::Shape made;
  made.id = id;
  made.declared = made.keyed = made.key_in_one_partition = true;
  for (const char* name : names)
    made.columns.push_back({name, types::type_of(CDCRT_TYPE_INT32), 0, std::string(name) == key ? 1U : 0U, {}, {}});
  return made;
}

event::Shape definition_of(uint32_t id, std::vector<NamedColumn> columns) {
  event::Shape made;
  made.id = id;
  made.declared = true;
  for (const NamedColumn& column : columns) made.columns.push_back({column.name, {}, 0, 0, {}, column.former});
  return made;
}

/// A table id, a that a definition made known.
struct Renamed {
  route::Route route;
  TableKnowledge knowledge{route};
  event::Shape before = row_shape(1, {"id", "a"}), after = row_shape(2, {"id", "b"});

  Renamed() {
    define(definition_of(10, {{"id"}, {"a"}}), "0");
    REQUIRE(knowledge.observe(before, "1", true));
  }
  void define(const event::Shape& shape, const char* order) {
    knowledge.expect_definitions();
    REQUIRE(knowledge.rename(shape, order));
    REQUIRE(knowledge.observe(shape, order, true, false, true));
  }
  ShapeMap row(const event::Shape& shape, const char* order) {
    auto map = knowledge.observe(shape, order, true);
    REQUIRE(map);
    return **map;
  }
  const evolution::Column& column(uint32_t slot) { return knowledge.columns().at(slot); }
  uint32_t active() {
    uint32_t count = 0;
    for (const auto& each : knowledge.columns()) count += each.active ? 1 : 0;
    return count;
  }
};

using Slots = std::vector<int32_t>;

}  // namespace

TEST_CASE("renames: a column keeps its place under its new name, and late rows of the old one find it") {
  Renamed table;
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
  Renamed table;
  table.define(definition_of(11, {{"id"}, {"b", "a"}}), "5");
  const auto both = row_shape(3, {"id", "b", "a"});
  CHECK(table.row(both, "8").slots == Slots{0, 1, 2});
  CHECK(table.row(table.before, "4").slots == Slots{0, 1});
  CHECK(table.row(both, "9").slots == Slots{0, 1, 2});
  CHECK(table.active() == 3);
}

TEST_CASE("renames: two columns change places, at once or through a third name") {
  for (const bool at_once : {true, false}) {
    Renamed table;
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
  Renamed table;
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
    CHECK(table.row(row_shape(3, {"id", "b", "a"}), "8").slots == Slots{0, 2, 1});
    table.define(definition_of(11, {{"id"}, {"b", "a"}}), "5");
    CHECK(table.column(1).source_name == "a");
    CHECK(table.row(row_shape(3, {"id", "b", "a"}), "9").slots == Slots{0, 2, 1});
  }
}

TEST_CASE("renames: a definition of names alone drops no column that rows go on showing") {
  Renamed table;
  table.define(definition_of(11, {{"id"}, {"other"}}), "5");
  CHECK(table.row(table.before, "6").slots == Slots{0, 1});
  CHECK(table.column(1).active);
  CHECK(table.knowledge.columns().size() == 2);
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
  Renamed here, there;
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
