#include "evolution/table_knowledge.hpp"

#include <doctest/doctest.h>

#include "cdcrt/sdk/glob.hpp"
#include "evolution/column_rules.hpp"
#include "types/cell_text.hpp"
#include "types/type.hpp"

using namespace cdcrt;
using evolution::TableKnowledge;

namespace {

const cdcrt_type kInt = types::type_of(CDCRT_TYPE_INT32), kBig = types::type_of(CDCRT_TYPE_INT64),
                 kFloat = types::type_of(CDCRT_TYPE_FLOAT64);

struct Named {
  const char* name;
  cdcrt_type type{};
  uint32_t key_ordinal = 0;
};

event::Shape shape(uint32_t id, std::vector<Named> columns, bool declared = true) {
  event::Shape made;
  made.id = id;
  made.declared = declared;
  for (const Named& column : columns) {
    made.columns.push_back({column.name, column.type, 0, column.key_ordinal, {}});
    made.keyed = made.key_in_one_partition = made.keyed || column.key_ordinal > 0;
  }
  return made;
}

cdcrt_type type_of(const TableKnowledge& knowledge, uint32_t slot) { return knowledge.columns().at(slot).type; }

}  // namespace

TEST_CASE("evolution: types follow source order, whichever shape arrives first") {
  for (const bool swapped : {false, true}) {
    route::Route route;
    TableKnowledge knowledge(route);
    const auto old_shape = shape(1, {{"id", kInt, 1}, {"v", kInt}}), new_shape = shape(2, {{"id", kInt, 1}, {"v", kFloat}});
    REQUIRE(knowledge.observe(swapped ? new_shape : old_shape, swapped ? "2" : "1", true));
    REQUIRE(knowledge.observe(swapped ? old_shape : new_shape, swapped ? "1" : "2", true));
    CHECK(types::equal(type_of(knowledge, 1), kFloat));
  }
}

TEST_CASE("evolution: a narrower declaration keeps the type") {
  route::Route route;
  TableKnowledge knowledge(route);
  REQUIRE(knowledge.observe(shape(1, {{"v", kBig}}), "1", true));
  REQUIRE(knowledge.observe(shape(2, {{"v", kInt}}), "2", true));
  CHECK(types::equal(type_of(knowledge, 0), kBig));
  CHECK(knowledge.take_type_changes().empty());
}

TEST_CASE("evolution: only a later, definite, declared event drops a column, and it is told once") {
  route::Route route;
  const auto drops = [&](bool declared, bool definite, const char* order) {
    TableKnowledge knowledge(route);
    REQUIRE(knowledge.observe(shape(1, {{"id", kInt, 1}, {"v", kInt}}), "5", true));
    REQUIRE(knowledge.observe(shape(2, {{"id", kInt, 1}}, declared), order, definite));
    const bool dropped = !knowledge.columns()[1].active;
    CHECK(knowledge.take_drops().size() == (dropped ? 1 : 0));
    CHECK(knowledge.take_drops().empty());
    return dropped;
  };
  CHECK(drops(true, true, "6"));
  CHECK(!drops(true, true, "5"));
  CHECK(!drops(true, true, "4"));
  CHECK(!drops(true, true, ""));
  CHECK(!drops(false, true, "6"));
  CHECK(!drops(true, false, "6"));
}

TEST_CASE("evolution: what is older than a column's return is of the column that was dropped") {
  route::Route route;
  TableKnowledge knowledge(route);
  const auto with = shape(1, {{"id", kInt, 1}, {"v", kInt}});
  REQUIRE(knowledge.observe(with, "1", true));
  REQUIRE(knowledge.observe(shape(2, {{"id", kInt, 1}}), "2", true));
  REQUIRE(knowledge.observe(with, "3", true));
  auto late = knowledge.observe(with, "1", true);
  REQUIRE(late);
  CHECK((*late)->slots == std::vector<int32_t>{0, evolution::ShapeMap::kLate});
  auto next = knowledge.observe(with, "4", true);
  REQUIRE(next);
  CHECK((*next)->slots == std::vector<int32_t>{0, 1});
}

