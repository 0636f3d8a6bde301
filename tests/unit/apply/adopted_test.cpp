// Tables and columns that were there before.
#include <doctest/doctest.h>

#include "apply/rig.hpp"

using namespace cdcrt;
using namespace cdcrt::rig;

namespace {

std::vector<Column> with(std::vector<Column> more) {
  std::vector<Column> columns = {{"id", kInt, 1}};
  columns.insert(columns.end(), more.begin(), more.end());
  return columns;
}

route::Route under(route::SchemaChanges changes, types::OnOverflow policy = types::OnOverflow::kDeadLetter) {
  route::ColumnRule rule;
  rule.pattern = "*";
  rule.on_overflow = policy;
  route::Route route;
  route.schema_changes = changes;
  route.columns = {rule};
  return route;
}

const cdcrt_type kSmall = types::type_of(CDCRT_TYPE_INT16), kDecimal = types::decimal_type(10, 2);
constexpr route::SchemaChanges kPolicies[] = {route::SchemaChanges::kEvolve, route::SchemaChanges::kAddOnly, route::SchemaChanges::kIgnore,
                                              route::SchemaChanges::kFail};

void adopt(Rig& rig, const std::vector<std::pair<const char*, cdcrt_type>>& more) {
  memory_sink::Table& table = rig.database.tables["shop.orders"];
  table.columns = {{"id", kInt, 1, ""}};
  for (const auto& [name, type] : more) table.columns.push_back({name, type, 0, ""});
}

cdcrt_type type_in_target(const Rig& rig, const char* name) { return rig.database.tables.at("shop.orders").column(name)->type; }
bool has_column(const Rig& rig, const char* name) { return rig.database.tables.at("shop.orders").column(name) != nullptr; }

}  // namespace

TEST_CASE("adopted: a column keeps its type where the values fit, under every policy, also after a restart") {
  for (const auto policy : kPolicies) {
    Rig rig(under(policy));
    adopt(rig,
          {{"s", kSmall}, {"u", types::type_of(CDCRT_TYPE_UUID)}, {"b", types::type_of(CDCRT_TYPE_BOOL)}, {"v", types::string_type(5)}});
    const auto columns = with({{"s", kInt}, {"u", kText}, {"b", kInt}, {"v", kText}});
    rig.send(
        {CDCRT_INSERT, columns, {integer(1), integer(5), text("B5A0F6C4-1111-4222-8333-944455556666"), integer(1), text("abc")}, "10"});
    REQUIRE(rig.write());
    rig.restart();
    rig.send({CDCRT_INSERT, columns, {integer(2), integer(6), null(), null(), null()}, "20"});
    REQUIRE(rig.write());
    CHECK(rig.table->detached() == "");
    CHECK(rig.rows() == "id=1,s=5,u='b5a0f6c4-1111-4222-8333-944455556666',b=true,v='abc'; id=2,s=6,u=NULL,b=NULL,v=NULL");
    CHECK(types::equal(type_in_target(rig, "s"), kSmall));
    CHECK(types::equal(type_in_target(rig, "v"), types::string_type(5)));
  }
}

TEST_CASE("adopted: a value that does not fit is a dead letter that names column and value, and the others go on") {
  for (const auto policy : {route::SchemaChanges::kEvolve, route::SchemaChanges::kAddOnly, route::SchemaChanges::kIgnore}) {
    Rig rig(under(policy));
    adopt(rig, {{"v", types::string_type(5)}});
    rig.send_all({{CDCRT_INSERT, with({{"v", kText}}), {integer(1), text("toolong")}, "10"},
                  {CDCRT_INSERT, with({{"v", kText}}), {integer(2), text("short")}, "20"}});
    REQUIRE(rig.write());
    CHECK(rig.rows() == "id=2,v='short'");
    CHECK(types::equal(type_in_target(rig, "v"), types::string_type(5)));
    REQUIRE(rig.written_dead_letters().size() == 1);
    CHECK(rig.written_dead_letters()[0].find("'v'") != std::string::npos);
    CHECK(rig.written_dead_letters()[0].find("toolong") != std::string::npos);
  }
}

TEST_CASE("adopted: under \"fail\" a value that does not fit, or a column that is not there, stops the table") {
  for (const bool lacks : {false, true}) {
    Rig rig(under(route::SchemaChanges::kFail));
    adopt(rig, {{lacks ? "other" : "v", types::string_type(5)}});
    rig.send({CDCRT_INSERT, with({{"v", kText}}), {integer(1), text("toolong")}, "10"});
    REQUIRE(rig.write());
    CHECK(rig.table->detached().find("'v'") != std::string::npos);
    CHECK(rig.rows() == "");
    CHECK(has_column(rig, "v") != lacks);
  }
}

