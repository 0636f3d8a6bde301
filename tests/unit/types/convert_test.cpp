#include "types/convert.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <utility>

#include "samples.hpp"
#include "types/convert_text.hpp"

using namespace cdcrt;
using namespace cdcrt::types;

namespace {

constexpr cdcrt_type kUnknown{};
cdcrt_type type(const char* name) { return name == std::string("unknown") ? kUnknown : parse_type(name).value(); }
cdcrt_cell integer(int64_t value) { return integer_cell(CDCRT_I64, value); }
cdcrt_cell string(std::string_view text) { return text_cell(CDCRT_STRING, text); }
cdcrt_cell decimal(std::string_view text) { return text_cell(CDCRT_DECIMAL, text); }

std::string key(const cdcrt_cell& cell) {
  std::string out;
  append_key(out, cell);
  return out;
}

/// "TAG:value", or "error: message".
std::string shown(const Result<cdcrt_cell>& result) {
  constexpr const char* names[] = {"absent",    "null",        "bool",   "i64",   "u64",  "f64",  "decimal", "date",    "time",
                                   "timestamp", "timestamptz", "string", "bytes", "json", "uuid", "array",   "interval"};
  if (!result) {
    CHECK(result.error().code == CDCRT_BAD_RECORD);
    return "error: " + result.error().message;
  }
  return std::string(names[result->tag]) + ":" + (has_bytes(result->tag) ? std::string(text_of(*result)) : display(*result));
}

struct Case {
  cdcrt_cell cell;
  const char* from;
  const char* to;
  const char* wanted;
};

void check(std::initializer_list<Case> cases) {
  event::Arena arena;
  for (const auto& one : cases) {
    INFO(display(one.cell) << " from " << std::string(one.from) << " to " << std::string(one.to));
    CHECK(shown(convert(one.cell, type(one.from), type(one.to), arena)) == one.wanted);
  }
}

bool is_number(cdcrt_type type) { return type.kind >= CDCRT_TYPE_INT8 && type.kind <= CDCRT_TYPE_DECIMAL; }

}  // namespace

TEST_CASE("convert: ABSENT and NULL are values of every type") {
  event::Arena arena;
  for (const auto to : samples::types()) {
    CHECK(convert(null_cell(), type("int64"), to, arena)->tag == CDCRT_NULL);
    CHECK(convert(integer_cell(CDCRT_ABSENT, 0), kUnknown, to, arena)->tag == CDCRT_ABSENT);
  }
}

TEST_CASE("convert: every value of a type is ready for a column of that type, or becomes equal") {
  event::Arena arena;
  for (const auto of : samples::types()) {
    for (const auto& cell : samples::values(of)) {
      INFO(display(cell) << " of " << to_string(of));
      const auto same = convert(cell, of, of, arena);
      REQUIRE(same);
      CHECK(same->tag == cell.tag);
      CHECK(key(*same) == key(cell));
      if (of.kind != CDCRT_TYPE_DECIMAL && of.kind != CDCRT_TYPE_STRING) CHECK(is_ready(cell, of, of));
    }
  }
}

