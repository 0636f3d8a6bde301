// What a column would change without a word.
#include <doctest/doctest.h>

#include <limits>
#include <string>

#include "cdcrt/sdk/calendar.hpp"
#include "sql/cell.hpp"
#include "sql/cell_text.hpp"
#include "sql/postgresql_limit.hpp"
#include "sqlite_affinity.hpp"

using namespace cdcrt;
using sql::SqliteAffinity;

namespace {

cdcrt_cell text(std::string_view value, cdcrt_tag tag = CDCRT_STRING) { return sql::text_cell(tag, value); }
cdcrt_cell decimal(std::string_view value) { return text(value, CDCRT_DECIMAL); }
cdcrt_cell integer(int64_t value, cdcrt_tag tag = CDCRT_I64) { return sql::integer_cell(tag, value); }
cdcrt_cell real(double value) { return sql::real_cell(value); }
bool keeps(std::string_view type, const cdcrt_cell& cell) { return sql::keeps(sql::limit_of(type, 2), cell); }

std::string cut(std::string_view type, cdcrt_cell cell) {
  if (!sql::cut_to(sql::limit_of(type, 2), cell)) return "(none)";
  std::string shown;
  sql::append_cell_text(shown, cell, sdk::TextStyle::kIso8601);
  return shown;
}

/// What a column of that declared type would store of a text or number; "(changed)": something else.
std::string stored(std::string_view declared, const cdcrt_cell& cell, sql::SqliteValue value) {
  if (!sql::keep_exact(sql::sqlite_affinity(declared), cell, value)) return "(changed)";
  switch (value.storage) {
    case sql::SqliteClass::kInteger: return "i" + std::to_string(value.integer);
    case sql::SqliteClass::kReal: {
      std::string shown = "r";
      sql::append_double(shown, value.real);
      return shown;
    }
    default: return "t" + std::string(value.bytes);
  }
}

std::string stored_text(std::string_view declared, const cdcrt_cell& cell) {
  sql::SqliteValue value;
  value.storage = sql::SqliteClass::kText;
  value.bytes = sql::bytes_of(cell);
  return stored(declared, cell, value);
}

}  // namespace

TEST_CASE("limits: numbers that a column would round are told") {
  CHECK(keeps("numeric(10,2)", decimal("1.25")));
  CHECK(keeps("numeric(10,2)", decimal("1.2500")));
  CHECK_FALSE(keeps("numeric(10,2)", decimal("1.255")));
  CHECK_FALSE(keeps("numeric(10,2)", real(0.125)));
  CHECK(keeps("numeric(10,2)", real(0.25)));
  CHECK(keeps("numeric(10,2)", decimal("NaN")));
  CHECK(keeps("numeric", decimal("1.2555555555")));
  CHECK(keeps("numeric(10,-2)", integer(1200)));
  CHECK_FALSE(keeps("numeric(10,-2)", integer(1250)));
  for (const char* zero : {"0", "-0", "0.00", "0e5"}) CHECK(keeps("numeric(3,-2)", decimal(zero)));
  CHECK(keeps("numeric(3,-2)", integer(0)));
  CHECK(keeps("numeric(3,-2)", real(0.0)));
  CHECK(keeps("money", decimal("1234.5")));
  CHECK_FALSE(keeps("money", decimal("1234.505")));
  CHECK(keeps("real", real(static_cast<double>(0.1F))));
  CHECK(keeps("real", real(0.1)));
  CHECK_FALSE(keeps("real", real(0.1234567890123)));
  CHECK_FALSE(keeps("real", integer(16777217)));
  CHECK(keeps("real", integer(16777216)));
  CHECK(keeps("real", real(std::numeric_limits<double>::infinity())));
  CHECK_FALSE(keeps("double precision", integer(9007199254740993)));
  CHECK(keeps("double precision", integer(9007199254740992)));
  CHECK(keeps("double precision", decimal("0.1")));
  CHECK_FALSE(keeps("double precision", decimal("0.12345678901234567")));
  CHECK_FALSE(keeps("oid", integer(-1)));
  CHECK(keeps("integer", integer(INT64_MAX)));  // refused by the server itself
}

TEST_CASE("limits: texts that a column would cut without a word are told") {
  CHECK(keeps("character varying(3)", text("abc")));
  CHECK_FALSE(keeps("character varying(3)", text("ab  ")));
  CHECK_FALSE(keeps("character varying(3)", text("abcd")));
  CHECK(keeps("character varying(3)", text("äöü")));
  CHECK(keeps("character(5)", text("ab")));
  CHECK(keeps("character(5)", text("ab        ")));
  CHECK_FALSE(keeps("character(5)", text("abcdef")));
  CHECK_FALSE(keeps("\"char\"", text("ab")));
  CHECK(keeps("\"char\"", text("a")));
  CHECK_FALSE(keeps("\"char\"", integer(10)));
  CHECK_FALSE(keeps("name", text(std::string(64, 'x'))));
  CHECK(cut("character varying(3)", text("äöüß")) == "äöü");
  CHECK(cut("name", text(std::string(63, 'x') + "ä")) == std::string(63, 'x'));
  CHECK(cut("numeric(10,2)", decimal("1.255")) == "(none)");
}

