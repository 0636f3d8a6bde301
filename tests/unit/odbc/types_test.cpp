#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "target.hpp"

namespace {

using Rows = std::vector<std::string>;
constexpr int64_t kMax = INT64_MAX;
constexpr int64_t kMin = INT64_MIN;

struct Value {
  const char* name;
  cdcrt_column column;
  std::vector<cdcrt_cell> cells;
};

const std::string kLong = [] {
  std::string made;
  for (int i = 0; made.size() < 1'000'000; ++i) made += "line " + std::to_string(i) + " \xC3\xA9\xF0\x9F\x98\x80\\\"'\r\n";
  return made;
}();
const std::string kAllBytes = [] {
  std::string made;
  for (int round = 0; round < 300; ++round) {
    for (int i = 0; i < 256; ++i) made += static_cast<char>(i);
  }
  return made;
}();
const std::string kManyDigits = "-" + std::string(300, '9') + "." + std::string(90, '1');

std::vector<Value> values() {
  const double infinity = std::numeric_limits<double>::infinity();
  const auto decimal = [](std::string_view digits) { return text(CDCRT_DECIMAL, digits); };
  return {
      {"bool", column("v", CDCRT_TYPE_BOOL), {boolean(true), boolean(false), null()}},
      {"int8", column("v", CDCRT_TYPE_INT8), {i64(-128), i64(127)}},
      {"int16", column("v", CDCRT_TYPE_INT16), {i64(-32768), i64(32767)}},
      {"int32", column("v", CDCRT_TYPE_INT32), {i64(INT32_MIN), i64(INT32_MAX)}},
      {"int64", column("v", CDCRT_TYPE_INT64), {i64(kMin), i64(kMax), i64(0), i64(9007199254740993)}},
      {"uint64", column("v", CDCRT_TYPE_UINT64), {u64(UINT64_MAX), u64(0), u64(9223372036854775808ULL)}},
      {"float32", column("v", CDCRT_TYPE_FLOAT32), {f64(0.5), f64(-infinity), f64(infinity), f64(std::nan("")), f64(16777216)}},
      {"float64",
       column("v", CDCRT_TYPE_FLOAT64),
       {f64(0.1), f64(0.1 + 0.2), f64(5e-324), f64(1.7976931348623157e308), f64(2.2250738585072014e-308), f64(-1.0 / 3), f64(infinity),
        f64(-infinity), f64(std::nan("")), f64(1e22), f64(9007199254740993.0), f64(123456789.123456789)}},
      {"decimal",
       column("v", CDCRT_TYPE_DECIMAL, 0, 38, 10),
       {decimal("9999999999999999999999999999.9999999999"), decimal("-0.0000000001"), decimal("0.0000000000")}},
      {"decimal unbounded",
       column("v", CDCRT_TYPE_DECIMAL),
       {decimal(kManyDigits), decimal("NaN"), decimal("Infinity"), decimal("-Infinity"), decimal("1.500")}},
      {"date",
       column("v", CDCRT_TYPE_DATE),
       {moment(CDCRT_DATE, 0), moment(CDCRT_DATE, -735'000), moment(CDCRT_DATE, 2'932'897), moment(CDCRT_DATE, kMax),
        moment(CDCRT_DATE, kMin)}},
      {"time",
       column("v", CDCRT_TYPE_TIME),
       {moment(CDCRT_TIME, 0), moment(CDCRT_TIME, 86'399'999'999), moment(CDCRT_TIME, 86'400'000'000)}},
      {"timestamp",
       column("v", CDCRT_TYPE_TIMESTAMP),
       {moment(CDCRT_TIMESTAMP, 1), moment(CDCRT_TIMESTAMP, -1), moment(CDCRT_TIMESTAMP, 1'704'088'800'000'006),
        moment(CDCRT_TIMESTAMP, -64'000'000'000'000'000), moment(CDCRT_TIMESTAMP, 253'402'300'800'000'000), moment(CDCRT_TIMESTAMP, kMax),
        moment(CDCRT_TIMESTAMP, kMin)}},
      {"timestamptz",
       column("v", CDCRT_TYPE_TIMESTAMPTZ),
       {moment(CDCRT_TIMESTAMPTZ, 1), moment(CDCRT_TIMESTAMPTZ, -64'000'000'000'000'001), moment(CDCRT_TIMESTAMPTZ, kMax),
        moment(CDCRT_TIMESTAMPTZ, kMin)}},
      {"string",
       column("v", CDCRT_TYPE_STRING),
       {str(""), null(), str("NULL"), str("null"), str("\\"), str("\"{},"), str(" lead and trail "),
        str("\xF0\x9F\x98\x80\xC3\xA9\xE6\xBC\xA2\xCC\x88"), str("a\r\nb\nc\td"), str("{fn now()} ? ?1 :x $1"), str(kLong),
        str("\xC2\x80\xEF\xBB\xBF")}},
      {"string(n)", column("v", CDCRT_TYPE_STRING, 0, 3), {str("\xF0\x9F\x98\x80\xF0\x9F\x98\x80\xF0\x9F\x98\x80"), str("ab "), str("")}},
      {"bytes",
       column("v", CDCRT_TYPE_BYTES),
       {text(CDCRT_BYTES, ""), text(CDCRT_BYTES, std::string_view("\0", 1)), text(CDCRT_BYTES, std::string_view("a\0b\\x\xFF", 7)),
        text(CDCRT_BYTES, kAllBytes), null()}},
      {"json", column("v", CDCRT_TYPE_JSON), {text(CDCRT_JSON, "{\"b\": 1.50,  \"a\":[null,\"\\u0041\\\"\"]}"), text(CDCRT_JSON, "null")}},
      {"array", column("v", CDCRT_TYPE_ARRAY), {text(CDCRT_ARRAY, "[1, [2,\"x\"],null]"), text(CDCRT_ARRAY, "[]")}},
      {"uuid",
       column("v", CDCRT_TYPE_UUID),
       {text(CDCRT_UUID, "00000000-0000-0000-0000-000000000000"), text(CDCRT_UUID, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")}},
      {"interval", column("v", CDCRT_TYPE_INTERVAL), {text(CDCRT_INTERVAL, "P1Y2M3DT4H5M6.5S"), text(CDCRT_INTERVAL, "PT-3.5S")}},
  };
}

void check_round_trip(Target& target, const Value& value) {
  CAPTURE(value.name);
  const std::vector<cdcrt_column> columns = {column("id", CDCRT_TYPE_INT64, 1), value.column};
  const std::string table = std::string("t ") + value.name;
  REQUIRE_FALSE(target.create(table, columns));
  std::vector<Row> rows;
  for (std::size_t i = 0; i < value.cells.size(); ++i) rows.push_back({i64(static_cast<int64_t>(i)), value.cells[i]});
  const Failure failure = target.write(CDCRT_WRITE_UPSERT, table, columns, rows);
  CHECK_MESSAGE(!failure, failure.message);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Rows found = target.read(table, columns, {{rows[i][0]}});
    REQUIRE_MESSAGE(found.size() == 1, target.last_read.message);
    const std::string expected = shown(rows[i][0]) + "|" + shown(rows[i][1]);
    const bool same = found[0] == expected;  // not compared in place: doctest would print a megabyte
    CHECK_MESSAGE(same, value.name << " row " << i << ": " << found[0].substr(0, 200) << " is not " << expected.substr(0, 200));
  }
  // And what was written is what a search by value finds, one copy at a time.
  const Failure removal = target.write(CDCRT_WRITE_REMOVE, table, columns, rows);
  CHECK_MESSAGE(!removal, removal.message);
  CHECK(target.missing.empty());
  CHECK(target.read(table, columns).empty());
}

}  // namespace

TEST_CASE("odbc: every logical type comes back exact, extremes included") {
  each_target([](Target& target) {
    for (const Value& value : values()) check_round_trip(target, value);
  });
}

TEST_CASE("odbc: a described column has the logical type it was made from") {
  each_target([](Target& target) {
    for (const Value& value : values()) {
      CAPTURE(value.name);
      REQUIRE_FALSE(target.create(std::string("t ") + value.name, {value.column}));
      const auto described = target.describe(std::string("t ") + value.name);
      const cdcrt_type found = described.find("v")->type;
      CAPTURE(described.find("v")->raw);
      cdcrt_type expected = value.column.type;
      if (!target.is_sqlite()) {  // what PostgreSQL has no type for is the nearest one that holds it
        if (expected.kind == CDCRT_TYPE_INT8) expected.kind = CDCRT_TYPE_INT16;
        if (expected.kind == CDCRT_TYPE_UINT64) expected.kind = CDCRT_TYPE_DECIMAL, expected.length = 20;
        if (expected.kind == CDCRT_TYPE_ARRAY) expected.kind = CDCRT_TYPE_JSON;
      }
      CHECK(found.kind == expected.kind);
      CHECK(found.length == expected.length);
      CHECK(found.scale == expected.scale);
    }
  });
}

TEST_CASE("odbc: timetz keeps its text in sqlite and its moment in postgresql") {
  each_target([](Target& target) {
    const cdcrt_column zoned = column("v", CDCRT_TYPE_TIMETZ);
    REQUIRE_FALSE(target.create("t", {zoned}));
    REQUIRE_FALSE(target.write(CDCRT_WRITE_APPEND, "t", {zoned}, {{str("12:34:56.789Z")}}));
    CHECK(target.read("t", {zoned}) == Rows{target.is_sqlite() ? "string:12:34:56.789Z" : "string:12:34:56.789+00"});
  });
}

TEST_CASE("odbc: sqlite stores what its shell shows as the documented text") {
  each_target([](Target& target) {
    if (!target.is_sqlite()) return;
    const std::vector<cdcrt_column> columns = {column("ts", CDCRT_TYPE_TIMESTAMP), column("tz", CDCRT_TYPE_TIMESTAMPTZ),
                                               column("d", CDCRT_TYPE_DECIMAL, 0, 12, 2), column("u", CDCRT_TYPE_UINT64),
                                               column("n", CDCRT_TYPE_FLOAT64)};
    REQUIRE_FALSE(target.create("t", columns));
    REQUIRE_FALSE(target.write(CDCRT_WRITE_APPEND, "t", columns,
                               {{moment(CDCRT_TIMESTAMP, 1'704'088'800'000'006), moment(CDCRT_TIMESTAMPTZ, 0), text(CDCRT_DECIMAL, "10.00"),
                                 u64(UINT64_MAX), f64(std::nan(""))}}));
    CHECK(by_tool(target, "select ts, tz, d, u, n, typeof(d), typeof(u) from t;") ==
          "2024-01-01T06:00:00.000006|1970-01-01T00:00:00+00:00|10.00|18446744073709551615|NaN|text|text\n");
  });
}

TEST_CASE("odbc: any tag into any type is stored exactly or refused as a bad record") {
  const std::vector<cdcrt_cell> cells = {boolean(true),
                                         i64(-5),
                                         u64(UINT64_MAX),
                                         f64(1.5),
                                         f64(1e300),
                                         text(CDCRT_DECIMAL, "12345678901234567890.5"),
                                         moment(CDCRT_DATE, 1),
                                         moment(CDCRT_TIME, 1),
                                         moment(CDCRT_TIMESTAMP, 1),
                                         moment(CDCRT_TIMESTAMPTZ, 1),
                                         str("abc"),
                                         str("0123"),
                                         text(CDCRT_BYTES, "\x01\xFF"),
                                         text(CDCRT_JSON, "[1]"),
                                         text(CDCRT_UUID, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
                                         text(CDCRT_ARRAY, "[1]"),
                                         text(CDCRT_INTERVAL, "P1D")};
  each_target([&](Target& target) {
    for (const Value& value : values()) {
      const std::vector<cdcrt_column> columns = {value.column};
      const std::string table = std::string("t ") + value.name;
      REQUIRE_FALSE(target.create(table, columns));
      for (const cdcrt_cell& cell : cells) {
        CAPTURE(value.name);
        CAPTURE(shown(cell));
        const Failure failure = target.write(CDCRT_WRITE_APPEND, table, columns, {{cell}});
        CHECK_MESSAGE((failure.code == CDCRT_OK || failure.code == CDCRT_BAD_RECORD), failure.message << " " << failure.sqlstate);
        if (value.column.type.kind == CDCRT_TYPE_STRING && value.column.type.length == 0) CHECK(failure.code == CDCRT_OK);
      }
    }
    const cdcrt_column integer = column("v", CDCRT_TYPE_INT64);
    REQUIRE_FALSE(target.create("i", {integer}));
    CHECK(target.write(CDCRT_WRITE_APPEND, "i", {integer}, {{u64(UINT64_MAX)}}).code == CDCRT_BAD_RECORD);
    CHECK(target.write(CDCRT_WRITE_APPEND, "i", {integer}, {{text(CDCRT_DECIMAL, "123456789012345678901")}}).code == CDCRT_BAD_RECORD);
    CHECK(target.write(CDCRT_WRITE_APPEND, "i", {integer}, {{str("abc")}}).code == CDCRT_BAD_RECORD);
    CHECK(target.read("i", {integer}).empty());
  });
}

TEST_CASE("odbc: values that postgresql cannot hold are bad records that name the column or say why") {
  Target target(postgresql_options());
  by_tool(target, "DROP SCHEMA public CASCADE; CREATE SCHEMA public;");
  const std::vector<cdcrt_column> columns = {column("s", CDCRT_TYPE_STRING), column("t", CDCRT_TYPE_TIME),
                                             column("c", CDCRT_TYPE_STRING, 0, 2)};
  REQUIRE_FALSE(target.create("t", columns));
  const Failure nul = target.write(CDCRT_WRITE_APPEND, "t", columns, {{str(std::string_view("a\0b", 3)), null(), null()}});
  CHECK(nul.code == CDCRT_BAD_RECORD);
  CHECK(nul.message.find("\"s\"") != std::string::npos);
  CHECK(target.write(CDCRT_WRITE_APPEND, "t", columns, {{null(), moment(CDCRT_TIME, -1), null()}}).code == CDCRT_BAD_RECORD);
  CHECK(target.write(CDCRT_WRITE_APPEND, "t", columns, {{null(), null(), str("abc")}}).code == CDCRT_BAD_RECORD);
  CHECK(target.write(CDCRT_WRITE_APPEND, "t", columns, {{str("\xFF"), null(), null()}}).code == CDCRT_BAD_RECORD);
  CHECK(target.read("t", columns).empty());
}

TEST_CASE("odbc: sqlite keeps NUL characters in text") {
  each_target([](Target& target) {
    if (!target.is_sqlite()) return;
    const cdcrt_column value = column("v", CDCRT_TYPE_STRING);
    REQUIRE_FALSE(target.create("t", {value}));
    const std::string held("a\0b\0", 4);
    REQUIRE_FALSE(target.write(CDCRT_WRITE_APPEND, "t", {value}, {{str(held)}}));
    CHECK(target.read("t", {value}) == Rows{"string:" + held});
  });
}
