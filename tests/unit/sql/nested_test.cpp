// Arrays between their JSON and PostgreSQL's constants.
#include <doctest/doctest.h>

#include <string>

#include "sql/json_reader.hpp"
#include "sql/postgresql_nested.hpp"
#include "sql/type_mapping.hpp"

using namespace cdcrt;

namespace {

constexpr uint8_t kAny = CDCRT_TYPE_UNKNOWN;

std::string constant(std::string_view json, uint8_t event, uint8_t target) {
  cdcrt_column column{};
  column.name = sdk::borrow("c");
  column.type = cdcrt_type{CDCRT_TYPE_ARRAY, event, 0, 0};
  std::string out;
  const auto status = sql::to_array_constant(
      json, column, sql::make_type(target), [](cdcrt_cell&, std::string&) { return sdk::Status(); }, out);
  return status ? out : "refused";
}

std::string json(std::string_view text, uint8_t element) {
  std::string out;
  return sql::from_array_constant(text, sql::make_type(element), out) ? out : "refused";
}

}  // namespace

TEST_CASE("array: JSON becomes a constant, elements exact, NULL apart from the word and from nothing") {
  CHECK(constant("[]", kAny, CDCRT_TYPE_STRING) == "{}");
  CHECK(constant(" [ 1 , null,\t-3 ] ", CDCRT_TYPE_INT32, CDCRT_TYPE_INT32) == "{\"1\",NULL,\"-3\"}");
  CHECK(constant(R"(["a,b","c\"d",null,"","NULL","{}","back\\slash","\u00e9\ud83d\ude00 日"])", CDCRT_TYPE_STRING, CDCRT_TYPE_STRING) ==
        "{\"a,b\",\"c\\\"d\",NULL,\"\",\"NULL\",\"{}\",\"back\\\\slash\",\"é😀 日\"}");
  CHECK(constant("[[1,2],[3,null]]", CDCRT_TYPE_INT32, CDCRT_TYPE_INT32) == "{{\"1\",\"2\"},{\"3\",NULL}}");
  CHECK(constant("[true,false]", CDCRT_TYPE_BOOL, CDCRT_TYPE_BOOL) == "{true,false}");
  CHECK(constant("[true,2]", CDCRT_TYPE_BOOL, CDCRT_TYPE_INT32) == "{1,\"2\"}");
  CHECK(constant("[12345678901234567890.123456789]", CDCRT_TYPE_DECIMAL, CDCRT_TYPE_DECIMAL) == "{\"12345678901234567890.123456789\"}");
  CHECK(constant("[\"NaN\"]", CDCRT_TYPE_FLOAT64, CDCRT_TYPE_FLOAT64) == "{\"NaN\"}");
  CHECK(constant("[1.17549435E-38]", CDCRT_TYPE_FLOAT32, CDCRT_TYPE_FLOAT32) == "{1.1754943508222875e-38}");
  CHECK(constant("[\"AP8=\",\"\"]", CDCRT_TYPE_BYTES, CDCRT_TYPE_BYTES) == "{\"\\\\x00ff\",\"\\\\x\"}");
  CHECK(constant("[\"AP8=\"]", CDCRT_TYPE_BYTES, CDCRT_TYPE_STRING) == "{\"AP8=\"}");
  CHECK(constant(R"([{"a":"]"}, {"b":"}"}])", kAny, CDCRT_TYPE_JSON) == R"({"{\"a\":\"]\"}","{\"b\":\"}\"}"})");
}