TEST_CASE("convert: every value converts into the join of its type with any other, and keeps its value") {
  event::Arena arena;
  for (const auto a : samples::types()) {
    for (const auto b : samples::types()) {
      const cdcrt_type joined = join(a, b);
      for (const auto& cell : samples::values(a)) {
        INFO(display(cell) << " of " << to_string(a) << " into " << to_string(joined));
        const auto value = convert(cell, a, joined, arena);
        REQUIRE(value);
        REQUIRE(convert(cell, a, evolve(a, b), arena));
        if (cell.tag <= CDCRT_NULL) continue;
        REQUIRE(value->tag == (joined.kind == CDCRT_TYPE_UNKNOWN ? cell.tag : kNaturalTags[joined.kind]));
        if (joined.kind == CDCRT_TYPE_STRING) {
          const auto text = render_text(cell, a, arena);
          REQUIRE(text);
          REQUIRE(text_of(*text) == text_of(*value));
          // And the text is read back as the value it was. Bytes come back only by parse = "base64".
          if (a.kind == CDCRT_TYPE_BYTES) continue;
          const auto back = convert(*value, joined, a, arena);
          REQUIRE(back);
          REQUIRE(key(*back) == key(cell));
        } else if (a.kind == CDCRT_TYPE_FLOAT32 && joined.kind == CDCRT_TYPE_DECIMAL) {
          const auto back = convert(*value, joined, a, arena);
          REQUIRE(back);
          REQUIRE(key(*back) == key(cell));
        } else if (is_number(a)) {
          REQUIRE(key(*value) == key(cell));
        } else if (cell.tag == value->tag) {
          REQUIRE(key(*value) == key(cell));
        } else if (!has_bytes(cell.tag)) {
          const auto back = convert(*value, joined, a, arena);
          REQUIRE(back);
          REQUIRE(back->value.integer == cell.value.integer);
        }
      }
    }
  }
}