TEST_CASE("evolution: what lies after the drop is the new column's, though the column was first seen later") {
  route::Route route;
  TableKnowledge before(route);
  const auto old_shape = shape(1, {{"id", kInt, 1}, {"v", kFloat}}), new_shape = shape(3, {{"id", kInt, 1}, {"v", kInt}});
  REQUIRE(before.observe(old_shape, "2", true));
  REQUIRE(before.observe(shape(2, {{"id", kInt, 1}}), "4", true));
  REQUIRE(before.observe(new_shape, "6", true));
  TableKnowledge after(route);
  for (const auto& column : before.columns()) after.restore(column);
  after.restore_key_known();
  after.restore_sightings(before.columns(), {"6"});
  for (TableKnowledge* knowledge : {&before, &after}) {
    CAPTURE(knowledge == &after);
    auto late = knowledge->observe(old_shape, "1", true);
    REQUIRE(late);
    CHECK((*late)->slots == std::vector<int32_t>{0, evolution::ShapeMap::kLate});
    CHECK(types::equal(type_of(*knowledge, 1), kInt));
    auto between = knowledge->observe(new_shape, "5", true);
    REQUIRE(between);
    CHECK((*between)->slots == std::vector<int32_t>{0, 1});
    // The shape of before comes back as well: it says what the new column is.
    auto again = knowledge->observe(old_shape, "7", true);
    REQUIRE(again);
    CHECK((*again)->slots == std::vector<int32_t>{0, 1});
    CHECK(types::equal(type_of(*knowledge, 1), kFloat));
    CHECK(knowledge->columns()[1].incarnation == 1);
  }
}

TEST_CASE("evolution: a column that another process saw dropped and added again is told of, with where it was dropped") {
  route::Route route;
  TableKnowledge there(route), here(route);
  const auto with = shape(1, {{"id", kInt, 1}, {"v", kInt}});
  REQUIRE(there.observe(with, "2", true));
  REQUIRE(there.observe(shape(2, {{"id", kInt, 1}}), "4", true));
  REQUIRE(there.observe(with, "6", true));
  REQUIRE(here.observe(with, "1", true));
  REQUIRE(here.observe(with, "5", true));
  CHECK(here.merge(there.columns(), true, "6") == std::vector<uint32_t>{1});
  CHECK(here.columns()[1].dropped_at == "4");
  CHECK(here.merge(there.columns(), true, "6").empty());
}

TEST_CASE("evolution: a key column is never dropped, and a changed key stops the table") {
  route::Route route;
  TableKnowledge knowledge(route);
  REQUIRE(knowledge.observe(shape(1, {{"id", kInt, 1}, {"v", kInt}}), "1", true));
  const auto changed = knowledge.observe(shape(2, {{"id", kInt}, {"v", kInt, 1}}), "2", true);
  REQUIRE(!changed);
  CHECK(changed.error().message.find("(id) to (v)") != std::string::npos);
}

TEST_CASE("evolution: a message that names the columns of the key in another order names the table's key") {
  for (const bool by_route : {false, true}) {
    route::Route route;
    if (by_route) route.primary_key = {"b", "a"};
    TableKnowledge knowledge(route);
    REQUIRE(knowledge.observe(shape(1, {{"a", kInt, 1}, {"b", kInt, 2}, {"v", kInt}}), "1", true));
    const auto key = knowledge.key();
    CHECK(knowledge.observe(shape(2, {{"a", kInt, 2}, {"b", kInt, 1}, {"v", kInt}}), "2", true));
    CHECK(knowledge.observe(shape(3, {{"b", kInt, 1}, {"v", kInt}, {"a", kInt, 2}}), "3", true));
    CHECK(knowledge.key() == key);
    if (!by_route) CHECK_FALSE(knowledge.observe(shape(4, {{"a", kInt, 1}, {"b", kInt}, {"v", kInt}}), "4", true));
  }
}

TEST_CASE("evolution: two columns that meet in one name stop the table") {
  route::Route route;
  route::ColumnRule rule;
  rule.pattern = "a";
  rule.rename = "b";
  route.columns.push_back(rule);
  TableKnowledge knowledge(route);
  CHECK(!knowledge.observe(shape(1, {{"a", kInt}, {"b", kInt}}), "1", true));
}

TEST_CASE("evolution: whether a route's key crosses partitions is judged again after a restart") {
  route::Route route;
  route.primary_key = {"v"};
  TableKnowledge before(route);
  REQUIRE(before.observe(shape(1, {{"id", kInt, 1}, {"v", kInt}}), "1", true));
  CHECK(before.key_crosses_partitions());
  TableKnowledge after(route);
  for (const auto& column : before.columns()) after.restore(column);
  after.restore_key_known();
  REQUIRE(after.observe(shape(1, {{"id", kInt, 1}, {"v", kInt}}), "2", true));
  CHECK(after.key_crosses_partitions());
  route.primary_key = {"id", "v"};
  TableKnowledge contained(route);
  REQUIRE(contained.observe(shape(1, {{"id", kInt, 1}, {"v", kInt}}), "1", true));
  CHECK(!contained.key_crosses_partitions());
}

