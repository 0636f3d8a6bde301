#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "conversion.hpp"
#include "sql/cell.hpp"
#include "sql/postgresql_array.hpp"
#include "sql/type_mapping.hpp"
#include "sqlite_value.hpp"

using namespace cdcrt;

namespace {

cdcrt_cell cell(cdcrt_tag tag, std::string_view text) { return sql::text_cell(tag, text); }
cdcrt_cell cell(cdcrt_tag tag, int64_t value) { return sql::integer_cell(tag, value); }
cdcrt_cell real(double value) { return sql::real_cell(value); }
cdcrt_column column(uint8_t kind, uint32_t length = 0, int16_t scale = 0) {
  cdcrt_column made{};
  made.name = sdk::borrow("c");
  made.type = sql::make_type(kind, length, scale);
  return made;
}

std::string array(const std::vector<cdcrt_cell>& cells, uint8_t kind) {
  sql::PostgresqlArray made;
  for (const auto& each : cells) REQUIRE(made.add(each, column(kind)));
  return made.finish();
}

std::string converted(const sql::SqliteValue& from, cdcrt_type type, const cdcrt_column& to) {
  sql::SqliteValue out;
  const auto status = sql::convert_stored(from, type, to, out);
  if (!status) return "refused";
  std::string text;
  static_cast<void>(sql::append_sqlite_literal(text, out, to));
  return text;
}

sql::SqliteValue text_value(std::string_view text) {
  sql::SqliteValue value;
  value.storage = sql::SqliteClass::kText;
  value.bytes = text;
  return value;
}

}  // namespace

