#include <doctest/doctest.h>

#include <algorithm>

#include "target.hpp"

namespace {

using Rows = std::vector<std::string>;
const cdcrt_column kId = column("id", CDCRT_TYPE_INT32, 1);

#define OK(expression)                                                                                              \
  do {                                                                                                              \
    const Failure failed_here = (expression);                                                                       \
    if (failed_here) FAIL(failed_here.message << " [" << failed_here.sqlstate << " " << failed_here.native << "]"); \
  } while (false)

struct Conversion {
  const char* name;
  cdcrt_column from, to;
  cdcrt_cell before;
  std::string after;
};

std::vector<Conversion> conversions() {
  const auto of = [](uint8_t kind, uint32_t length = 0, int16_t scale = 0) { return column("v", kind, 0, length, scale); };
  return {
      {"int16 to int64", of(CDCRT_TYPE_INT16), of(CDCRT_TYPE_INT64), i64(-5), "i64:-5"},
      {"int32 to text", of(CDCRT_TYPE_INT32), of(CDCRT_TYPE_STRING), i64(-5), "string:-5"},
      {"int64 to decimal", of(CDCRT_TYPE_INT64), of(CDCRT_TYPE_DECIMAL, 22, 2), i64(INT64_MAX), "decimal:9223372036854775807.00"},
      {"uint64 to decimal", of(CDCRT_TYPE_UINT64), of(CDCRT_TYPE_DECIMAL, 20, 0), u64(UINT64_MAX), "decimal:18446744073709551615"},
      {"decimal grows", of(CDCRT_TYPE_DECIMAL, 6, 2), of(CDCRT_TYPE_DECIMAL, 10, 4), text(CDCRT_DECIMAL, "-12.50"), "decimal:-12.5000"},
      {"decimal to unbounded", of(CDCRT_TYPE_DECIMAL, 6, 2), of(CDCRT_TYPE_DECIMAL), text(CDCRT_DECIMAL, "12.50"), "decimal:12.50"},
      {"decimal to text", of(CDCRT_TYPE_DECIMAL, 6, 2), of(CDCRT_TYPE_STRING), text(CDCRT_DECIMAL, "12.50"), "string:12.50"},
      {"float32 to float64", of(CDCRT_TYPE_FLOAT32), of(CDCRT_TYPE_FLOAT64), f64(0.1), "f64:0.10000000149011612"},
      {"float32 to text", of(CDCRT_TYPE_FLOAT32), of(CDCRT_TYPE_STRING), f64(0.1), "string:0.1"},
      {"float64 to text", of(CDCRT_TYPE_FLOAT64), of(CDCRT_TYPE_STRING), f64(0.1), "string:0.1"},
      {"float64 to decimal", of(CDCRT_TYPE_FLOAT64), of(CDCRT_TYPE_DECIMAL), f64(0.1 + 0.2), "decimal:0.30000000000000004"},
      {"float32 to decimal", of(CDCRT_TYPE_FLOAT32), of(CDCRT_TYPE_DECIMAL), f64(0.1), "decimal:0.1"},
      {"bool to text", of(CDCRT_TYPE_BOOL), of(CDCRT_TYPE_STRING), boolean(true), "string:true"},
      {"bool to int", of(CDCRT_TYPE_BOOL), of(CDCRT_TYPE_INT32), boolean(true), "i64:1"},
      {"date to timestamp", of(CDCRT_TYPE_DATE), of(CDCRT_TYPE_TIMESTAMP), moment(CDCRT_DATE, 1), "timestamp:86400000000"},
      {"date to timestamptz", of(CDCRT_TYPE_DATE), of(CDCRT_TYPE_TIMESTAMPTZ), moment(CDCRT_DATE, 1), "timestamptz:86400000000"},
      {"infinite date to timestamp", of(CDCRT_TYPE_DATE), of(CDCRT_TYPE_TIMESTAMP), moment(CDCRT_DATE, INT64_MAX),
       "timestamp:9223372036854775807"},
      {"timestamp to timestamptz", of(CDCRT_TYPE_TIMESTAMP), of(CDCRT_TYPE_TIMESTAMPTZ), moment(CDCRT_TIMESTAMP, 7), "timestamptz:7"},
      {"date to text", of(CDCRT_TYPE_DATE), of(CDCRT_TYPE_STRING), moment(CDCRT_DATE, 0), "string:1970-01-01"},
      {"timestamp to text", of(CDCRT_TYPE_TIMESTAMP), of(CDCRT_TYPE_STRING), moment(CDCRT_TIMESTAMP, 500'000),
       "string:1970-01-01T00:00:00.500000"},
      {"timestamptz to text", of(CDCRT_TYPE_TIMESTAMPTZ), of(CDCRT_TYPE_STRING), moment(CDCRT_TIMESTAMPTZ, 0),
       "string:1970-01-01T00:00:00+00:00"},
      {"varchar grows", of(CDCRT_TYPE_STRING, 3), of(CDCRT_TYPE_STRING, 30), str("abc"), "string:abc"},
      {"varchar to text", of(CDCRT_TYPE_STRING, 3), of(CDCRT_TYPE_STRING), str("abc"), "string:abc"},
      {"json to text", of(CDCRT_TYPE_JSON), of(CDCRT_TYPE_STRING), text(CDCRT_JSON, "{\"a\":  1}"), "string:{\"a\":  1}"},
      {"uuid to text", of(CDCRT_TYPE_UUID), of(CDCRT_TYPE_STRING), text(CDCRT_UUID, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
       "string:a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"},
      {"interval to text", of(CDCRT_TYPE_INTERVAL), of(CDCRT_TYPE_STRING), text(CDCRT_INTERVAL, "P1DT2H"), "string:P1DT2H"},
      {"int32 to float64", of(CDCRT_TYPE_INT32), of(CDCRT_TYPE_FLOAT64), i64(3), "f64:3"},
  };
}

}  // namespace

TEST_CASE("odbc: a type change converts the values that exist, exactly, and NULL stays NULL") {
  each_target([](Target& target) {
    for (const Conversion& conversion : conversions()) {
      CAPTURE(conversion.name);
      const std::string table = conversion.name;
      OK(target.create(table, {kId, conversion.from, column("tail", CDCRT_TYPE_STRING)}));
      OK(target.write(CDCRT_WRITE_APPEND, table, {kId, conversion.from}, {{i64(1), conversion.before}, {i64(2), null()}}));
      OK(target.alter(table, conversion.to, conversion.from.type));
      OK(target.alter(table, conversion.to, conversion.from.type));  // another process did the same
      CHECK(target.read(table, {kId, conversion.to}) == Rows{"i64:1|" + conversion.after, "i64:2|null"});
      CHECK(target.describe(table).find("v")->type.kind == conversion.to.type.kind);
      OK(target.write(CDCRT_WRITE_UPSERT, table, {kId, conversion.to}, {{i64(3), null()}}));
    }
  });
}

TEST_CASE("odbc: defaults fill rows that exist and later inserts, and survive a type change") {
  each_target([](Target& target) {
    OK(target.create("t", {kId}));
    OK(target.write(CDCRT_WRITE_APPEND, "t", {kId}, {{i64(1)}}));
    const std::vector<cdcrt_column> added = {with_default(column("i", CDCRT_TYPE_INT32), i64(-7)),
                                             with_default(column("s", CDCRT_TYPE_STRING, 0, 20), str("it's \"q\"?{")),
                                             with_default(column("b", CDCRT_TYPE_BOOL), boolean(true)),
                                             with_default(column("d", CDCRT_TYPE_DECIMAL, 0, 6, 2), text(CDCRT_DECIMAL, "1.50")),
                                             with_default(column("f", CDCRT_TYPE_FLOAT64), f64(0.1)),
                                             with_default(column("ts", CDCRT_TYPE_TIMESTAMP), moment(CDCRT_TIMESTAMP, 1)),
                                             with_default(column("y", CDCRT_TYPE_BYTES), text(CDCRT_BYTES, std::string_view("\0\xFF", 2))),
                                             with_default(column("j", CDCRT_TYPE_JSON), text(CDCRT_JSON, "{}")),
                                             with_default(column("e", CDCRT_TYPE_STRING), str(""))};
    for (const auto& each : added) {
      OK(target.add("t", each));
      OK(target.add("t", each));
    }
    OK(target.write(CDCRT_WRITE_APPEND, "t", {kId}, {{i64(2)}}));
    std::vector<cdcrt_column> all = {kId};
    all.insert(all.end(), added.begin(), added.end());
    const std::string values =
        "|i64:-7|string:it's \"q\"?{|bool:1|decimal:1.50|f64:0.1|timestamp:1|bytes:" + std::string("\0\xFF", 2) + "|json:{}|string:";
    CHECK(target.read("t", all) == Rows{"i64:1" + values, "i64:2" + values});
    OK(target.alter("t", column("i", CDCRT_TYPE_INT64), kId.type));
    OK(target.alter("t", column("s", CDCRT_TYPE_STRING), added[1].type));
    OK(target.write(CDCRT_WRITE_APPEND, "t", {kId}, {{i64(3)}}));
    CHECK(target.read("t", {kId, column("i", CDCRT_TYPE_INT64), column("s", CDCRT_TYPE_STRING)}, {{i64(3)}}) ==
          Rows{"i64:3|i64:-7|string:it's \"q\"?{"});
  });
}

TEST_CASE("odbc: key columns and indexed columns change their type, and the key and indexes stay") {
  each_target([](Target& target) {
    const cdcrt_column code = column("code", CDCRT_TYPE_INT32);
    OK(target.create("t", {kId, code}));
    by_tool(target, "CREATE UNIQUE INDEX by_code ON t (code); CREATE VIEW seen AS SELECT 1 AS one;");
    OK(target.write(CDCRT_WRITE_APPEND, "t", {kId, code}, {{i64(1), i64(10)}, {i64(2), i64(20)}}));
    const cdcrt_column text_key = column("id", CDCRT_TYPE_STRING, 1);
    OK(target.alter("t", text_key, kId.type));
    OK(target.alter("t", column("code", CDCRT_TYPE_STRING), code.type));
    CHECK(target.read("t", {text_key, column("code", CDCRT_TYPE_STRING)}) == Rows{"string:1|string:10", "string:2|string:20"});
    CHECK(target.describe("t").find("id")->key == 1);
    OK(target.write(CDCRT_WRITE_UPSERT, "t", {text_key, column("code", CDCRT_TYPE_STRING)},
                    {{str("2"), str("21")}, {str("x"), str("30")}}));
    CHECK(target.write(CDCRT_WRITE_UPSERT, "t", {text_key, column("code", CDCRT_TYPE_STRING)}, {{str("y"), str("30")}}).code ==
          CDCRT_BAD_RECORD);
    OK(target.drop("t", "code"));
    OK(target.drop("t", "code"));
    CHECK(target.describe("t").columns.size() == 1);
  });
}

TEST_CASE("odbc: sqlite refuses to rebuild a table whose own rules would be lost") {
  each_target([](Target& target) {
    if (!target.is_sqlite()) return;
    by_tool(target, "CREATE TABLE t (id INT4 PRIMARY KEY CHECK (id > 0), v INT4);");
    const Failure failure = target.alter("t", column("id", CDCRT_TYPE_STRING), kId.type);
    CHECK(failure.code == CDCRT_UNSUPPORTED);
    CHECK(failure.message.find("CHECK") != std::string::npos);
    OK(target.alter("t", column("v", CDCRT_TYPE_STRING), kId.type));
    CHECK(by_tool(target, "INSERT INTO t VALUES (-1, 'x');").find("CHECK") != std::string::npos);
  });
}

TEST_CASE("odbc: a value that its new type cannot keep leaves the table as it was") {
  each_target([](Target& target) {
    const cdcrt_column words = column("v", CDCRT_TYPE_STRING);
    OK(target.create("t", {kId, words}));
    OK(target.write(CDCRT_WRITE_APPEND, "t", {kId, words}, {{i64(1), str("12")}, {i64(2), str("abc")}}));
    CHECK(target.alter("t", column("v", CDCRT_TYPE_INT32), words.type).code == CDCRT_BAD_RECORD);
    CHECK(target.read("t", {kId, words}) == Rows{"i64:1|string:12", "i64:2|string:abc"});
  });
}

TEST_CASE("odbc: creating, adding and dropping what is so already is no error") {
  each_target([](Target& target) {
    OK(target.create("t", {kId}));
    OK(target.create("t", {kId, column("other", CDCRT_TYPE_STRING)}));
    CHECK(target.describe("t").columns.size() == 1);
    OK(target.drop("t", "nothing"));
    CHECK_FALSE(target.describe("nothing").exists);
    CHECK(target.add("nothing", kId).code == CDCRT_STALE_SCHEMA);
  });
}

TEST_CASE("odbc: a raw target type wins over the mapping") {
  each_target([](Target& target) {
    cdcrt_column raw = column("v", CDCRT_TYPE_JSON);
    const std::string type = target.is_sqlite() ? "MY_TEXT" : "jsonb";
    raw.target_type = {type.data(), type.size()};
    OK(target.create("t", {kId, raw}));
    CHECK(target.describe("t").find("v")->raw == type);
    OK(target.write(CDCRT_WRITE_UPSERT, "t", {kId, raw}, {{i64(1), text(CDCRT_JSON, "{\"a\": 1}")}}));
    CHECK(target.read("t", {kId, raw}) == Rows{"i64:1|json:{\"a\": 1}"});
  });
}

TEST_CASE("odbc: views, unique indexes and tables of others are described") {
  each_target([](Target& target) {
    by_tool(target,
            "CREATE TABLE \"Mixed Case\" (\"Some Id\" integer NOT NULL, \"v\" varchar(40), n numeric(12,2), odd_one text);"
            "CREATE UNIQUE INDEX u ON \"Mixed Case\" (\"Some Id\"); CREATE VIEW \"The View\" AS SELECT * FROM \"Mixed Case\";");
    const auto table = target.describe("Mixed Case");
    CHECK(table.exists);
    CHECK_FALSE(table.is_view);
    CHECK(table.find("Some Id")->key == 1);
    CHECK(table.find("v")->key == 0);
    CHECK(table.find("v")->type.kind == CDCRT_TYPE_STRING);
    CHECK(table.find("v")->type.length == 40);
    const auto view = target.describe("The View");
    CHECK(view.exists);
    CHECK(view.is_view);
    CHECK(view.columns.size() == 4);
  });
}

TEST_CASE("odbc: postgresql makes the schema of a table, and uses arrays, domains and short types of others") {
  Target target(postgresql_options());
  by_tool(target,
          "DROP SCHEMA public CASCADE; CREATE SCHEMA public; DROP SCHEMA IF EXISTS \"New.Schema\" CASCADE; DROP DOMAIN IF EXISTS code;"
          "CREATE TYPE mood AS ENUM ('glad', 'sad'); CREATE DOMAIN code AS varchar(3);"
          "CREATE TABLE own (id bigint primary key, m mood, c code, f char(3), a integer[], t varchar(3), j jsonb, n numeric(5,2));");
  OK(target.create("t", {kId}, "New.Schema"));
  CHECK(target.describe("t", "New.Schema").exists);
  CHECK_FALSE(target.describe("t").exists);
  const std::vector<cdcrt_column> columns = {
      column("id", CDCRT_TYPE_INT64, 1), column("m", CDCRT_TYPE_STRING), column("c", CDCRT_TYPE_STRING), column("f", CDCRT_TYPE_STRING),
      column("a", CDCRT_TYPE_STRING),    column("t", CDCRT_TYPE_STRING), column("j", CDCRT_TYPE_JSON)};
  OK(target.write(CDCRT_WRITE_UPSERT, "own", columns,
                  {{i64(1), str("sad"), str("abc"), str("ab"), str("{1,2}"), str("xyz"), text(CDCRT_JSON, "{\"a\":1}")}}));
  CHECK(target.read("own", columns) == Rows{"i64:1|string:sad|string:abc|string:ab|string:{1,2}|string:xyz|json:{\"a\": 1}"});
  CHECK(target.write(CDCRT_WRITE_UPSERT, "own", {columns[0], columns[5]}, {{i64(2), str("wxyz")}}).code == CDCRT_BAD_RECORD);
  CHECK(target.write(CDCRT_WRITE_UPSERT, "own", {columns[0], columns[3]}, {{i64(2), str("wxyz")}}).code == CDCRT_BAD_RECORD);
  CHECK(target.write(CDCRT_WRITE_UPSERT, "own", {columns[0], columns[2]}, {{i64(2), str("wxyz")}}).code == CDCRT_BAD_RECORD);
  CHECK(target.write(CDCRT_WRITE_UPSERT, "own", {columns[0], columns[1]}, {{i64(2), str("angry")}}).code == CDCRT_BAD_RECORD);
  OK(target.write(CDCRT_WRITE_REMOVE, "own", columns,
                  {{i64(1), str("sad"), str("abc"), str("ab"), str("{1,2}"), str("xyz"), text(CDCRT_JSON, "{\"a\":1}")}}));
  CHECK(target.missing.empty());
}

TEST_CASE("odbc: what one connection knows of a column ends when another one looks at the table again or changes it") {
  each_target([](Target& target) {
    const cdcrt_column number = column("v", CDCRT_TYPE_INT64), words = column("v", CDCRT_TYPE_STRING);
    OK(target.create("met", {kId, number}));
    OK(target.write(CDCRT_WRITE_UPSERT, "met", {kId, number}, {{i64(1), i64(7)}}));
    target.switch_connection();
    OK(target.alter("met", words, number.type));
    target.switch_connection();
    OK(target.write(CDCRT_WRITE_UPSERT, "met", {kId, words}, {{i64(2), str("007")}}));
    CHECK(target.read("met", {kId, words}) == Rows{"i64:1|string:7", "i64:2|string:007"});

    OK(target.create("by hand", {kId, number}));
    OK(target.write(CDCRT_WRITE_UPSERT, "by hand", {kId, number}, {{i64(1), i64(7)}}));
    if (target.is_sqlite()) return;  // has no such statement
    by_tool(target, "ALTER TABLE \"by hand\" ALTER COLUMN v TYPE text");
    target.switch_connection();
    target.describe("by hand");
    target.switch_connection();
    OK(target.write(CDCRT_WRITE_UPSERT, "by hand", {kId, words}, {{i64(2), str("007")}}));
    CHECK(target.read("by hand", {kId, words}) == Rows{"i64:1|string:7", "i64:2|string:007"});
  });
}

TEST_CASE("odbc: a renamed column keeps its values, its key and its indexes, and is renamed once") {
  each_target([](Target& target) {
    const cdcrt_column words = column("v", CDCRT_TYPE_STRING), renamed = column("the \"w\"", CDCRT_TYPE_STRING);
    OK(target.create("t", {kId, words}));
    by_tool(target, "CREATE UNIQUE INDEX by_v ON t (v);");
    OK(target.write(CDCRT_WRITE_APPEND, "t", {kId, words}, {{i64(1), str("one")}, {i64(2), str("two")}}));
    OK(target.rename("t", "v", "the \"w\""));
    OK(target.rename("t", "v", "the \"w\""));
    CHECK(target.read("t", {kId, renamed}) == Rows{"i64:1|string:one", "i64:2|string:two"});
    CHECK(target.write(CDCRT_WRITE_UPSERT, "t", {kId, renamed}, {{i64(3), str("two")}}).code == CDCRT_BAD_RECORD);
    OK(target.rename("t", "id", "number"));
    const cdcrt_column number = column("number", CDCRT_TYPE_INT32, 1);
    CHECK(target.describe("t").find("number")->key == 1);
    OK(target.write(CDCRT_WRITE_UPSERT, "t", {number, renamed}, {{i64(2), str("2nd")}}));
    CHECK(target.read("t", {number, renamed}) == Rows{"i64:1|string:one", "i64:2|string:2nd"});
    CHECK(target.rename("t", "nothing", "new").code == CDCRT_STALE_SCHEMA);
  });
}

TEST_CASE("odbc: a column that is renamed to one that is there takes the values that that one has") {
  each_target([](Target& target) {
    const cdcrt_column before = column("a", CDCRT_TYPE_STRING), after = column("b", CDCRT_TYPE_STRING);
    OK(target.create("t", {kId, before, after}));
    OK(target.write(CDCRT_WRITE_APPEND, "t", {kId, before, after},
                    {{i64(1), str("old"), null()}, {i64(2), null(), str("new")}, {i64(3), null(), null()}}));
    OK(target.rename("t", "a", "b"));
    CHECK(target.read("t", {kId, after}) == Rows{"i64:1|string:old", "i64:2|string:new", "i64:3|null"});
    CHECK(target.describe("t").columns.size() == 2);
  });
}