TEST_CASE("evolution: a key crosses partitions where a shape does not say that it stays in one, also when it comes late") {
  route::Route route;
  TableKnowledge knowledge(route);
  REQUIRE(knowledge.observe(shape(1, {{"id", kInt, 1}, {"v", kInt}}), "1", true));
  CHECK(!knowledge.key_crosses_partitions());
  REQUIRE(knowledge.observe(shape(2, {{"v", kInt}}), "2", true));  // no key, nothing said
  CHECK(!knowledge.key_crosses_partitions());
  event::Shape elsewhere = shape(3, {{"id", kInt, 1}, {"v", kInt}});
  elsewhere.key_in_one_partition = false;
  REQUIRE(knowledge.observe(elsewhere, "3", true));
  CHECK(knowledge.key_crosses_partitions());
}

TEST_CASE("evolution: the most specific rule of a column wins") {
  route::Route route;
  for (const char* pattern : {"*", "pri*", "price"}) {
    route::ColumnRule rule;
    rule.pattern = pattern;
    rule.rename = pattern;
    route.columns.push_back(rule);
  }
  CHECK(evolution::rule_for(route, "price").rename == "price");
  CHECK(evolution::rule_for(route, "prior").rename == "pri*");
  CHECK(evolution::rule_for(route, "x").rename == "*");
  CHECK(sdk::glob_matches("a?c*", "abcd"));
  CHECK(!sdk::glob_matches("a?c", "abcd"));
}

namespace {

// The event does not tell the key, and something else does.
event::Shape elsewhere(uint32_t id, std::vector<Named> columns) {
  event::Shape made = shape(id, std::move(columns));
  made.key_elsewhere = true;
  return made;
}

std::string key_text(const TableKnowledge& knowledge) {
  if (!knowledge.key_known()) return "unknown";
  std::string text;
  for (const uint32_t slot : knowledge.key()) text += (text.empty() ? "" : ",") + knowledge.columns()[slot].source_name;
  return "(" + text + ")";
}

}  // namespace

TEST_CASE("evolution: a row that does not tell its key lacks it until a definition, also a later one, has told it") {
  route::Route route;
  TableKnowledge knowledge(route);
  const auto row = elsewhere(1, {{"id", kInt}, {"v", kInt}}), definition = shape(2, {{"id", kInt, 1}, {"v", kInt}, {"w", kInt}});
  CHECK(knowledge.lacks_key(row));
  CHECK_FALSE(knowledge.lacks_key(shape(3, {{"id", kInt}})));
  CHECK(knowledge.tell_key(definition));
  CHECK_FALSE(knowledge.tell_key(definition));
  CHECK_FALSE(knowledge.lacks_key(row));
  REQUIRE(knowledge.observe(row, "1", true));
  CHECK(key_text(knowledge) == "(id)");
  CHECK(knowledge.key_crosses_partitions());
  CHECK(knowledge.columns().size() == 2);  // of the definition only the key is known before its turn
  REQUIRE(knowledge.observe(definition, "2", true));
  CHECK(knowledge.columns().size() == 3);
}

TEST_CASE("evolution: a definition without a key is believed only for a table whose rows do not tell it") {
  route::Route route;
  auto none = shape(2, {{"id", kInt}});
  none.keyed = true;
  TableKnowledge knowledge(route);
  CHECK(knowledge.tell_key(none));
  CHECK(knowledge.is_told_keyless());
  REQUIRE(knowledge.observe(none, "1", true));
  CHECK_FALSE(knowledge.key_known());
  SUBCASE("they do not") {
    REQUIRE(knowledge.observe(elsewhere(1, {{"id", kInt}}), "2", true));
    CHECK(key_text(knowledge) == "()");
    CHECK_FALSE(knowledge.key_crosses_partitions());
    CHECK_FALSE(knowledge.observe(shape(3, {{"id", kInt, 1}}), "3", true));
    CHECK(knowledge.met_other_key());
  }
  SUBCASE("they do") {
    REQUIRE(knowledge.observe(shape(1, {{"id", kInt, 1}}), "2", true));
    CHECK(key_text(knowledge) == "(id)");
  }
  SUBCASE("a later definition names one before any row was applied") {
    CHECK(knowledge.tell_key(shape(3, {{"id", kInt, 1}})));
    CHECK_FALSE(knowledge.is_told_keyless());
    REQUIRE(knowledge.observe(elsewhere(1, {{"id", kInt}}), "2", true));
    CHECK(key_text(knowledge) == "(id)");
  }
}

