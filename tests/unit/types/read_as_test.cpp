#include <doctest/doctest.h>

#include <string>

#include "samples.hpp"
#include "types/convert.hpp"

using namespace cdcrt;
using namespace cdcrt::types;
using types::Parse;

namespace {

cdcrt_cell integer(int64_t value) { return integer_cell(CDCRT_I64, value); }
cdcrt_cell string(std::string_view text) { return text_cell(CDCRT_STRING, text); }

constexpr int kRefused = -1;

struct Case {
  cdcrt_cell cell;
  Parse parse;
  const char* to;  ///< empty: UNKNOWN
  int tag;         ///< kRefused, or the tag of the value
  const char* wanted;
};

void check(std::initializer_list<Case> cases) {
  event::Arena arena;
  for (const auto& one : cases) {
    INFO(display(one.cell) << " as " << std::string(one.to));
    const auto value = read_as(one.cell, one.parse, *one.to == 0 ? cdcrt_type{} : parse_type(one.to).value(), arena);
    if (one.tag == kRefused) {
      REQUIRE_FALSE(value);
      CHECK(value.error().code == CDCRT_BAD_RECORD);
      CHECK(value.error().message == one.wanted);
      continue;
    }
    REQUIRE(value);
    CHECK(int{value->tag} == one.tag);
    CHECK((has_bytes(value->tag) ? std::string(text_of(*value)) : display(*value)) == one.wanted);
  }
}

}  // namespace

