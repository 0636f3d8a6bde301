#include <doctest/doctest.h>

#include <algorithm>

#include "postgresql/dialect.hpp"
#include "sql/identifier.hpp"
#include "sqlite_dialect.hpp"

using namespace cdcrt;

namespace {

cdcrt_column column(std::string_view name, uint8_t kind, uint32_t key = 0) {
  cdcrt_column made{};
  made.name = sdk::borrow(name);
  made.type = sql::make_type(kind);
  made.key_ordinal = key;
  return made;
}

sql::StatementShape shape(bool unique) {
  sql::StatementShape made;
  made.table = "\"t\"";
  made.row_identifier = "rowid";
  made.has_unique_key = unique;
  made.columns = {{"\"id\"", "bigint", true, false, false}, {"\"v\"", "text", false, false, false}};
  return made;
}

std::string quoted(std::string_view name, std::size_t limit = 63) {
  std::string text;
  const auto status = sql::append_identifier(text, name, limit, "column");
  return status ? text : "refused: " + std::string(status.message());
}

}  // namespace

TEST_CASE("sql: identifiers are quoted, and never cut") {
  CHECK(quoted("a") == "\"a\"");
  CHECK(quoted("x\"; drop table y; --") == "\"x\"\"; drop table y; --\"");
  CHECK(quoted("").substr(0, 8) == "refused:");
  CHECK(quoted(std::string_view("a\0b", 3)).substr(0, 8) == "refused:");
  CHECK(quoted("\xFF").substr(0, 8) == "refused:");
  CHECK(quoted("\xED\xA0\x80").substr(0, 8) == "refused:");
  CHECK(quoted(std::string(63, 'a')).size() == 65);
  CHECK(quoted(std::string(64, 'a')).find("64 bytes") != std::string::npos);
  CHECK(quoted(std::string(64, 'a'), 0).size() == 66);
}

TEST_CASE("sql: literals double their quotes") {
  std::string text;
  sql::append_literal(text, "it's \\ 'x'");
  CHECK(text == "'it''s \\ ''x'''");
}

TEST_CASE("sql: postgresql writes sets of rows through unnest") {
  const auto& dialect = sql::postgresql();
  auto statements = dialect.write_statements(CDCRT_WRITE_UPSERT, shape(true));
  REQUIRE(statements.size() == 1);
  CHECK(
      statements[0].text ==
      "INSERT INTO \"t\" (\"id\", \"v\") SELECT s.c1, s.c2 FROM (SELECT unnest(?::bigint[]) AS c1, unnest(?::text[]) AS c2) AS s ORDER BY s.c1 ON CONFLICT (\"id\") DO UPDATE SET \"v\" = EXCLUDED.\"v\"");
  CHECK(statements[0].parameters == std::vector<uint32_t>{0, 1});
  statements = dialect.write_statements(CDCRT_WRITE_UPSERT, shape(false));
  REQUIRE(statements.size() == 2);
  CHECK(statements[0].text == "UPDATE \"t\" AS t SET \"v\" = s.c2 FROM unnest(?::bigint[], ?::text[]) AS s(c1, c2) WHERE t.\"id\" = s.c1");
  statements = dialect.write_statements(CDCRT_WRITE_REPLACE, shape(true));
  REQUIRE(statements.size() == 2);
  CHECK(statements[0].text == "DELETE FROM \"t\" AS t USING unnest(?::bigint[]) AS s(c1) WHERE t.\"id\" = s.c1");
  CHECK(statements[0].parameters == std::vector<uint32_t>{0});
  auto only_key = shape(true);
  only_key.columns.pop_back();
  CHECK(dialect.write_statements(CDCRT_WRITE_UPSERT, only_key)[0].text.find("DO NOTHING") != std::string::npos);
  CHECK(dialect.write_statements(CDCRT_WRITE_PATCH, only_key).empty());
  CHECK(
      dialect.read_statement(shape(true), 1, CDCRT_LOCK_UPDATE).text ==
      "SELECT t.\"id\"::text, t.\"v\"::text FROM \"t\" AS t WHERE EXISTS (SELECT 1 FROM unnest(?::bigint[]) AS s(c1) WHERE t.\"id\" = s.c1) FOR UPDATE OF t");
}