TEST_CASE("array: dates and times are written as the server reads them, and nothing else is taken for one") {
  CHECK(constant("[\"2024-01-01\",\"infinity\"]", CDCRT_TYPE_DATE, CDCRT_TYPE_DATE) == "{\"2024-01-01\",\"infinity\"}");
  CHECK(constant("[\"-0043-08-22\"]", CDCRT_TYPE_DATE, CDCRT_TYPE_DATE) == "{\"0044-08-22 BC\"}");
  CHECK(constant("[\"2024-01-01T00:00:00.5\"]", CDCRT_TYPE_TIMESTAMP, CDCRT_TYPE_TIMESTAMP) == "{\"2024-01-01 00:00:00.500000\"}");
  CHECK(constant("[\"2024-01-01T02:00:00+02:00\"]", kAny, CDCRT_TYPE_TIMESTAMPTZ) == "{\"2024-01-01 00:00:00+00:00\"}");
  CHECK(constant("[\"2024-01-01T00:00:00.1234567\"]", kAny, CDCRT_TYPE_TIMESTAMP) == "{\"2024-01-01T00:00:00.1234567\"}");
  CHECK(constant("[\"now\"]", kAny, CDCRT_TYPE_TIMESTAMP) == "refused");
  CHECK(constant("[\"today\"]", CDCRT_TYPE_STRING, CDCRT_TYPE_DATE) == "refused");
  CHECK(constant("[\"today\"]", CDCRT_TYPE_STRING, CDCRT_TYPE_STRING) == "{\"today\"}");
}

TEST_CASE("array: what PostgreSQL has no array for is refused") {
  for (const char* text : {"", "1", "{}", "[", "[1", "[1]x", "[1 2]", "[,]", "[\"\\ud800\"]", "[\"a\\u0000b\"]", "[[]]", "[[1],[]]",
                           "[[[[[[[1]]]]]]]", "[\"a]"}) {
    CAPTURE(text);
    CHECK(constant(text, kAny, CDCRT_TYPE_STRING) == "refused");
  }
  CHECK(constant("[\"*\"]", CDCRT_TYPE_BYTES, CDCRT_TYPE_BYTES) == "refused");
  CHECK(constant("[\"AP8=\"]", CDCRT_TYPE_STRING, CDCRT_TYPE_BYTES) == "refused");
  CHECK(constant("[5]", kAny, CDCRT_TYPE_BYTES) == "refused");
  CHECK(constant("[123456]", kAny, CDCRT_TYPE_TIME) == "refused");
  CHECK(constant("[20240101]", CDCRT_TYPE_INT32, CDCRT_TYPE_DATE) == "refused");
  CHECK(constant("[true]", CDCRT_TYPE_BOOL, CDCRT_TYPE_INTERVAL) == "refused");
}

TEST_CASE("array: a constant becomes the JSON that it came from") {
  CHECK(json("{}", CDCRT_TYPE_INT32) == "[]");
  CHECK(json("{1,NULL,-3}", CDCRT_TYPE_INT32) == "[1,null,-3]");
  CHECK(json("{{1,2},{3,NULL}}", CDCRT_TYPE_INT64) == "[[1,2],[3,null]]");
  CHECK(json("[0:1]={1,2}", CDCRT_TYPE_INT64) == "[1,2]");
  CHECK(json("{a,\"b c\",NULL,\"NULL\",\"\",\"q\\\"\\\\\"}", CDCRT_TYPE_STRING) == R"(["a","b c",null,"NULL","","q\"\\"])");
  CHECK(json("{t,f}", CDCRT_TYPE_BOOL) == "[true,false]");
  CHECK(json("{1.50,NaN}", CDCRT_TYPE_DECIMAL) == "[1.50,\"NaN\"]");
  CHECK(json("{0.1,-Infinity}", CDCRT_TYPE_FLOAT64) == "[0.1,\"-Infinity\"]");
  CHECK(json("{\"\\\\x00ff\"}", CDCRT_TYPE_BYTES) == "[\"AP8=\"]");
  CHECK(json("{2024-01-01,\"0044-08-22 BC\"}", CDCRT_TYPE_DATE) == R"(["2024-01-01","-0043-08-22"])");
  CHECK(json("{\"2024-01-01 00:00:00.5\"}", CDCRT_TYPE_TIMESTAMP) == R"(["2024-01-01T00:00:00.500000"])");
  for (const char* text : {"", "{", "{1", "1}", "{1}x", "{,}", "{\"a}"}) {
    CAPTURE(text);
    CHECK(json(text, CDCRT_TYPE_STRING) == "refused");
  }
}

TEST_CASE("array: constants are told from JSON") {
  for (const char* text : {"{}", "{1}", "[0:1]={1,2}", "[-1:0][1:1]={{1},{2}}"}) CHECK(sql::is_array_constant(text));
  for (const char* text : {"", "[]", "[1]", "[\"x]={\"]", "[0:1]=", "a"}) CHECK_FALSE(sql::is_array_constant(text));
}