TEST_CASE("limits: fractions, times of day and parts of intervals that a column would drop are told") {
  CHECK_FALSE(keeps("timestamp(0) without time zone", integer(1'700'000'000'123'456, CDCRT_TIMESTAMP)));
  CHECK(keeps("timestamp(3) without time zone", integer(1'700'000'000'123'000, CDCRT_TIMESTAMP)));
  CHECK(keeps("timestamp without time zone", integer(1'700'000'000'123'456, CDCRT_TIMESTAMP)));
  CHECK_FALSE(keeps("timestamp(0) with time zone", integer(-1, CDCRT_TIMESTAMPTZ)));
  CHECK(keeps("timestamp(0) with time zone", integer(sdk::kInfinity, CDCRT_TIMESTAMPTZ)));
  CHECK_FALSE(keeps("time(0) without time zone", integer(3'600'123'456, CDCRT_TIME)));
  CHECK_FALSE(keeps("time without time zone", integer(-1'000'000, CDCRT_TIME)));
  CHECK_FALSE(keeps("time without time zone", integer(0, CDCRT_TIMESTAMP)));
  CHECK_FALSE(keeps("time(3) with time zone", text("12:34:56.7891Z")));
  CHECK(keeps("time(3) with time zone", text("12:34:56.7890Z")));
  CHECK_FALSE(keeps("date", integer(1, CDCRT_TIMESTAMP)));
  CHECK(keeps("date", integer(86'400'000'000, CDCRT_TIMESTAMP)));
  CHECK(keeps("interval", text("PT1.123456S", CDCRT_INTERVAL)));
  CHECK_FALSE(keeps("interval", text("PT1.1234567S", CDCRT_INTERVAL)));
  CHECK(keeps("interval", text("P1DT2H3M1.999998999S", CDCRT_INTERVAL)));  // 1.999999, once a double
  CHECK_FALSE(keeps("interval", text("PT1.999998998S", CDCRT_INTERVAL)));
  CHECK_FALSE(keeps("interval(0)", text("PT1.5S", CDCRT_INTERVAL)));
  CHECK_FALSE(keeps("interval year to month", text("P1Y2M3D", CDCRT_INTERVAL)));
  CHECK(keeps("interval year to month", text("P1Y2M0DT0S", CDCRT_INTERVAL)));
  CHECK_FALSE(keeps("interval day to minute", text("P1DT2H3M4S", CDCRT_INTERVAL)));
  CHECK(keeps("interval day to second", text("P1DT2H3M4S", CDCRT_INTERVAL)));
  CHECK_FALSE(keeps("interval hour", text("03:04:05")));
  CHECK(cut("timestamp(0) without time zone", integer(-1, CDCRT_TIMESTAMP)) == "1969-12-31T23:59:59");
}

TEST_CASE("limits: texts that a type reads as something else are told") {
  for (const char* type : {"xid", "cid"}) {
    CHECK(keeps(type, text("4294967295")));
    for (const char* value : {"", "x", "5.5", "-1", "4294967296", "2020-01-01"}) CHECK_FALSE(keeps(type, text(value)));
  }
  for (const char* type : {"bit(5)", "bit varying(5)", "bit varying"}) {
    CHECK(keeps(type, text("10100")));
    CHECK_FALSE(keeps(type, text("x1f")));
    CHECK_FALSE(keeps(type, text("B101")));
  }
}

TEST_CASE("sqlite: text that its column would turn into another number is told, and what stays the same is stored") {
  CHECK(stored_text("TEXT", text("007")) == "t007");
  CHECK(stored_text("INTEGER", text("007")) == "(changed)");
  CHECK(stored_text("INTEGER", text("7")) == "i7");
  CHECK(stored_text("INTEGER", text("seven")) == "tseven");
  CHECK(stored_text("INTEGER", text(" 7")) == "(changed)");
  CHECK(stored_text("NUMERIC", text("1e3")) == "(changed)");
  CHECK(stored_text("NUMERIC", text("1.0")) == "(changed)");
  CHECK(stored_text("REAL", text("1.0")) == "i1");
  CHECK(stored_text("REAL", text("7")) == "(changed)");
  CHECK(stored_text("NUMERIC", text("1.5")) == "r1.5");
  CHECK(stored_text("DATETIME", text("2024-01-01T00:00:00")) == "t2024-01-01T00:00:00");
  CHECK(stored_text("", text("007")) == "t007");
}

TEST_CASE("sqlite: decimals that a column of numbers would round are told") {
  CHECK(stored_text("DECIMAL(10,2)", decimal("1.50")) == "r1.5");
  CHECK(stored_text("DECIMAL(10,2)", decimal("7.00")) == "i7");
  CHECK(stored_text("DECIMAL(30,2)", decimal("12345678901234567890.12")) == "(changed)");
  CHECK(stored_text("NUMERIC", decimal("9223372036854775807")) == "i9223372036854775807");
  CHECK(stored_text("NUMERIC", decimal("9223372036854775808")) == "(changed)");
  CHECK(stored_text("DECIMAL_TEXT(30,2)", decimal("12345678901234567890.12")) == "t12345678901234567890.12");
  CHECK(stored_text("NUMERIC", decimal("NaN")) == "tNaN");
}

TEST_CASE("sqlite: a number in a column of text keeps all its digits, and a large integer is no float") {
  sql::SqliteValue value;
  value.storage = sql::SqliteClass::kReal;
  value.real = 0.12345678901234567;
  CHECK(stored("TEXT", real(value.real), value) == "t0.12345678901234566");
  value = {};
  value.storage = sql::SqliteClass::kInteger;
  value.integer = 9007199254740993;
  CHECK(stored("DOUBLE", integer(value.integer), value) == "(changed)");
  CHECK(stored("NUMERIC", integer(value.integer), value) == "i9007199254740993");
}