TEST_CASE("evolution: the key of a rule holds for rows that do not tell it, and gives way to an event that does") {
  route::Route route;
  route.fallback_key = {"id"};
  route.key_rule = "shop.*";
  TableKnowledge knowledge(route);
  SUBCASE("rows do not tell it") {
    const auto row = elsewhere(1, {{"id", kInt}, {"line", kInt}});
    CHECK_FALSE(knowledge.lacks_key(row));
    REQUIRE(knowledge.observe(row, "1", true));
    CHECK(key_text(knowledge) == "(id)");
    CHECK(knowledge.key_crosses_partitions());
  }
  SUBCASE("rows of a format that says no key at all") {
    REQUIRE(knowledge.observe(shape(1, {{"id", kInt}, {"line", kInt}}), "1", true));
    CHECK(key_text(knowledge) == "(id)");
  }
  SUBCASE("rows tell another one") {
    REQUIRE(knowledge.observe(shape(1, {{"id", kInt, 1}, {"line", kInt, 2}}), "1", true));
    CHECK(key_text(knowledge) == "(id,line)");
    REQUIRE(knowledge.observe(shape(2, {{"id", kInt}, {"line", kInt}}), "2", true));
    CHECK_FALSE(knowledge.observe(elsewhere(3, {{"id", kInt}, {"line", kInt}}), "3", true));
  }
  SUBCASE("the column is not there") {
    const auto refused = knowledge.observe(elsewhere(1, {{"idd", kInt}}), "1", true);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message == "rule 'shop.*' of primary_keys names column 'id', which the events of the table do not have");
    CHECK(refused.error().hint == "did you mean 'idd'?");
  }
  SUBCASE("primary_key of the route beats it") {
    route.primary_key = {"line"};
    TableKnowledge own(route);
    REQUIRE(own.observe(elsewhere(1, {{"id", kInt}, {"line", kInt}}), "1", true));
    CHECK(key_text(own) == "(line)");
  }
}

TEST_CASE("evolution: rows of a key that is told elsewhere stay in one partition where the format says so") {
  route::Route route;
  route.fallback_key = {"id"};
  TableKnowledge knowledge(route);
  auto row = elsewhere(1, {{"id", kInt}});
  row.key_in_one_partition = true;
  REQUIRE(knowledge.observe(row, "1", true));
  CHECK_FALSE(knowledge.key_crosses_partitions());
}

TEST_CASE("evolution: cells are taken without a look only where their column has their type and nothing is to be learned of them") {
  route::Route route;
  route.columns.emplace_back().pattern = "typed";
  route.columns.back().type = kBig;
  TableKnowledge knowledge(route);
  const auto plain_of = [&](const event::Shape& of, const char* order) {
    const auto map = knowledge.observe(of, order, true);
    REQUIRE(map);
    CHECK((*map)->version == knowledge.version());
    return (*map)->plain;
  };
  const auto text = types::string_type(5);
  auto first = shape(1, {{"id", kInt, 1}, {"v", kFloat}, {"w", text}, {"typed", kBig}, {"hex", types::type_of(CDCRT_TYPE_BYTES)}});
  first.columns.back().flags = CDCRT_COLUMN_HEX;
  CHECK(plain_of(first, "1") == std::vector<uint8_t>{CDCRT_TYPE_INT32, CDCRT_TYPE_FLOAT64, 0, 0, 0});
  knowledge.widen(0, kBig);
  CHECK(plain_of(first, "2") == std::vector<uint8_t>{CDCRT_TYPE_INT64, CDCRT_TYPE_FLOAT64, 0, 0, 0});
  // Without types a value teaches its own: what would widen a column is looked at.
  const auto untyped = shape(2, {{"id"}, {"v"}, {"w"}, {"late"}}, false);
  CHECK(plain_of(untyped, "3") == std::vector<uint8_t>{CDCRT_TYPE_INT64, CDCRT_TYPE_FLOAT64, 0, 0});
}