TEST_CASE("read_as: numbers are counts since 1970 in the unit that the route says") {
  check({
      {integer(-719'162), Parse::kEpochDays, "date", CDCRT_DATE, "0001-01-01"},
      {integer(1), Parse::kEpochDays, "timestamp", CDCRT_TIMESTAMP, "1970-01-02T00:00:00"},
      {integer(1), Parse::kEpochDays, "string", CDCRT_STRING, "1970-01-02"},
      {integer(1'700'000'000), Parse::kEpochSeconds, "timestamptz", CDCRT_TIMESTAMPTZ, "2023-11-14T22:13:20+00:00"},
      {text_cell(CDCRT_DECIMAL, "1700000000.25"), Parse::kEpochSeconds, "timestamp", CDCRT_TIMESTAMP, "2023-11-14T22:13:20.250000"},
      {real_cell(1700000000.25), Parse::kEpochSeconds, "timestamp", CDCRT_TIMESTAMP, "2023-11-14T22:13:20.250000"},
      {integer(981'173'106'789), Parse::kEpochMilliseconds, "timestamp", CDCRT_TIMESTAMP, "2001-02-03T04:05:06.789000"},
      {string("981173106789"), Parse::kEpochMilliseconds, "timestamp", CDCRT_TIMESTAMP, "2001-02-03T04:05:06.789000"},
      {integer(946'684'799'999'999), Parse::kEpochMicroseconds, "timestamp", CDCRT_TIMESTAMP, "1999-12-31T23:59:59.999999"},
      {integer(-1), Parse::kEpochMicroseconds, "timestamp", CDCRT_TIMESTAMP, "1969-12-31T23:59:59.999999"},
      {integer(1'700'000'000'123'456'000), Parse::kEpochNanoseconds, "timestamp", CDCRT_TIMESTAMP, "2023-11-14T22:13:20.123456"},
      {natural_cell(1'700'000'000'123'456'000), Parse::kEpochNanoseconds, "", CDCRT_TIMESTAMP, "2023-11-14T22:13:20.123456"},
      {integer(86'400'000'000), Parse::kEpochMicroseconds, "date", CDCRT_DATE, "1970-01-02"},
      {integer(5), Parse::kEpochDays, "", CDCRT_DATE, "1970-01-06"},
      {integer(86'399'999'999), Parse::kEpochMicroseconds, "time", CDCRT_TIME, "23:59:59.999999"},
      {integer(86'399'999), Parse::kEpochMilliseconds, "time", CDCRT_TIME, "23:59:59.999000"},
      {integer(-3'020'399'000'000), Parse::kEpochMicroseconds, "time", CDCRT_TIME, "-838:59:59"},
      {integer_cell(CDCRT_TIMESTAMP, 5), Parse::kEpochMilliseconds, "timestamp", CDCRT_TIMESTAMP, "1970-01-01T00:00:00.000005"},
  });
}

TEST_CASE("read_as: what PostgreSQL's driver makes of infinity is infinity") {
  check({
      {integer(9'223'372'036'825'200'000), Parse::kEpochMicroseconds, "timestamp", CDCRT_TIMESTAMP, "infinity"},
      {integer(-9'223'372'036'832'400'000), Parse::kEpochMicroseconds, "timestamptz", CDCRT_TIMESTAMPTZ, "-infinity"},
      {integer(9'223'372'036'825'200), Parse::kEpochMilliseconds, "timestamp", CDCRT_TIMESTAMP, "infinity"},
      {integer(9'223'372'036'825'200'000), Parse::kEpochMilliseconds, "timestamp", CDCRT_TIMESTAMP, "infinity"},
      {integer(INT64_MAX), Parse::kEpochDays, "date", CDCRT_DATE, "infinity"},
      {integer(-622'191'234), Parse::kEpochDays, "date", CDCRT_DATE, "infinity"},
      {integer(-625'821'272), Parse::kEpochDays, "date", CDCRT_DATE, "-infinity"},
      {integer(-2'147'472'692), Parse::kEpochDays, "date", CDCRT_DATE, "infinity"},
      {integer(-2'147'472'691), Parse::kEpochDays, "date", CDCRT_DATE, "-infinity"},
      {integer(INT64_MIN), Parse::kEpochMicroseconds, "timestamp", CDCRT_TIMESTAMP, "-infinity"},
      {string("-infinity"), Parse::kIso8601, "timestamptz", CDCRT_TIMESTAMPTZ, "-infinity"},
  });
}

TEST_CASE("read_as: a count that is no exact value of the type is refused") {
  check({
      {integer(1), Parse::kEpochNanoseconds, "timestamp", kRefused, "finer than a microsecond: 1"},
      {integer(1), Parse::kEpochMicroseconds, "date", kRefused, "value does not fit date: 1970-01-01T00:00:00.000001"},
      {integer(INT64_MAX - 1), Parse::kEpochMilliseconds, "timestamp", kRefused,
       "beyond the range of microseconds since 1970 as epoch_ms: 9223372036854775806"},
      {natural_cell(UINT64_MAX), Parse::kEpochDays, "date", kRefused, "not a value of parse = \"epoch_days\": 18446744073709551615"},
      {natural_cell(UINT64_MAX), Parse::kEpochMicroseconds, "timestamp", kRefused,
       "beyond the range of microseconds since 1970 as epoch_us: 18446744073709551615"},
      {integer(200'000'000), Parse::kEpochDays, "timestamp", kRefused, "value does not fit timestamp: +549551-05-28"},
      {string("soon"), Parse::kEpochMilliseconds, "timestamp", kRefused, "not a value of parse = \"epoch_ms\": 'soon'"},
      {text_cell(CDCRT_DECIMAL, "0.0000001"), Parse::kEpochSeconds, "timestamp", kRefused, "finer than a microsecond: 0.0000001"},
      {text_cell(CDCRT_DECIMAL, "99999999999999999999999999999999999999999"), Parse::kEpochDays, "date", kRefused,
       "not a value of parse = \"epoch_days\": 99999999999999999999999999999999999999999"},
      {text_cell(CDCRT_DECIMAL, "99999999999999999999999"), Parse::kEpochSeconds, "timestamp", kRefused,
       "beyond the range of microseconds since 1970 as epoch_s: 99999999999999999999999"},
      {real_cell(1e300), Parse::kEpochDays, "date", kRefused, "not a value of parse = \"epoch_days\": 1e+300"},
      {integer_cell(CDCRT_BOOL, 1), Parse::kEpochDays, "date", kRefused, "not a value of parse = \"epoch_days\": true"},
      {text_cell(CDCRT_JSON, "{}"), Parse::kEpochDays, "date", kRefused, "not a value of parse = \"epoch_days\": '{}'"},
  });
}

TEST_CASE("read_as: every count of every unit is read or refused without overflow") {
  event::Arena arena;
  for (const int64_t value :
       {INT64_MIN, INT64_MIN + 1, int64_t{-1}, int64_t{0}, INT64_MAX / 1000, INT64_MAX / 1000 + 1, INT64_MAX - 1, INT64_MAX}) {
    for (const auto parse :
         {Parse::kEpochDays, Parse::kEpochSeconds, Parse::kEpochMilliseconds, Parse::kEpochMicroseconds, Parse::kEpochNanoseconds}) {
      for (const auto to : samples::types()) {
        const auto read = read_as(integer(value), parse, to, arena);
        if (!read) CHECK(read.error().code == CDCRT_BAD_RECORD);
      }
    }
  }
  CHECK(read_as(integer(0), Parse::kEpochNanoseconds, type_of(CDCRT_TYPE_TIMESTAMP), arena)->value.integer == 0);
}

TEST_CASE("read_as: base64 and hex are bytes, numbers, texts or uuids as the type says") {
  check({
      {string("aGk="), Parse::kBase64, "bytes", CDCRT_BYTES, "hi"},
      {string("aGk"), Parse::kBase64, "", CDCRT_BYTES, "hi"},
      {string("0x6869"), Parse::kHex, "bytes", CDCRT_BYTES, "hi"},
      {string("\\x6869"), Parse::kHex, "bytes", CDCRT_BYTES, "hi"},
      {string("6869"), Parse::kHex, "bytes", CDCRT_BYTES, "hi"},
      {string(""), Parse::kHex, "bytes", CDCRT_BYTES, ""},
      {string("aGk="), Parse::kBase64, "string", CDCRT_STRING, "hi"},
      {string("e30="), Parse::kBase64, "json", CDCRT_JSON, "{}"},
      {string("AP//////////"), Parse::kBase64, "uint64", CDCRT_U64, "18446744073709551615"},
      {string("AP__________"), Parse::kBase64, "uint64", CDCRT_U64, "18446744073709551615"},
      {string("BOI="), Parse::kBase64, "decimal(12,2)", CDCRT_DECIMAL, "12.50"},
      {string("/w=="), Parse::kBase64, "decimal(12,2)", CDCRT_DECIMAL, "-0.01"},
      {string("ff"), Parse::kHex, "int8", CDCRT_I64, "-1"},
      {string("80"), Parse::kHex, "int8", CDCRT_I64, "-128"},
      {string(""), Parse::kBase64, "decimal(12,2)", CDCRT_DECIMAL, "0.00"},
      {string("NAN"), Parse::kBase64, "decimal", CDCRT_DECIMAL, "NaN"},
      {string("6f1b1ad000004000800000000000abcd"), Parse::kHex, "uuid", CDCRT_UUID, "6f1b1ad0-0000-4000-8000-00000000abcd"},
      {text_cell(CDCRT_BYTES, "hi"), Parse::kBase64, "bytes", CDCRT_BYTES, "hi"},
      {text_cell(CDCRT_DECIMAL, "12.50"), Parse::kBase64, "decimal(12,2)", CDCRT_DECIMAL, "12.50"},
      {string("a"), Parse::kBase64, "bytes", kRefused, "not a value of parse = \"base64\": 'a'"},
      {string("686"), Parse::kHex, "bytes", kRefused, "not a value of parse = \"hex\": '686'"},
      {string("6g"), Parse::kHex, "bytes", kRefused, "not a value of parse = \"hex\": '6g'"},
      {string("ff"), Parse::kHex, "string", kRefused, "the decoded bytes are not UTF-8: 'ff'"},
      {string("ff"), Parse::kHex, "uuid", kRefused, "not a value of parse = \"hex\": 'ff'"},
      {string("ff"), Parse::kHex, "date", kRefused, "not a value of date: 'ff'"},
      {string("010000"), Parse::kHex, "int8", kRefused, "value does not fit int8: 65536"},
      {integer(5), Parse::kBase64, "bytes", kRefused, "not a value of parse = \"base64\": 5"},
  });
}

TEST_CASE("read_as: without a parse the natural value is converted") {
  check({
      {string("12.50"), Parse::kNone, "decimal(12,2)", CDCRT_DECIMAL, "12.50"},
      {string("2024-02-29T03:00:00.123456Z"), Parse::kNone, "timestamptz", CDCRT_TIMESTAMPTZ, "2024-02-29T03:00:00.123456+00:00"},
      {string("{\"a\": 1.50}"), Parse::kNone, "json", CDCRT_JSON, "{\"a\": 1.50}"},
      {integer(5), Parse::kNone, "string", CDCRT_STRING, "5"},
      {integer(5), Parse::kNone, "", CDCRT_I64, "5"},
      {integer(5), Parse::kNone, "timestamp", kRefused, "not a value of timestamp: 5"},
      {string("2024-02-29"), Parse::kIso8601, "date", CDCRT_DATE, "2024-02-29"},
      {string("10:15:00"), Parse::kIso8601, "time", CDCRT_TIME, "10:15:00"},
      {string("2024-02-29"), Parse::kIso8601, "", CDCRT_DATE, "2024-02-29"},
      {integer(5), Parse::kIso8601, "date", kRefused, "not a value of parse = \"iso8601\": 5"},
      {null_cell(), Parse::kEpochDays, "date", CDCRT_NULL, "NULL"},
      {integer_cell(CDCRT_ABSENT, 0), Parse::kBase64, "bytes", CDCRT_ABSENT, "(absent)"},
  });
}

TEST_CASE("cut_fraction: only digits finer than a microsecond are cut") {
  event::Arena arena;
  const auto cut = [&](const cdcrt_cell& cell, Parse parse, const char* to) {
    const auto value = cut_fraction(cell, parse, parse_type(to).value(), arena);
    return value ? display(*value) : std::string("refused");
  };
  CHECK(cut(string("2024-05-10T13:00:01.6048051"), Parse::kNone, "timestamp") == "2024-05-10T13:00:01.604805");
  CHECK(cut(string("11:11:42.9297759"), Parse::kNone, "time") == "11:11:42.929775");
  CHECK(cut(integer(-1), Parse::kEpochNanoseconds, "timestamp") == "1969-12-31T23:59:59.999999");
  CHECK(cut(string("soon"), Parse::kNone, "timestamp") == "refused");
  CHECK(cut(string("11:11:42.92"), Parse::kNone, "int32") == "refused");
}