TEST_CASE("array: elements are escaped exactly, NULL is not \"NULL\" and empty is not NULL") {
  CHECK(array({}, CDCRT_TYPE_STRING) == "{}");
  CHECK(array({cell(CDCRT_STRING, "a\"b\\c"), cell(CDCRT_NULL, int64_t{0}), cell(CDCRT_STRING, "NULL"), cell(CDCRT_STRING, ""),
               cell(CDCRT_STRING, "{,}")},
              CDCRT_TYPE_STRING) == "{\"a\\\"b\\\\c\",NULL,\"NULL\",\"\",\"{,}\"}");
  CHECK(array({cell(CDCRT_BYTES, std::string_view("\0\xFFz", 3))}, CDCRT_TYPE_BYTES) == "{\"\\\\x00ff7a\"}");
  CHECK(array({real(std::nan("")), real(INFINITY), real(-INFINITY), real(0.1)}, CDCRT_TYPE_FLOAT64) == "{NaN,Infinity,-Infinity,0.1}");
  CHECK(array({cell(CDCRT_DATE, INT64_MAX), cell(CDCRT_DATE, INT64_MIN), cell(CDCRT_DATE, -735'000)}, CDCRT_TYPE_DATE) ==
        "{\"infinity\",\"-infinity\",\"0044-08-22 BC\"}");
  CHECK(array({cell(CDCRT_BOOL, 1)}, CDCRT_TYPE_INT32) == "{1}");
  CHECK(array({cell(CDCRT_BOOL, 1)}, CDCRT_TYPE_STRING) == "{true}");
}

TEST_CASE("array: a NUL character is a bad record that names the column") {
  sql::PostgresqlArray made;
  const auto status = made.add(cell(CDCRT_STRING, std::string_view("a\0", 2)), column(CDCRT_TYPE_STRING));
  CHECK(status.code() == CDCRT_BAD_RECORD);
  CHECK(status.message().find("\"c\"") != std::string_view::npos);
}

TEST_CASE("sqlite values: what affinity would change is refused") {
  sql::SqliteValue out;
  for (const char* text : {"1.5", "abc", "", "007", "+1", "9223372036854775808", "-0", "1e3"}) {
    CAPTURE(text);
    CHECK(sql::to_sqlite(cell(CDCRT_STRING, text), column(CDCRT_TYPE_INT64), out).code() == CDCRT_BAD_RECORD);
  }
  REQUIRE(sql::to_sqlite(cell(CDCRT_STRING, "-9223372036854775808"), column(CDCRT_TYPE_INT64), out));
  CHECK(out.integer == INT64_MIN);
  CHECK(sql::to_sqlite(cell(CDCRT_I64, 9007199254740993), column(CDCRT_TYPE_FLOAT64), out).code() == CDCRT_BAD_RECORD);
  CHECK(sql::to_sqlite(cell(CDCRT_I64, INT64_MAX), column(CDCRT_TYPE_FLOAT64), out).code() == CDCRT_BAD_RECORD);
  CHECK(sql::to_sqlite(cell(CDCRT_DECIMAL, "0.12345678901234567890"), column(CDCRT_TYPE_FLOAT64), out).code() == CDCRT_BAD_RECORD);
  REQUIRE(sql::to_sqlite(real(0.1), column(CDCRT_TYPE_STRING), out));
  CHECK(out.storage == sql::SqliteClass::kText);
  CHECK(out.bytes == "0.1");
}

TEST_CASE("sqlite values: the exact form is read back, and anything else is not") {
  sql::SqliteValue out;
  REQUIRE(sql::parse_exact("i-9223372036854775808", out));
  CHECK(out.integer == INT64_MIN);
  REQUIRE(sql::parse_exact("r1.00000000000000005551e-01", out));
  CHECK(out.real == 0.1);
  REQUIRE(sql::parse_exact("h610062", out));
  CHECK(out.bytes == std::string_view("a\0b", 3));
  CHECK(out.storage == sql::SqliteClass::kText);
  REQUIRE(sql::parse_exact("t", out));
  CHECK(out.bytes.empty());
  for (const char* text : {"", "x", "i", "i1x", "b1"}) CHECK_FALSE(sql::parse_exact(text, out));
}

TEST_CASE("conversion: stored values take their new type digit for digit") {
  sql::SqliteValue value;
  value.storage = sql::SqliteClass::kInteger;
  value.integer = INT64_MAX;
  CHECK(converted(value, sql::make_type(CDCRT_TYPE_INT64), column(CDCRT_TYPE_STRING)) == "'9223372036854775807'");
  CHECK(converted(value, sql::make_type(CDCRT_TYPE_INT64), column(CDCRT_TYPE_DECIMAL, 20, 1)) == "'9223372036854775807.0'");
  CHECK(converted(value, sql::make_type(CDCRT_TYPE_INT64), column(CDCRT_TYPE_FLOAT64)) == "refused");
  value.integer = 0;
  CHECK(converted(value, sql::make_type(CDCRT_TYPE_BOOL), column(CDCRT_TYPE_STRING)) == "'false'");
  CHECK(converted(text_value("12.50"), sql::make_type(CDCRT_TYPE_DECIMAL, 6, 2), column(CDCRT_TYPE_DECIMAL, 6, 1)) == "'12.5'");
  CHECK(converted(text_value("12.55"), sql::make_type(CDCRT_TYPE_DECIMAL, 6, 2), column(CDCRT_TYPE_DECIMAL, 6, 1)) == "refused");
  CHECK(converted(text_value("infinity"), sql::make_type(CDCRT_TYPE_DATE), column(CDCRT_TYPE_TIMESTAMPTZ)) == "'infinity'");
  CHECK(converted(text_value("-0043-03-15"), sql::make_type(CDCRT_TYPE_DATE), column(CDCRT_TYPE_TIMESTAMP)) == "'-0043-03-15T00:00:00'");
  CHECK(converted(text_value("abc"), sql::make_type(CDCRT_TYPE_STRING), column(CDCRT_TYPE_INT32)) == "refused");
  value.storage = sql::SqliteClass::kReal;
  value.real = 1e22;
  CHECK(converted(value, sql::make_type(CDCRT_TYPE_FLOAT64), column(CDCRT_TYPE_DECIMAL, 30, 1)) == "'10000000000000000000000.0'");
  value.real = 0.1;
  CHECK(converted(value, sql::make_type(CDCRT_TYPE_FLOAT32), column(CDCRT_TYPE_FLOAT64)) == "0.10000000149011612");
  value.storage = sql::SqliteClass::kNull;
  CHECK(converted(value, sql::make_type(CDCRT_TYPE_FLOAT32), column(CDCRT_TYPE_STRING)) == "NULL");
}
