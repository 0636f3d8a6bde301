// What the connections of a sink know of the target's tables together.
#include "postgresql/known_tables.hpp"

#include <doctest/doctest.h>

#include <random>

#include "target.hpp"

using namespace cdcrt;

namespace {

postgresql::CatalogTable table_with(const std::string& column) {
  postgresql::CatalogTable table;
  table.exists = true;
  table.columns.emplace_back().name = column;
  return table;
}

std::string known_to(postgresql::KnownTables& connection, const std::string& table = "t") {
  const postgresql::CatalogTable* const found = connection.find(table, false);
  return found == nullptr ? "nothing" : found->columns.at(0).name;
}

}  // namespace

TEST_CASE("known tables: what one connection reads the others know, up to the next look") {
  sql::Looks looks;
  postgresql::SharedTables shared;
  postgresql::KnownTables one(looks, &shared), other(looks, &shared), alone(looks, nullptr);
  CHECK(known_to(one) == "nothing");
  one.learn("t", one.now("t"), table_with("a"), false);
  CHECK(known_to(one) == "a");
  CHECK(known_to(other) == "a");
  CHECK(known_to(alone) == "nothing");
  looks.raise("t");
  CHECK(known_to(one) == "nothing");
  CHECK(known_to(other) == "nothing");
  CHECK(one.keep("t")->columns.at(0).name == "a");
}

TEST_CASE("known tables: what was read before a look counts for nobody after it") {
  sql::Looks looks;
  postgresql::SharedTables shared;
  postgresql::KnownTables one(looks, &shared), other(looks, &shared);
  const postgresql::KnownAt before = one.now("t");
  looks.raise("t");
  one.learn("t", before, table_with("old"), false);
  CHECK(known_to(one) == "nothing");
  CHECK(known_to(other) == "nothing");
}

TEST_CASE("known tables: a table as an open transaction has it is known to that connection alone") {
  sql::Looks looks;
  postgresql::SharedTables shared;
  postgresql::KnownTables one(looks, &shared), other(looks, &shared);
  one.learn("t", one.now("t"), table_with("own"), true);
  CHECK(known_to(one) == "own");
  CHECK(known_to(other) == "nothing");
}

TEST_CASE("known tables: a transaction that changed a table takes nothing of it from the others") {
  sql::Looks looks;
  postgresql::SharedTables shared;
  postgresql::KnownTables one(looks, &shared), other(looks, &shared);
  other.learn("t", other.now("t"), table_with("before"), false);
  CHECK(one.find("t", true) == nullptr);
  CHECK(known_to(one) == "before");
}

TEST_CASE("known tables: what was being read while somebody doubted counts for the one who read it") {
  sql::Looks looks;
  postgresql::SharedTables shared;
  postgresql::KnownTables one(looks, &shared), other(looks, &shared);
  const postgresql::KnownAt before = one.now("t");
  other.forget();
  one.learn("t", before, table_with("a"), false);
  CHECK(known_to(one) == "a");
  CHECK(known_to(other) == "nothing");
  other.learn("u", other.now("u"), table_with("b"), false);
  one.forget_own();
  CHECK(known_to(one, "u") == "b");
}

TEST_CASE("known tables: where one connection doubts, whoever has not read the table reads it") {
  sql::Looks looks;
  postgresql::SharedTables shared;
  postgresql::KnownTables one(looks, &shared), other(looks, &shared), third(looks, &shared);
  for (const char* table : {"t", "u"}) one.learn(table, one.now(table), table_with("a"), false);
  other.forget("t");
  CHECK(known_to(third) == "nothing");
  CHECK(known_to(third, "u") == "a");
  other.forget();
  postgresql::KnownTables fourth(looks, &shared);
  CHECK(known_to(fourth, "u") == "nothing");
  CHECK(known_to(one) == "a");
}

TEST_CASE("known tables: whichever connection changes a table, commits or takes back, each of them writes what the table has") {
  for (unsigned seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    Target target(postgresql_options("libpq"));
    by_tool(target, "DROP SCHEMA public CASCADE; CREATE SCHEMA public;");
    std::vector<cdcrt_column> columns = {column("id", CDCRT_TYPE_INT64, 1)};
    REQUIRE_FALSE(target.create("t", columns));
    static const char* const kNames[] = {"a", "b", "c", "d"};
    int64_t rows = 0;
    for (int step = 0; step < 40; ++step) {
      CAPTURE(step);
      if (random() % 2 == 0) target.switch_connection();
      if (random() % 4 == 0 && columns.size() <= std::size(kNames)) {
        // The same name may have had another type in what was taken back.
        const cdcrt_column added = column(kNames[columns.size() - 1], random() % 2 == 0 ? CDCRT_TYPE_INT64 : CDCRT_TYPE_STRING);
        REQUIRE_FALSE(target.begin());
        REQUIRE_FALSE(target.add("t", added));
        const bool writes = random() % 2 == 0, commits = random() % 2 == 0;
        if (commits || writes) columns.push_back(added);
        if (writes) {
          Row row{i64(1'000'000 + step)};
          for (std::size_t i = 1; i < columns.size(); ++i) row.push_back(columns[i].type.kind == CDCRT_TYPE_INT64 ? i64(step) : str("x"));
          REQUIRE_FALSE(target.write(CDCRT_WRITE_UPSERT, "t", columns, {row}));
        }
        if (commits) {
          REQUIRE_FALSE(target.commit());
          rows += writes ? 1 : 0;
        } else {
          REQUIRE_FALSE(target.rollback());
          if (writes) columns.pop_back();
        }
        continue;
      }
      Row row{i64(++rows)};
      for (std::size_t i = 1; i < columns.size(); ++i) row.push_back(columns[i].type.kind == CDCRT_TYPE_INT64 ? i64(step) : str("x"));
      REQUIRE_FALSE(target.begin());
      REQUIRE_FALSE(target.write(CDCRT_WRITE_UPSERT, "t", columns, {row}));
      if (random() % 3 == 0) {
        REQUIRE_FALSE(target.rollback());
        --rows;
      } else {
        REQUIRE_FALSE(target.commit());
      }
    }
    CHECK(target.read("t", columns).size() == static_cast<std::size_t>(rows));
  }
}