TEST_CASE("sql: sqlite conditions are qualified, so that an unknown name is no text constant") {
  const auto& dialect = sql::sqlite();
  CHECK(dialect.write_statements(CDCRT_WRITE_DELETE, shape(true))[0].text == "DELETE FROM \"t\" AS t WHERE t.\"id\" = ?");
  CHECK(dialect.write_statements(CDCRT_WRITE_PATCH, shape(true))[0].text == "UPDATE \"t\" AS t SET \"v\" = ? WHERE t.\"id\" = ?");
  CHECK(dialect.write_statements(CDCRT_WRITE_PATCH, shape(true))[0].parameters == std::vector<uint32_t>{1, 0});
  CHECK(dialect.write_statements(CDCRT_WRITE_REMOVE, shape(true))[0].text ==
        "DELETE FROM \"t\" WHERE rowid = (SELECT rowid FROM \"t\" AS t WHERE t.\"id\" IS ? AND t.\"v\" IS ? LIMIT 1)");
  CHECK(dialect.write_statements(CDCRT_WRITE_UPSERT, shape(true))[0].text ==
        "INSERT INTO \"t\" (\"id\", \"v\") VALUES (?, ?) ON CONFLICT (\"id\") DO UPDATE SET \"v\" = EXCLUDED.\"v\"");
}

TEST_CASE("sql: a table is created with its key in key order, and NOT NULL for keys only") {
  const cdcrt_table table{sdk::borrow("s"), sdk::borrow("t")};
  std::vector<cdcrt_column> columns = {column("b", CDCRT_TYPE_STRING, 2), column("a", CDCRT_TYPE_INT32, 1), column("v", CDCRT_TYPE_UINT64)};
  columns[2].flags = CDCRT_COLUMN_NOT_NULL;
  std::string text;
  REQUIRE(sql::postgresql().create_table(text, table, columns.data(), 3));
  CHECK(
      text ==
      "CREATE TABLE IF NOT EXISTS \"s\".\"t\" (\"b\" text NOT NULL, \"a\" integer NOT NULL, \"v\" numeric(20,0), PRIMARY KEY (\"a\", \"b\"))");
  text.clear();
  REQUIRE(sql::sqlite().create_table(text, table, columns.data() + 1, 1));
  CHECK(text == "CREATE TABLE IF NOT EXISTS \"t\" (\"a\" INTEGER NOT NULL, PRIMARY KEY (\"a\"))");
}

TEST_CASE("sql: every logical type has a name that the catalog gives back as that type or a wider one") {
  for (uint8_t kind = CDCRT_TYPE_BOOL; kind <= CDCRT_TYPE_INTERVAL; ++kind) {
    CAPTURE(static_cast<int>(kind));
    const auto type = sql::make_type(kind);
    CHECK(sql::sqlite().logical_type(sql::type_name(sql::sqlite().types(), type)).kind == kind);
    CHECK_FALSE(sql::type_name(sql::postgresql().types(), type).empty());
  }
  const auto wide = sql::make_type(CDCRT_TYPE_DECIMAL, 1001, 2);
  CHECK(sql::type_name(sql::postgresql().types(), wide) == "numeric");
  CHECK(sql::type_name(sql::sqlite().types(), wide) == "DECIMAL_TEXT(1001,2)");
  CHECK(sql::sqlite().logical_type("VARCHAR(40)").length == 40);
  CHECK(sql::sqlite().logical_type("Decimal_Text( 12 , 2 )").scale == 2);
  CHECK(sql::sqlite().logical_type("INTERVAL").kind == CDCRT_TYPE_INT64);  // SQLite's own rule: it contains INT
  CHECK(sql::postgresql().logical_type("timestamp(3) without time zone").kind == CDCRT_TYPE_TIMESTAMP);
  CHECK(sql::postgresql().logical_type("character varying(7)").length == 7);
  CHECK(sql::postgresql().logical_type("int4range").kind == CDCRT_TYPE_UNKNOWN);
}

TEST_CASE("sql: the type table is printed whole") {
  const std::string table = sql::type_table(sql::sqlite().types());
  CHECK(table.find("| decimal(p,s) | `DECIMAL_TEXT({p},{s})`, unbounded `DECIMAL_TEXT` |") != std::string::npos);
  CHECK(std::count(table.begin(), table.end(), '\n') == 22);
}