TEST_CASE("convert: integers keep to the range of the column") {
  check({
      {integer(127), "int64", "int8", "i64:127"},
      {integer(128), "int64", "int8", "error: value does not fit int8: 128"},
      {integer(-32'769), "int64", "int16", "error: value does not fit int16: -32769"},
      {integer(2'147'483'648), "int64", "int32", "error: value does not fit int32: 2147483648"},
      {natural_cell(UINT64_MAX), "uint64", "int64", "error: value does not fit int64: 18446744073709551615"},
      {natural_cell(7), "uint64", "int8", "i64:7"},
      {integer(7), "int64", "uint64", "u64:7"},
      {integer(-7), "int64", "uint64", "error: value does not fit uint64: -7"},
      {real_cell(3.0), "float64", "int8", "i64:3"},
      {real_cell(3.5), "float64", "int8", "error: value does not fit int8: 3.5"},
      {real_cell(0x1p63), "float64", "int64", "error: value does not fit int64: 9223372036854775808"},
      {real_cell(-0x1p63), "float64", "int64", "i64:-9223372036854775808"},
      {real_cell(std::nan("")), "float64", "int64", "error: value does not fit int64: nan"},
      {real_cell(0x1p63), "float64", "uint64", "u64:9223372036854775808"},
      {real_cell(0x1p64), "float64", "uint64", "error: value does not fit uint64: 18446744073709551616"},
      {decimal("5.000"), "decimal(12,3)", "int8", "i64:5"},
      {decimal("-9223372036854775808"), "decimal", "int64", "i64:-9223372036854775808"},
      {decimal("9223372036854775808"), "decimal", "int64", "error: value does not fit int64: 9223372036854775808"},
      {decimal("5.5"), "decimal", "int8", "error: value does not fit int8: 5.5"},
      {decimal("NaN"), "decimal", "int8", "error: value does not fit int8: NaN"},
      {decimal("18446744073709551615"), "decimal", "uint64", "u64:18446744073709551615"},
      {integer_cell(CDCRT_BOOL, 1), "unknown", "int16", "i64:1"},
      {integer(1), "unknown", "bool", "bool:true"},
      {integer(2), "unknown", "bool", "error: value does not fit bool: 2"},
      {integer_cell(CDCRT_DATE, 1), "date", "int64", "error: not a value of int64: 1970-01-02"},
  });
}

TEST_CASE("convert: decimals fit digit for digit or not at all") {
  check({
      {decimal("999.99"), "unknown", "decimal(5,2)", "decimal:999.99"},
      {decimal("0999.9900"), "unknown", "decimal(5,2)", "decimal:0999.99"},
      {decimal("5"), "unknown", "decimal(5,2)", "decimal:5"},
      {decimal("5.000"), "unknown", "decimal(5,0)", "decimal:5"},
      {decimal("1000"), "unknown", "decimal(5,2)", "error: value does not fit decimal(5,2): 1000"},
      {decimal("9.999"), "unknown", "decimal(5,2)", "error: value does not fit decimal(5,2): 9.999"},
      {decimal("NaN"), "unknown", "decimal(5,2)", "decimal:NaN"},
      {decimal("Infinity"), "unknown", "decimal(5,2)", "error: value does not fit decimal(5,2): Infinity"},
      {decimal("-Infinity"), "unknown", "decimal", "decimal:-Infinity"},
      {decimal("0.00999"), "unknown", "decimal(3,5)", "decimal:0.00999"},
      {decimal("0.01"), "unknown", "decimal(3,5)", "error: value does not fit decimal(3,5): 0.01"},
      {decimal("99000"), "unknown", "decimal(2,-3)", "decimal:99000"},
      {decimal("99500"), "unknown", "decimal(2,-3)", "error: value does not fit decimal(2,-3): 99500"},
      {decimal("100000"), "unknown", "decimal(2,-3)", "error: value does not fit decimal(2,-3): 100000"},
      {decimal("0.0"), "unknown", "decimal(2,-3)", "decimal:0"},
      {decimal("abc"), "unknown", "decimal(5,2)", "error: not a value of decimal(5,2): abc"},
      {integer(-5), "int64", "decimal(5,2)", "decimal:-5"},
      {integer(12'345), "int64", "decimal(5,2)", "error: value does not fit decimal(5,2): 12345"},
      {natural_cell(UINT64_MAX), "uint64", "decimal(20,0)", "decimal:18446744073709551615"},
      {real_cell(0.1), "float64", "decimal", "decimal:0.1"},
      {real_cell(-0.0), "float64", "decimal", "decimal:0"},
      {real_cell(0x1p60), "float64", "decimal", "decimal:1152921504606846976"},
      {real_cell(static_cast<double>(1.1F)), "float32", "decimal", "decimal:1.1"},
      {real_cell(1e39), "float32", "decimal", "error: value does not fit decimal: 1e+39"},
  });
}

TEST_CASE("convert: a float tells the digits it was given or is refused") {
  const std::string too_large = "error: value does not fit float64: 2" + std::string(59, '0') + "...";
  check({
      {integer(9'007'199'254'740'993), "int64", "float64", "f64:9007199254740992"},  // declared int -> float: nearest, as at the source
      {real_cell(static_cast<double>(1.1F)), "float32", "float64", "f64:1.100000023841858"},
      {real_cell(1.1), "float32", "float64", "f64:1.100000023841858"},
      {real_cell(1.1), "unknown", "float32", "f64:1.100000023841858"},
      {real_cell(1.123456789), "unknown", "float32", "error: value does not fit float32: 1.123456789"},
      {real_cell(1e39), "unknown", "float32", "error: value does not fit float32: 1e+39"},
      {real_cell(1e-50), "unknown", "float32", "error: value does not fit float32: 1e-50"},
      {real_cell(std::nan("")), "unknown", "float32", "f64:nan"},
      {decimal("0.30000000000000004"), "unknown", "float64", "f64:0.30000000000000004"},
      {decimal("0.10000000000000001"), "unknown", "float64", "f64:0.1"},
      {decimal("0.1000000000000000000000000000001"), "unknown", "float64",
       "error: value does not fit float64: 0.1000000000000000000000000000001"},
      {decimal("123456789012345678"), "unknown", "float64", "error: value does not fit float64: 123456789012345678"},
      {decimal("100000000000000000000000"), "unknown", "float64", "f64:1e+23"},
      {decimal("340000000000000000000000000000000000000"), "unknown", "float32", "f64:3.3999999521443642e+38"},
      {decimal("Infinity"), "unknown", "float64", "f64:inf"},
      {decimal("-0"), "unknown", "float64", "f64:-0"},
      {string("5e-324"), "unknown", "float64", "f64:5e-324"},
      {string("4.9E-324"), "unknown", "float64", "f64:5e-324"},
      {string("1.4E-45"), "unknown", "float32", "f64:1.401298464324817e-45"},
      {string("1.7976931348623157E308"), "unknown", "float64", "f64:1.7976931348623157e+308"},
      {string("2e308"), "unknown", "float64", too_large.c_str()},
  });
}

TEST_CASE("convert: values become texts that read back") {
  check({
      {integer_cell(CDCRT_BOOL, 1), "bool", "string", "string:true"},
      {integer_cell(CDCRT_BOOL, 0), "bool", "string", "string:false"},
      {integer(INT64_MIN), "int64", "string", "string:-9223372036854775808"},
      {natural_cell(UINT64_MAX), "uint64", "string", "string:18446744073709551615"},
      {real_cell(1e300), "float64", "string", "string:1e+300"},
      {real_cell(static_cast<double>(1.1F)), "float32", "string", "string:1.1"},
      {real_cell(std::nan("")), "float64", "string", "string:NaN"},
      {decimal("12.50"), "decimal(12,2)", "string", "string:12.50"},
      {integer_cell(CDCRT_DATE, 0), "date", "string", "string:1970-01-01"},
      {integer_cell(CDCRT_TIME, 1'500'000), "time", "string", "string:00:00:01.500000"},
      {integer_cell(CDCRT_TIMESTAMP, 6), "timestamp", "string", "string:1970-01-01T00:00:00.000006"},
      {integer_cell(CDCRT_TIMESTAMPTZ, 6), "timestamptz", "string", "string:1970-01-01T00:00:00.000006+00:00"},
      {integer_cell(CDCRT_TIMESTAMPTZ, INT64_MAX), "timestamptz", "string", "string:infinity"},
      {text_cell(CDCRT_BYTES, std::string_view("\x00\xff\x10", 3)), "bytes", "string", "string:AP8Q"},
      {text_cell(CDCRT_JSON, "{\"a\": 1.50}"), "json", "string", "string:{\"a\": 1.50}"},
      {integer(123), "int64", "string(2)", "error: value of 3 characters does not fit string(2): 123"},
      {string("abc"), "string", "string(2)", "error: value of 3 characters does not fit string(2): 'abc'"},
      {string("\xC3\xA9\xF0\x9F\x98\x80"), "string", "string(2)", "string:\xC3\xA9\xF0\x9F\x98\x80"},
  });
}

TEST_CASE("convert: dates and moments change kind only without loss") {
  check({
      {integer_cell(CDCRT_DATE, 1), "date", "timestamp", "timestamp:1970-01-02T00:00:00"},
      {integer_cell(CDCRT_DATE, INT64_MIN), "date", "timestamptz", "timestamptz:-infinity"},
      {integer_cell(CDCRT_DATE, 200'000'000), "date", "timestamp", "error: value does not fit timestamp: +549551-05-28"},
      {integer_cell(CDCRT_TIMESTAMP, 5), "timestamp", "timestamptz", "timestamptz:1970-01-01T00:00:00.000005+00:00"},
      {integer_cell(CDCRT_TIMESTAMPTZ, 5), "timestamptz", "timestamp", "timestamp:1970-01-01T00:00:00.000005"},
      {integer_cell(CDCRT_TIMESTAMP, 86'400'000'000), "timestamp", "date", "date:1970-01-02"},
      {integer_cell(CDCRT_TIMESTAMP, -86'400'000'000), "timestamp", "date", "date:1969-12-31"},
      {integer_cell(CDCRT_TIMESTAMP, 1), "timestamp", "date", "error: value does not fit date: 1970-01-01T00:00:00.000001"},
      {integer_cell(CDCRT_TIMESTAMP, INT64_MAX), "timestamp", "date", "date:infinity"},
      {integer_cell(CDCRT_TIME, 1), "time", "date", "error: not a value of date: 00:00:00.000001"},
      {integer(5), "unknown", "timestamp", "error: not a value of timestamp: 5"},
  });
  event::Arena arena;
  CHECK(convert(integer(5), kUnknown, type("date"), arena).error().hint.find("epoch_days") != std::string::npos);
}

TEST_CASE("convert: a text becomes a value only when the whole of it is one") {
  check({
      {string("007"), "string", "int8", "i64:7"},
      {string("-5"), "string", "int64", "i64:-5"},
      {string("5 "), "string", "int64", "error: not a value of int64: '5 '"},
      {string(""), "string", "int64", "error: not a value of int64: ''"},
      {string("5.0"), "string", "int64", "i64:5"},
      {string("12.50"), "string", "decimal(12,2)", "decimal:12.50"},
      {string("1.25E+2"), "string", "decimal", "decimal:125"},
      {string("-1E-30"), "string", "decimal", "decimal:-0.000000000000000000000000000001"},
      {string("1e999999999999"), "string", "decimal", "error: not a value of decimal: '1e999999999999'"},
      {string("NAN"), "unknown", "decimal", "decimal:NaN"},
      {string("-Infinity"), "unknown", "float64", "f64:-inf"},
      {string("true"), "string", "bool", "bool:true"},
      {string("f"), "string", "bool", "bool:false"},
      {string("yes"), "string", "bool", "error: not a value of bool: 'yes'"},
      {string("2024-02-29"), "string", "date", "date:2024-02-29"},
      {string("2024-02-29 00:00:00"), "string", "date", "date:2024-02-29"},
      {string("2024-02-30"), "string", "date", "error: not a value of date: '2024-02-30'"},
      {string("2024-02-29"), "string", "timestamp", "timestamp:2024-02-29T00:00:00"},
      {string("2024-02-29T03:00:00.123456Z"), "string", "timestamptz", "timestamptz:2024-02-29T03:00:00.123456+00:00"},
      {string("2024-02-29T03:00:00+02:00"), "string", "timestamp", "timestamp:2024-02-29T01:00:00"},
      {string("2024-02-29T03:00:00"), "string", "timestamptz", "timestamptz:2024-02-29T03:00:00+00:00"},
      {string("infinity"), "string", "timestamptz", "timestamptz:infinity"},
      {string("2024-02-29T03:00:00.1234567"), "string", "timestamp",
       "error: finer than a microsecond, which is all that timestamp keeps: '2024-02-29T03:00:00.1234567'"},
      {string("-838:59:59"), "string", "time", "time:-838:59:59"},
      {string("07:04:56.789Z"), "string", "timetz", "string:07:04:56.789Z"},
      {string("07:04:56.789"), "string", "timetz", "error: not a value of timetz: '07:04:56.789'"},
      {string("6F1B1AD0-0000-4000-8000-00000000ABCD"), "string", "uuid", "uuid:6f1b1ad0-0000-4000-8000-00000000abcd"},
      {string("6f1b1ad0000040008000-00000000abcd---"), "string", "uuid",
       "error: not a value of uuid: '6f1b1ad0000040008000-00000000abcd---'"},
      {string("P1Y2M3DT4H5M6.5S"), "string", "interval", "interval:P1Y2M3DT4H5M6.5S"},
      {string("PT-3.5S"), "string", "interval", "interval:PT-3.5S"},
      {string("P"), "string", "interval", "error: not a value of interval: 'P'"},
      {string("P1DT"), "string", "interval", "error: not a value of interval: 'P1DT'"},
      {string("P1H"), "string", "interval", "error: not a value of interval: 'P1H'"},
      {string("PT1S1M"), "string", "interval", "error: not a value of interval: 'PT1S1M'"},
      {string(" [1, 2]"), "string", "array", "array: [1, 2]"},
      {string("{}"), "string", "array", "error: not a value of array: '{}'"},
      {text_cell(CDCRT_JSON, "{}"), "json", "array", "error: not a value of array: '{}'"},
      {string("text"), "string", "bytes", "error: not a value of bytes: 'text'"},
  });
}

TEST_CASE("convert: a number becomes JSON, what JSON lacks does not") {
  check({
      {integer(5), "int64", "json", "json:5"},
      {decimal("1.50"), "decimal", "json", "json:1.50"},
      {integer_cell(CDCRT_BOOL, 1), "bool", "json", "json:true"},
      {real_cell(0.5), "float64", "json", "json:0.5"},
      {text_cell(CDCRT_ARRAY, "[1]"), "array", "json", "json:[1]"},
      {real_cell(std::nan("")), "float64", "json", "error: value does not fit json: nan"},
      {decimal("Infinity"), "decimal", "json", "error: value does not fit json: Infinity"},
      {integer_cell(CDCRT_DATE, 0), "date", "json", "error: not a value of json: 1970-01-01"},
  });
}

TEST_CASE("convert: a text becomes JSON as it is, whatever its depth and digits") {
  event::Arena arena;
  for (const std::string& text : {std::string(400, '7'), "{\"z\": 1" + std::string(400, '0') + ", \"big\": 12345678901234567890}",
                                  std::string(10'000, '[') + std::string(10'000, ']')}) {
    const auto json = convert(string(text), type("string"), type("json"), arena);
    REQUIRE(json);
    CHECK(text_of(*json) == text);
  }
  CHECK_FALSE(convert(string("{\"a\": tru}"), type("string"), type("json"), arena));
}

TEST_CASE("convert: any sample value into any sample type is a value of it or BAD_RECORD") {
  event::Arena arena;
  for (const auto& cell : samples::all_values()) {
    for (const auto to : samples::types()) {
      for (const auto from : {kUnknown, type("float32")}) {
        const auto value = convert(cell, from, to, arena);
        if (!value) {
          REQUIRE(value.error().code == CDCRT_BAD_RECORD);
          REQUIRE_FALSE(value.error().message.empty());
        } else if (value->tag > CDCRT_NULL && to.kind != CDCRT_TYPE_UNKNOWN) {
          REQUIRE(value->tag == kNaturalTags[to.kind]);
          REQUIRE(convert(*value, to, to, arena));
        }
      }
    }
  }
  cdcrt_cell broken{};
  broken.tag = 99;
  CHECK_FALSE(convert(broken, kUnknown, type("int64"), arena));
}

TEST_CASE("truncate: a string is cut between characters and nothing else is cut") {
  CHECK(text_of(*truncate(string("abc"), string_type(2))) == "ab");
  CHECK(text_of(*truncate(string("\xF0\x9F\x98\x80\xC3\xA9x"), string_type(2))) == "\xF0\x9F\x98\x80\xC3\xA9");
  CHECK(text_of(*truncate(string("abc"), string_type(3))) == "abc");
  CHECK(text_of(*truncate(string("abc"), string_type(0))) == "abc");
  CHECK(truncate(null_cell(), string_type(1))->tag == CDCRT_NULL);
  CHECK_FALSE(truncate(decimal("123.456"), decimal_type(5, 2)));
  CHECK_FALSE(truncate(integer(300), type_of(CDCRT_TYPE_INT8)));
  CHECK(truncate(integer(30), type_of(CDCRT_TYPE_INT8))->value.integer == 30);
}

TEST_CASE("convert: the greatest float32, as its shortest text tells it, is a float32") {
  event::Arena arena(1 << 10);
  cdcrt_type single{};
  single.kind = CDCRT_TYPE_FLOAT32;
  for (const double value : {3.4028235e38, -3.4028235e38, 1.2345678e30, 0.1, 1.1754944e-38}) {
    CAPTURE(value);
    const auto converted = convert(real_cell(value), {}, single, arena);
    REQUIRE(converted);
    CHECK(converted->value.real == static_cast<double>(static_cast<float>(value)));
  }
  CHECK_FALSE(convert(real_cell(3.5e38), {}, single, arena));
  CHECK_FALSE(convert(real_cell(0.123456789), {}, single, arena));
}