TEST_CASE("adopted: under \"ignore\" a column that the table lacks is left out and counted, also after a restart and once it gets a type") {
  Rig rig(under(route::SchemaChanges::kIgnore));
  adopt(rig, {{"v", kText}});
  const auto columns = with({{"v", kText}, {"w", kText}, {"n"}});
  rig.send({CDCRT_INSERT, columns, {integer(1), text("a"), text("x"), null()}, "10"});
  REQUIRE(rig.write());
  CHECK(rig.table->left_out_cells() == 1);
  rig.restart();
  rig.send({CDCRT_INSERT, with({{"v", kText}, {"w", kText}, {"n", kInt}}), {integer(2), text("b"), text("y"), integer(5)}, "20"});
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,v='a'; id=2,v='b'");
  CHECK_FALSE(has_column(rig, "w"));
}

TEST_CASE("adopted: \"evolve\" and \"add_only\" add what the table lacks, and it is cdcrt's own from then on") {
  for (const auto policy : {route::SchemaChanges::kEvolve, route::SchemaChanges::kAddOnly}) {
    Rig rig(under(policy));
    adopt(rig, {{"v", kText}});
    rig.send({CDCRT_INSERT, with({{"v", kText}, {"w", kSmall}}), {integer(1), text("a"), integer(1)}, "10"});
    REQUIRE(rig.write());
    rig.restart();
    rig.send({CDCRT_INSERT, with({{"v", kText}, {"w", kInt}}), {integer(2), text("b"), integer(70000)}, "20"});
    REQUIRE(rig.write());
    CHECK(rig.rows() == "id=1,v='a',w=1; id=2,v='b',w=70000");
    CHECK(types::equal(type_in_target(rig, "w"), kInt));
  }
}

TEST_CASE("adopted: under \"evolve\" a column of numbers grows for a value that does not fit, and not before") {
  for (const bool restarts : {false, true}) {
    Rig rig(under(route::SchemaChanges::kEvolve));
    adopt(rig, {{"s", kSmall}, {"d", kDecimal}});
    const auto columns = with({{"s", kInt}, {"d", types::decimal_type(12, 4)}});
    rig.send({CDCRT_INSERT, columns, {integer(1), integer(5), types::text_cell(CDCRT_DECIMAL, "1.25")}, "10"});
    REQUIRE(rig.write());
    CHECK(types::equal(type_in_target(rig, "s"), kSmall));
    CHECK(types::equal(type_in_target(rig, "d"), kDecimal));
    if (restarts) rig.restart();
    rig.send({CDCRT_INSERT, columns, {integer(2), integer(70000), types::text_cell(CDCRT_DECIMAL, "1.2345")}, "20"});
    REQUIRE(rig.write());
    CHECK(rig.rows() == "id=1,s=5,d=1.25; id=2,s=70000,d=1.2345");
    CHECK(types::equal(type_in_target(rig, "s"), kInt));
    CHECK(rig.written_dead_letters().empty());
  }
}

TEST_CASE("adopted: on_overflow says what becomes of a value that does not fit, and it is counted") {
  for (const auto policy : {types::OnOverflow::kTruncate, types::OnOverflow::kNull}) {
    Rig rig(under(route::SchemaChanges::kEvolve, policy));
    adopt(rig, {{"v", types::string_type(5)}});
    rig.send({CDCRT_INSERT, with({{"v", kText}}), {integer(1), text("toolong")}, "10"});
    REQUIRE(rig.write());
    CHECK(rig.rows() == (policy == types::OnOverflow::kTruncate ? "id=1,v='toolo'" : "id=1,v=NULL"));
    CHECK(rig.table->overflowed_cells() == 1);
    CHECK(types::equal(type_in_target(rig, "v"), types::string_type(5)));
  }
}

TEST_CASE("adopted: an integer beyond a float's digits, and a key that would be another row's, are dead letters") {
  Rig rig(under(route::SchemaChanges::kIgnore));
  adopt(rig, {{"f", types::type_of(CDCRT_TYPE_FLOAT64)}});
  const std::vector<Column> columns = {{"id", kText, 1}, {"f", kInt}};
  rig.send_all({{CDCRT_INSERT, columns, {text("7"), integer(5)}, "10"},
                {CDCRT_INSERT, columns, {text("007"), integer(6)}, "20"},
                {CDCRT_INSERT, columns, {text("8"), integer(9007199254740993)}, "30"}});
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=7,f=5");
  CHECK(rig.written_dead_letters().size() == 2);
}

TEST_CASE("adopted: columns whose names differ in case only stop the table where the target does not tell them apart") {
  Rig rig;
  rig.database.folds_names = true;
  rig.send({CDCRT_INSERT, with({{"a", kText}, {"A", kText}}), {integer(1), text("x"), text("y")}, "10"});
  REQUIRE(rig.write());
  CHECK(rig.table->detached().find("'a' and 'A'") != std::string::npos);
}
