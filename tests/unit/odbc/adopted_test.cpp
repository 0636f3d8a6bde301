// Tables that somebody else made.
#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>

#include "target.hpp"

namespace {

const cdcrt_column kId = column("id", CDCRT_TYPE_INT64, 1);
using Rows = std::vector<std::string>;

bool mentions(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

Target& empty(Target& target) {
  by_tool(target, "DROP SCHEMA public CASCADE; CREATE SCHEMA public;");
  return target;
}

cdcrt_column flagged(cdcrt_column column, uint32_t flags) {
  column.flags |= flags;
  return column;
}

}  // namespace

TEST_CASE("odbc: columns that the table computes are left to it, in every kind of write") {
  each_target([](Target& target) {
    by_tool(target, "CREATE TABLE g (id bigint PRIMARY KEY, a bigint, twice bigint GENERATED ALWAYS AS (a * 2) STORED);");
    const std::vector<cdcrt_column> columns = {kId, column("a", CDCRT_TYPE_INT64), column("twice", CDCRT_TYPE_INT64)};
    CHECK_FALSE(target.write(CDCRT_WRITE_UPSERT, "g", columns, {{i64(1), i64(1), i64(2)}, {i64(2), i64(2), null()}}));
    CHECK_FALSE(target.write(CDCRT_WRITE_UPSERT, "g", columns, {{i64(1), i64(5), i64(10)}}));
    CHECK_FALSE(target.write(CDCRT_WRITE_APPEND, "g", columns, {{i64(3), i64(3), i64(6)}}));
    CHECK_FALSE(target.write(CDCRT_WRITE_REPLACE, "g", columns, {{i64(2), i64(7), i64(14)}}));
    CHECK_FALSE(target.write(CDCRT_WRITE_PATCH, "g", columns, {{i64(3), i64(4), i64(8)}}));
    CHECK_FALSE(target.write(CDCRT_WRITE_PATCH, "g", {columns[0], columns[2]}, {{i64(3), i64(8)}, {i64(9), i64(8)}}));
    CHECK(target.missing == std::vector<uint64_t>{1});
    CHECK(target.read("g", columns) == Rows{"i64:1|i64:5|i64:10", "i64:2|i64:7|i64:14", "i64:3|i64:4|i64:8"});
    CHECK_FALSE(target.write(CDCRT_WRITE_REMOVE, "g", columns, {{i64(3), i64(4), i64(8)}}));
    CHECK(target.read("g", columns).size() == 2);
  });
}

TEST_CASE("odbc: an identity column that always generates takes the values of the source") {
  Target target(postgresql_options());
  by_tool(empty(target), "CREATE TABLE i (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text);");
  const std::vector<cdcrt_column> columns = {kId, column("v", CDCRT_TYPE_STRING)};
  for (const char* value : {"a", "b"}) CHECK_FALSE(target.write(CDCRT_WRITE_UPSERT, "i", columns, {{i64(7), str(value)}}));
  CHECK_FALSE(target.write(CDCRT_WRITE_APPEND, "i", columns, {{i64(8), str("c")}}));
  CHECK(target.read("i", columns) == Rows{"i64:7|string:b", "i64:8|string:c"});
  by_tool(target, "CREATE TABLE j (id bigint PRIMARY KEY, n bigint GENERATED ALWAYS AS IDENTITY);");
  const Failure refused = target.write(CDCRT_WRITE_UPSERT, "j", {kId, column("n", CDCRT_TYPE_INT64)}, {{i64(1), i64(5)}});
  CHECK(refused.code == CDCRT_UNSUPPORTED);
  CHECK(mentions(refused.hint, "exclude"));
}

TEST_CASE("odbc: what a column of postgresql would change is refused by name, cut or made NULL") {
  Target target(postgresql_options());
  by_tool(empty(target), "CREATE TABLE n (id bigint PRIMARY KEY, v numeric(10,2), t timestamp(0), c varchar(3));");
  const cdcrt_column value = column("v", CDCRT_TYPE_DECIMAL), moments = column("t", CDCRT_TYPE_TIMESTAMP),
                     letters = column("c", CDCRT_TYPE_STRING);
  const Failure refused = target.write(CDCRT_WRITE_UPSERT, "n", {kId, value}, {{i64(1), text(CDCRT_DECIMAL, "1.255")}});
  CHECK(refused.code == CDCRT_BAD_RECORD);
  CHECK(mentions(refused.message, "\"v\""));
  CHECK(mentions(refused.message, "1.255"));
  CHECK(target.write(CDCRT_WRITE_UPSERT, "n", {kId, moments}, {{i64(1), moment(CDCRT_TIMESTAMP, 1)}}).code == CDCRT_BAD_RECORD);
  CHECK(target.write(CDCRT_WRITE_UPSERT, "n", {kId, letters}, {{i64(1), str("abc ")}}).code == CDCRT_BAD_RECORD);
  CHECK(target.read("n", {kId}).empty());
  CHECK_FALSE(target.write(
      CDCRT_WRITE_UPSERT, "n",
      {kId, flagged(value, CDCRT_COLUMN_MAY_NULL), flagged(moments, CDCRT_COLUMN_MAY_CUT), flagged(letters, CDCRT_COLUMN_MAY_CUT)},
      {{i64(1), text(CDCRT_DECIMAL, "1.255"), moment(CDCRT_TIMESTAMP, 1'999'999), str("äöüß")}}));
  CHECK(target.read("n", {kId, value, moments, letters}) ==
        Rows{"i64:1|null|" + shown(moment(CDCRT_TIMESTAMP, 1'000'000)) + "|string:äöü"});
}

TEST_CASE("odbc: domains over domains, and arrays of domains, change no value without a word") {
  Target target(postgresql_options());
  by_tool(empty(target),
          "CREATE DOMAIN n AS numeric(5,2); CREATE DOMAIN nn AS n; CREATE DOMAIN a AS nn[]; CREATE DOMAIN j AS json;"
          "CREATE TABLE d (id bigint PRIMARY KEY, v nn, w n[], x a, i interval hour); CREATE TABLE k (v j, w json[]);");
  cdcrt_column numbers = column("w", CDCRT_TYPE_ARRAY), others = column("x", CDCRT_TYPE_ARRAY);
  numbers.type.element = others.type.element = CDCRT_TYPE_DECIMAL;
  const cdcrt_column value = column("v", CDCRT_TYPE_DECIMAL), hours = column("i", CDCRT_TYPE_INTERVAL);
  CHECK(target.write(CDCRT_WRITE_UPSERT, "d", {kId, value}, {{i64(1), text(CDCRT_DECIMAL, "1.255")}}).code == CDCRT_BAD_RECORD);
  for (const cdcrt_column& each : {numbers, others})
    CHECK(target.write(CDCRT_WRITE_UPSERT, "d", {kId, each}, {{i64(1), text(CDCRT_ARRAY, "[1.255]")}}).code == CDCRT_BAD_RECORD);
  CHECK(target.write(CDCRT_WRITE_UPSERT, "d", {kId, hours}, {{i64(1), text(CDCRT_INTERVAL, "PT3H4M")}}).code == CDCRT_BAD_RECORD);
  CHECK(target.read("d", {kId}).empty());
  CHECK_FALSE(target.write(
      CDCRT_WRITE_UPSERT, "d", {kId, value, numbers, others, hours},
      {{i64(1), text(CDCRT_DECIMAL, "1.25"), text(CDCRT_ARRAY, "[1.25,null]"), text(CDCRT_ARRAY, "[]"), text(CDCRT_INTERVAL, "P1DT3H")}}));
  CHECK(by_tool(target, "SELECT * FROM d;") == "1|1.25|{1.25,NULL}|{}|1 day 03:00:00\n");
  // Without a key rows are found by their values, which json does not compare.
  const std::vector<cdcrt_column> keyless = {column("v", CDCRT_TYPE_JSON), column("w", CDCRT_TYPE_ARRAY)};
  CHECK_FALSE(target.write(CDCRT_WRITE_APPEND, "k", keyless, {{text(CDCRT_JSON, "{\"a\":1}"), text(CDCRT_ARRAY, "[1]")}}));
  CHECK_FALSE(target.write(CDCRT_WRITE_REMOVE, "k", keyless, {{text(CDCRT_JSON, "{\"a\":1}"), text(CDCRT_ARRAY, "[1]")}}));
  CHECK(by_tool(target, "SELECT count(*) FROM k;") == "0\n");
}

TEST_CASE("odbc: postgresql keeps the microseconds of a length of centuries") {
  Target target(postgresql_options());
  by_tool(empty(target), "CREATE TABLE l (id bigint PRIMARY KEY, v interval);");
  const std::vector<cdcrt_column> columns = {kId, column("v", CDCRT_TYPE_INTERVAL)};
  CHECK_FALSE(target.write(CDCRT_WRITE_UPSERT, "l", columns,
                           {{i64(1), text(CDCRT_INTERVAL, "PT9223372036854.775807S")},
                            {i64(2), text(CDCRT_INTERVAL, "PT-9223372036854.775807S")},
                            {i64(3), text(CDCRT_INTERVAL, "P1DT2147483647.000001S")},
                            {i64(4), text(CDCRT_INTERVAL, "PT1H2147483647.5S")}}));
  CHECK(by_tool(target, "SELECT v FROM l ORDER BY id;") ==
        "2562047788:00:54.775807\n-2562047788:00:54.775807\n1 day 596523:14:07.000001\n596524:14:07.5\n");
}

TEST_CASE("odbc: values reach postgresql's own types as their own texts") {
  Target target(postgresql_options());
  by_tool(empty(target),
          "CREATE EXTENSION IF NOT EXISTS hstore; CREATE TABLE o (id bigint PRIMARY KEY, b bit(1), m money, p point, h hstore);");
  const std::vector<cdcrt_column> columns = {kId, column("b", CDCRT_TYPE_BOOL), column("m", CDCRT_TYPE_DECIMAL),
                                             column("p", CDCRT_TYPE_JSON), column("h", CDCRT_TYPE_JSON)};
  CHECK_FALSE(target.write(CDCRT_WRITE_UPSERT, "o", columns,
                           {{i64(1), boolean(true), text(CDCRT_DECIMAL, "-1234.50"), text(CDCRT_JSON, R"({"x": 1.5, "y":-2e1,"wkb":null})"),
                             text(CDCRT_JSON, R"({"k\"":"v\\ \u00e9\ud83d\ude00","n":null,"i":5})")}}));
  CHECK(by_tool(target, "SELECT b, m::numeric, p, h -> 'k\"', (h -> 'n') IS NULL, h -> 'i' FROM o;") ==
        "1|-1234.50|(1.5,-20)|v\\ é😀|t|5\n");
  CHECK(target.write(CDCRT_WRITE_UPSERT, "o", columns, {{i64(2), null(), text(CDCRT_DECIMAL, "0.005"), null(), null()}}).code ==
        CDCRT_BAD_RECORD);
}

TEST_CASE("odbc: a value that the server refuses is told with its column") {
  Target target(postgresql_options());
  by_tool(empty(target), "CREATE TABLE r (id bigint PRIMARY KEY, a inet, b inet);");
  const Failure failure = target.write(CDCRT_WRITE_UPSERT, "r", {kId, column("a", CDCRT_TYPE_STRING), column("b", CDCRT_TYPE_STRING)},
                                       {{i64(1), str("10.0.0.1"), str("nowhere")}});
  CHECK(failure.code == CDCRT_BAD_RECORD);
  CHECK(mentions(failure.message, "column \"b\""));
  CHECK(mentions(failure.message, "nowhere"));
  CHECK_FALSE(mentions(failure.message, "\n"));
}

TEST_CASE("odbc: triggers and constraints refuse rows, foreign keys wait for their rows") {
  Target target(postgresql_options());
  by_tool(
      empty(target),
      "CREATE TABLE p (id bigint PRIMARY KEY); CREATE TABLE c (id bigint PRIMARY KEY, p bigint REFERENCES p(id)); CREATE TABLE t (id bigint PRIMARY KEY);"
      "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = 'U0001'; END $$;"
      "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();");
  CHECK(target.write(CDCRT_WRITE_UPSERT, "t", {kId}, {{i64(1)}}).code == CDCRT_BAD_RECORD);
  const Failure waits = target.write(CDCRT_WRITE_UPSERT, "c", {kId, column("p", CDCRT_TYPE_INT64)}, {{i64(1), i64(2)}});
  CHECK(waits.code == CDCRT_UNSUPPORTED);
  CHECK(mentions(waits.hint, "tried again"));
}

TEST_CASE("odbc: sqlite's columns of numbers keep texts as they are or refuse them by name") {
  each_target([](Target& target) {
    if (!target.is_sqlite()) return;
    by_tool(target, "CREATE TABLE a (id INTEGER PRIMARY KEY, n NUMERIC, t TEXT);");
    const cdcrt_column word = column("n", CDCRT_TYPE_STRING), number = column("t", CDCRT_TYPE_FLOAT64);
    const Failure failure = target.write(CDCRT_WRITE_UPSERT, "a", {kId, word}, {{i64(1), str("007")}});
    CHECK(failure.code == CDCRT_BAD_RECORD);
    CHECK(mentions(failure.message, "\"n\""));
    CHECK_FALSE(target.write(CDCRT_WRITE_UPSERT, "a", {kId, flagged(word, CDCRT_COLUMN_MAY_NULL)}, {{i64(2), str("007")}}));
    CHECK_FALSE(target.write(CDCRT_WRITE_UPSERT, "a", {kId, word, number},
                             {{i64(3), str("7"), f64(0.12345678901234567)}, {i64(4), str("x"), null()}}));
    CHECK(by_tool(target, "SELECT id, n, t FROM a;") == "2||\n3|7|0.12345678901234566\n4|x|\n");
  });
}

TEST_CASE("odbc: sqlite says that it does not tell case apart") {
  // Told through the description, also of a table that is not there.
  each_target([](Target& target) {
    by_tool(target, "CREATE TABLE \"Mixed\" (\"Id\" bigint PRIMARY KEY);");
    CHECK(target.describe("Mixed").folds == target.is_sqlite());
    CHECK(target.describe("nothing").folds == target.is_sqlite());
  });
}

TEST_CASE("odbc: psqlODBC leaves no log behind") {
  const auto logs = [] {
    std::size_t count = 0;
    for (const auto& file : std::filesystem::directory_iterator("/tmp")) {
      const std::string name = file.path().filename();
      count += name.find("psqlodbc_") == 0 && mentions(name, (std::to_string(::getpid()) + ".log").c_str()) ? 1 : 0;
    }
    return count;
  };
  { Target target(postgresql_options()); }
  { Target target(postgresql_options("PostgreSQL ANSI")); }
  CHECK(logs() == 0);
}
