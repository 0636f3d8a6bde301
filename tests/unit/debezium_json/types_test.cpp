// Every semantic type of Debezium's PostgreSQL and MySQL connectors, in every mode it can arrive in.
#include <doctest/doctest.h>

#include "cdcrt/sdk/base64.hpp"
#include "decoded.hpp"

using namespace cdcrt::test;

namespace {

struct Case {
  const char* field;     ///< schema of the column
  const char* value;     ///< JSON in the event
  const char* type;      ///< of the column
  const char* expected;  ///< cell; "" for ABSENT
};

#define DECIMAL(scale, precision)                                                                                              \
  R"("type":"bytes","optional":true,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":")" scale \
  R"(","connect.decimal.precision":")" precision R"("})"
#define NAMED(type, name) R"("type":")" type R"(","optional":true,"version":1,"name":")" name R"(")"
#define VARIABLE \
  R"("type":"struct","fields":[{"type":"int32","optional":false,"field":"scale"},{"type":"bytes","optional":false,"field":"value"}],"optional":true,"name":"io.debezium.data.VariableScaleDecimal","version":1)"
#define BITS(length) R"("type":"bytes","optional":true,"name":"io.debezium.data.Bits","version":1,"parameters":{"length":")" length R"("})"
#define ARRAY_OF(items) R"("type":"array","optional":true,"items":{)" items "}"
#define SOURCE_TYPE(type, length, scale)                                                    \
  R"("type":"string","optional":true,"parameters":{"__debezium.source.column.type":")" type \
  R"(","__debezium.source.column.length":")" length R"(","__debezium.source.column.scale":")" scale R"("})"

const Case kCases[] = {
    // plain
    {R"("type":"boolean","optional":true)", "true", "BOOL", "BOOL 1"},
    {R"("type":"int8","optional":true)", "-128", "INT8", "I64 -128"},
    {R"("type":"int16","optional":true)", "-32768", "INT16", "I64 -32768"},
    {R"("type":"int32","optional":true)", "2147483647", "INT32", "I64 2147483647"},
    {R"("type":"int64","optional":true)", "-9223372036854775808", "INT64", "I64 -9223372036854775808"},
    {R"("type":"float","optional":true)", "1.4E-45", "FLOAT32", "F64 1.4000000000000001e-45"},
    {R"("type":"float","optional":true)", "3.4e+38", "FLOAT32", "F64 3.4e+38"},
    {R"("type":"double","optional":true)", "1.7976931348623157E308", "FLOAT64", "F64 1.7976931348623157e+308"},
    {R"("type":"double","optional":true)", "4.9E-324", "FLOAT64", "F64 4.9406564584124654e-324"},
    {R"("type":"double","optional":true)", "-0.0", "FLOAT64", "F64 -0"},
    {R"("type":"double","optional":true)", "\"NaN\"", "FLOAT64", "F64 nan"},
    {R"("type":"double","optional":true)", "NaN", "FLOAT64", "F64 nan"},
    {R"("type":"double","optional":true)", "\"-Infinity\"", "FLOAT64", "F64 -inf"},
    {R"("type":"double","optional":true)", "Infinity", "FLOAT64", "F64 inf"},
    {R"("type":"string","optional":true)", R"("a\"\\\n\u00e9\ud83d\ude00 é")", "STRING", "STRING a\"\\\né😀 é"},
    {R"("type":"string","optional":true)", "\"\"", "STRING", "STRING "},
    {R"("type":"string","optional":true)", "null", "STRING", "NULL"},
    {R"("type":"bytes","optional":true)", "\"AP8Q\"", "BYTES", "BYTES 00ff10"},
    {R"("type":"bytes","optional":true)", "\"\"", "BYTES", "BYTES "},
    {R"("type":"bytes","optional":true)", "\"-_8=\"", "BYTES", "BYTES fbff"},
    // binary.handling.mode base64, base64-url-safe, hex: strings by declaration
    {R"("type":"string","optional":true)", "\"AP8Q\"", "STRING", "STRING AP8Q"},
    {R"("type":"string","optional":true)", "\"00ff10\"", "STRING", "STRING 00ff10"},
    // column.propagate.source.type
    {SOURCE_TYPE("VARCHAR", "40", "0"), "\"v\"", "STRING(40)", "STRING v"},
    {SOURCE_TYPE("bpchar", "5", "0"), "\"ab   \"", "STRING(5)", "STRING ab   "},
    {SOURCE_TYPE("TEXT", "2147483647", "0"), "\"v\"", "STRING", "STRING v"},
    {SOURCE_TYPE("NUMERIC", "12", "2"), "\"-10.50\"", "DECIMAL(12,2)", "DECIMAL -10.50"},
    {SOURCE_TYPE("NUMERIC", "12", "2"), "\"NAN\"", "DECIMAL(12,2)", "DECIMAL NaN"},
    {SOURCE_TYPE("NUMERIC", "12", "2"), "\"POSITIVE_INFINITY\"", "DECIMAL(12,2)", "DECIMAL Infinity"},
    {SOURCE_TYPE("NUMERIC", "12", "2"), "\"NEGATIVE_INFINITY\"", "DECIMAL(12,2)", "DECIMAL -Infinity"},
    {SOURCE_TYPE("NUMERIC", "5", "2045"), "\"12345000\"", "DECIMAL(5,-3)", "DECIMAL 12345000"},
    // decimal.handling.mode precise, double, string
    {DECIMAL("2", "5"), "\"/nlh\"", "DECIMAL(5,2)", "DECIMAL -999.99"},
    {DECIMAL("10", "38"), "\"CUmw9vACMxPESZBOzGdFFQ==\"", "DECIMAL(38,10)", "DECIMAL 1234567890123456789012345678.0123456789"},
    {DECIMAL("2", "12"), "\"AA==\"", "DECIMAL(12,2)", "DECIMAL 0.00"},
    {DECIMAL("4", "4"), "\"/w==\"", "DECIMAL(4,4)", "DECIMAL -0.0001"},
    {DECIMAL("0", "20"), "\"AP//////////\"", "DECIMAL(20,0)", "DECIMAL 18446744073709551615"},
    {DECIMAL("-3", "5"), "\"DA==\"", "DECIMAL(5,-3)", "DECIMAL 12000"},
    {DECIMAL("2045", "5"), "\"AA==\"", "DECIMAL(5,-3)", "DECIMAL 0"},
    {DECIMAL("0", "40"), "\"gAAAAAAAAAAAAAAAAAAAAA==\"", "DECIMAL(40,0)", "DECIMAL -170141183460469231731687303715884105728"},
    {DECIMAL("1", "40"), "\"AP//////////////////////\"", "DECIMAL(40,1)", "DECIMAL 8711228593176024664662389950253266213273.5"},
    {DECIMAL("0", "50"), "\"AQAAAAAAAAAAAAAAAAAAAAA=\"", "DECIMAL(50,0)", "DECIMAL 340282366920938463463374607431768211456"},
    {DECIMAL("0", "50"), "\"/wAAAAAAAAAAAAAAAAAAAAA=\"", "DECIMAL(50,0)", "DECIMAL -340282366920938463463374607431768211456"},
    {DECIMAL("2", "5"), "1.50", "DECIMAL(5,2)", "DECIMAL 1.50"},
    {R"("type":"double","optional":true)", "-999.99", "FLOAT64", "F64 -999.99000000000001"},
    {R"("type":"string","optional":true)", "\"-999.99\"", "STRING", "STRING -999.99"},
    {VARIABLE, R"({"scale":9,"value":"XODppWAV/sWq36MorjmBFQ=="})", "DECIMAL(0,0)", "DECIMAL 123456789012345678901234567890.123456789"},
    {VARIABLE, R"({"scale":0,"value":"AA=="})", "DECIMAL(0,0)", "DECIMAL 0"},
    {VARIABLE, R"({"scale":21,"value":"/w=="})", "DECIMAL(0,0)", "DECIMAL -0.000000000000000000001"},
    // time.precision.mode adaptive, adaptive_time_microseconds, microseconds, nanoseconds
    {NAMED("int32", "io.debezium.time.Date"), "-719162", "DATE", "DATE -719162"},
    {NAMED("int32", "io.debezium.time.Date"), "-2147472692", "DATE", "DATE 9223372036854775807"},
    {NAMED("int32", "io.debezium.time.Date"), "-622191234", "DATE", "DATE 9223372036854775807"},
    {NAMED("int32", "io.debezium.time.Date"), "-625821272", "DATE", "DATE -9223372036854775808"},
    {NAMED("int32", "io.debezium.time.Date"), "-2147472691", "DATE", "DATE -9223372036854775808"},
    {NAMED("int32", "io.debezium.time.Time"), "86399999", "TIME", "TIME 86399999000"},
    {NAMED("int64", "io.debezium.time.MicroTime"), "-3020399000000", "TIME", "TIME -3020399000000"},
    {NAMED("int64", "io.debezium.time.NanoTime"), "86399999999000", "TIME", "TIME 86399999999"},
    {NAMED("int64", "io.debezium.time.Timestamp"), "981173106789", "TIMESTAMP", "TIMESTAMP 981173106789000"},
    {NAMED("int64", "io.debezium.time.Timestamp"), "9223372036825200", "TIMESTAMP", "TIMESTAMP 9223372036854775807"},
    {NAMED("int64", "io.debezium.time.Timestamp"), "-9223372036832400000", "TIMESTAMP", "TIMESTAMP -9223372036854775808"},
    {NAMED("int64", "io.debezium.time.MicroTimestamp"), "946684799999999", "TIMESTAMP", "TIMESTAMP 946684799999999"},
    {NAMED("int64", "io.debezium.time.MicroTimestamp"), "-63517953600000000", "TIMESTAMP", "TIMESTAMP -63517953600000000"},
    {NAMED("int64", "io.debezium.time.MicroTimestamp"), "9223372036825200000", "TIMESTAMP", "TIMESTAMP 9223372036854775807"},
    {NAMED("int64", "io.debezium.time.MicroTimestamp"), "-9223372036832400000", "TIMESTAMP", "TIMESTAMP -9223372036854775808"},
    {NAMED("int64", "io.debezium.time.NanoTimestamp"), "-1000", "TIMESTAMP", "TIMESTAMP -1"},
    {NAMED("string", "io.debezium.time.ZonedTimestamp"), "\"2024-02-29T03:00:00.123456Z\"", "TIMESTAMPTZ", "TIMESTAMPTZ 1709175600123456"},
    {NAMED("string", "io.debezium.time.ZonedTimestamp"), "\"2024-02-29T08:30:00+05:30\"", "TIMESTAMPTZ", "TIMESTAMPTZ 1709175600000000"},
    {NAMED("string", "io.debezium.time.ZonedTimestamp"), "\"infinity\"", "TIMESTAMPTZ", "TIMESTAMPTZ 9223372036854775807"},
    {NAMED("string", "io.debezium.time.ZonedTimestamp"), "\"-infinity\"", "TIMESTAMPTZ", "TIMESTAMPTZ -9223372036854775808"},
    {NAMED("string", "io.debezium.time.ZonedTimestamp"), "\"2024-02-29T03:00:00.1234567Z\"", "TIMESTAMPTZ",
     "STRING 2024-02-29T03:00:00.1234567Z"},
    {NAMED("int64", "io.debezium.time.NanoTimestamp"), "-1", "TIMESTAMP", "STRING 1969-12-31T23:59:59.999999999"},
    {NAMED("int64", "io.debezium.time.NanoTime"), "1000000100", "TIME", "STRING 00:00:01.000000100"},
    {NAMED("string", "io.debezium.time.ZonedTime"), "\"07:04:56.789Z\"", "TIMETZ", "STRING 07:04:56.789Z"},
    // connect, isostring
    {NAMED("int32", "org.apache.kafka.connect.data.Date"), "1", "DATE", "DATE 1"},
    {NAMED("int32", "org.apache.kafka.connect.data.Time"), "1", "TIME", "TIME 1000"},
    {NAMED("int64", "org.apache.kafka.connect.data.Timestamp"), "-1", "TIMESTAMP", "TIMESTAMP -1000"},
    {NAMED("string", "io.debezium.time.IsoDate"), "\"1970-01-03Z\"", "DATE", "DATE 2"},
    {NAMED("string", "io.debezium.time.IsoDate"), "\"-0043-03-15Z\"", "DATE", "DATE -735160"},
    {NAMED("string", "io.debezium.time.IsoTime"), "\"00:00:01.5Z\"", "TIME", "TIME 1500000"},
    {NAMED("string", "io.debezium.time.IsoDate"), "\"+292278994-08-16Z\"", "DATE", "DATE 9223372036854775807"},
    {NAMED("string", "io.debezium.time.IsoDate"), "\"+292269055-12-02Z\"", "DATE", "DATE -9223372036854775808"},
    {NAMED("string", "io.debezium.time.IsoDate"), "\"-5877611-06-21Z\"", "DATE", "DATE 9223372036854775807"},
    {NAMED("string", "io.debezium.time.IsoDate"), "\"-5877611-06-22Z\"", "DATE", "DATE -9223372036854775808"},
    {NAMED("string", "io.debezium.time.IsoDate"), "\"+5874897-12-31Z\"", "DATE", "DATE 2145042905"},
    {NAMED("string", "io.debezium.time.IsoTimestamp"), "\"+294247-01-10T04:00:25.2Z\"", "TIMESTAMP", "TIMESTAMP 9223372036854775807"},
    {NAMED("string", "io.debezium.time.IsoTimestamp"), "\"-290308-12-21T19:59:27.6Z\"", "TIMESTAMP", "TIMESTAMP -9223372036854775808"},
    {NAMED("string", "io.debezium.time.IsoTimestamp"), "\"1970-01-01T00:00:01.000001Z\"", "TIMESTAMP", "TIMESTAMP 1000001"},
    {NAMED("int32", "io.debezium.time.Year"), "2024", "INT32", "I64 2024"},
    // interval.handling.mode numeric, string
    {NAMED("int64", "io.debezium.time.MicroDuration"), "37091106500000", "INTERVAL", "INTERVAL PT37091106.5S"},
    {NAMED("int64", "io.debezium.time.MicroDuration"), "-3500001", "INTERVAL", "INTERVAL PT-3.500001S"},
    {NAMED("int64", "io.debezium.time.MicroDuration"), "0", "INTERVAL", "INTERVAL PT0S"},
    {NAMED("int64", "io.debezium.time.NanoDuration"), "1", "INTERVAL", "INTERVAL PT0.000000001S"},
    {NAMED("string", "io.debezium.time.Interval"), "\"P1Y2M3DT4H5M6.5S\"", "INTERVAL", "INTERVAL P1Y2M3DT4H5M6.5S"},
    // bits: little-endian
    {BITS("8"), "\"qg==\"", "STRING(8)", "STRING 10101010"},
    {BITS("10"), "\"AwI=\"", "STRING(10)", "STRING 1000000011"},
    {BITS("10"), "\"AQ==\"", "STRING(10)", "STRING 0000000001"},
    {R"("type":"bytes","optional":true,"name":"io.debezium.data.Bits","version":1,"parameters":{"length":"20","__debezium.source.column.type":"VARBIT"})",
     "\"Cw==\"", "STRING", "STRING 1011"},
    {BITS("2147483647"), "\"BQ==\"", "STRING", "STRING 101"},
    // text-like
    {NAMED("string", "io.debezium.data.Json"), R"("{\"a\": 1.50}")", "JSON", "JSON {\"a\": 1.50}"},
    {NAMED("string", "io.debezium.data.Xml"), "\"<a>1</a>\"", "STRING", "STRING <a>1</a>"},
    {NAMED("string", "io.debezium.data.Uuid"), "\"6F1B1AD0-0000-4000-8000-00000000ABCD\"", "UUID",
     "UUID 6f1b1ad0-0000-4000-8000-00000000abcd"},
    {NAMED("string", "io.debezium.data.Enum"), "\"happy\"", "STRING", "STRING happy"},
    {NAMED("string", "io.debezium.data.Enum"), R"("b\\,c,\\d\\")", "STRING", R"(STRING b,c,\d\)"},
    {NAMED("string", "io.debezium.data.EnumSet"), "\"a,b\"", "STRING", "STRING a,b"},
    {NAMED("string", "io.debezium.data.Ltree"), "\"a.b.c\"", "STRING", "STRING a.b.c"},
    {NAMED("string", "io.debezium.data.TsVector"), "\"'a':1\"", "STRING", "STRING 'a':1"},
    // structures
    {R"("type":"struct","fields":[{"type":"double","field":"x"},{"type":"double","field":"y"},{"type":"bytes","field":"wkb"},{"type":"int32","field":"srid"}],"optional":true,"name":"io.debezium.data.geometry.Point","version":1)",
     R"({"x":1.50,"y":-2.0,"wkb":"AQE=","srid":null})", "JSON", R"(JSON {"x":1.50,"y":-2.0,"wkb":"AQE=","srid":null})"},
    {R"("type":"map","keys":{"type":"string"},"values":{"type":"string","optional":true},"optional":true)", R"({"a":"1","b":null})", "JSON",
     R"(JSON {"a":"1","b":null})"},
    {NAMED("array", "io.debezium.data.DoubleVector") R"(,"items":{"type":"double"})", "[1.5,-2.0E0]", "FLOAT64[]", "ARRAY [1.5,-2.0E0]"},
    {NAMED("array", "io.debezium.data.FloatVector") R"(,"items":{"type":"float"})", "[1.5]", "FLOAT32[]", "ARRAY [1.5]"},
    {R"("type":"struct","name":"io.debezium.data.SparseVector","fields":[{"type":"int16","field":"dimensions"},{"type":"map","keys":{"type":"int16"},"values":{"type":"double"},"field":"vector"}],"optional":true)",
     R"({"dimensions":5,"vector":[[1,2.5]]})", "JSON", R"(JSON {"dimensions":5,"vector":[[1,2.5]]})"},
    // arrays: nothing inside stays encoded
    {ARRAY_OF(R"("type":"int32","optional":true)"), "[1, null, 3]", "INT32[]", "ARRAY [1, null, 3]"},
    {ARRAY_OF(R"("type":"string","optional":true)"), R"(["a","b \"c\"",null])", "STRING[]", R"(ARRAY ["a","b \"c\"",null])"},
    {ARRAY_OF(DECIMAL("3", "8")), R"(["Bdw=","CMo=",null])", "DECIMAL(8,3)[]", "ARRAY [1.500,2.250,null]"},
    {ARRAY_OF(VARIABLE), R"([{"scale":1,"value":"Dw=="}])", "DECIMAL(0,0)[]", "ARRAY [1.5]"},
    {ARRAY_OF(NAMED("int32", "io.debezium.time.Date")), "[0,-719162]", "DATE[]", R"(ARRAY ["1970-01-01","0001-01-01"])"},
    {ARRAY_OF(NAMED("int64", "io.debezium.time.MicroTimestamp")), "[1704067200000006]", "TIMESTAMP[]",
     R"(ARRAY ["2024-01-01T00:00:00.000006"])"},
    {ARRAY_OF(NAMED("int64", "io.debezium.time.MicroTime")), "[1500000]", "TIME[]", R"(ARRAY ["00:00:01.500000"])"},
    {ARRAY_OF(R"("type":"bytes","optional":true)"), R"(["AP8Q"])", "BYTES[]", R"(ARRAY ["AP8Q"])"},
    {ARRAY_OF(ARRAY_OF(DECIMAL("1", "8"))), R"([["Dw=="],[]])", "DECIMAL(8,1)[]", "ARRAY [[1.5],[]]"},
    {ARRAY_OF(BITS("8")), R"(["qg=="])", "STRING(8)[]", R"(ARRAY ["10101010"])"},
    {ARRAY_OF(NAMED("string", "io.debezium.time.ZonedTimestamp")), R"(["2024-01-01T00:00:00.5Z"])", "TIMESTAMPTZ[]",
     R"(ARRAY ["2024-01-01T00:00:00.5Z"])"},
    {ARRAY_OF(NAMED("string", "io.debezium.data.Uuid")), R"(["A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"])", "UUID[]",
     R"(ARRAY ["A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"])"},
    {ARRAY_OF(NAMED("string", "io.debezium.data.Json")), R"(["{\"a\":1}"])", "JSON[]", R"(ARRAY ["{\"a\":1}"])"},
    {ARRAY_OF(R"("type":"boolean","optional":true)"), "[true,null]", "BOOL[]", "ARRAY [true,null]"},
    {ARRAY_OF(R"("type":"map","keys":{"type":"string"},"values":{"type":"string"})"), R"([{"a":"1"}])", "ARRAY", R"(ARRAY [{"a":"1"}])"},
    {ARRAY_OF(ARRAY_OF(R"("type":"int32","optional":true)")), "[[1,2],[3,null]]", "INT32[]", "ARRAY [[1,2],[3,null]]"},
    // unavailable, in every disguise
    {R"("type":"string","optional":true)", "\"__debezium_unavailable_value\"", "STRING", ""},
    {R"("type":"bytes","optional":true)", "\"X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==\"", "BYTES", ""},
    {R"("type":"string","optional":true)", "\"5f5f646562657a69756d5f756e617661696c61626c655f76616c7565\"", "STRING", ""},
    {NAMED("string", "io.debezium.data.Json"), "\"__debezium_unavailable_value\"", "JSON", ""},
    {NAMED("string", "io.debezium.time.ZonedTimestamp"), "\"__debezium_unavailable_value\"", "TIMESTAMPTZ", ""},
    {ARRAY_OF(R"("type":"string","optional":true)"), "[\"__debezium_unavailable_value\"]", "STRING[]", ""},
    {ARRAY_OF(R"("type":"int32","optional":true)"),
     "[95,95,100,101,98,101,122,105,117,109,95,117,110,97,118,97,105,108,97,98,108,101,95,118,97,108,117,101]", "INT32[]", ""},
    {R"("type":"map","keys":{"type":"string"},"values":{"type":"string","optional":true},"optional":true)",
     R"({"__debezium_unavailable_value":"__debezium_unavailable_value"})", "JSON", ""},
    {R"("type":"string","optional":true)", "\"x __debezium_unavailable_value\"", "STRING", "STRING x __debezium_unavailable_value"},
};

struct Bare {
  const char* value;
  const char* expected;
};

const Bare kBare[] = {
    {"1", "I64 1"},
    {"-9223372036854775808", "I64 -9223372036854775808"},
    {"18446744073709551615", "U64 18446744073709551615"},
    {"18446744073709551616", "DECIMAL 18446744073709551616"},
    {"-9223372036854775809", "DECIMAL -9223372036854775809"},
    {"1.50", "DECIMAL 1.50"},
    {"-1.5E-3", "DECIMAL -0.0015"},
    {"1.5e3", "DECIMAL 1500"},
    {"0e5", "DECIMAL 0"},
    {"1E400", nullptr},
    {"true", "BOOL 1"},
    {"null", "NULL"},
    {"\"2024-01-01\"", "STRING 2024-01-01"},
    {R"({ "a" : 1.50, "b":"x\u00e9}" })", R"(JSON { "a" : 1.50, "b":"x\u00e9}" })"},
    {"[1, [2]]", "ARRAY [1, [2]]"},
    {"\"__debezium_unavailable_value\"", ""},
    {"[\"__debezium_unavailable_value\"]", ""},
};

}  // namespace

TEST_CASE("types: every semantic type in every mode becomes its exact cell") {
  for (const auto& test : kCases) {
    CAPTURE(test.field);
    CAPTURE(test.value);
    const Decoded decoded = decode({with_schema(test.field, test.value)});
    if (!decoded.rejects.empty()) FAIL_CHECK(decoded.rejects[0].text);
    REQUIRE(decoded.rows.size() == 1);
    const TestRow& row = decoded.rows[0];
    CHECK(row.columns.at("v").type == test.type);
    CHECK(row.cells.count("v") == (test.expected[0] == '\0' ? 0 : 1));
    if (row.cells.count("v") != 0) CHECK(row.cells.at("v") == test.expected);
    CHECK(row.cells.at("id") == "I64 1");
  }
}

TEST_CASE("types: without schema a value is what it is in JSON") {
  for (const auto& test : kBare) {
    CAPTURE(test.value);
    const Decoded decoded = decode({without_schema(test.value)});
    if (!decoded.rejects.empty()) FAIL_CHECK(decoded.rejects[0].text);
    REQUIRE(decoded.rows.size() == 1);
    const TestRow& row = decoded.rows[0];
    CHECK_FALSE(row.declared);
    CHECK(row.columns.at("v").type == "UNKNOWN");
    const std::string power = "DECIMAL 1" + std::string(400, '0');
    const std::string expected = test.expected == nullptr ? power : test.expected;
    CHECK(row.cells.count("v") == (expected.empty() ? 0 : 1));
    if (row.cells.count("v") != 0) CHECK(row.cells.at("v") == expected);
  }
}

TEST_CASE("types: a number of 400 digits arrives whole, beside others in the same row") {
  const std::string digits = "1" + std::string(399, '7');
  for (const auto& sign : {"", "-"}) {
    const Decoded decoded = decode({without_schema(sign + digits), without_schema("{\"n\":" + digits + ",\"m\":0.10}")});
    REQUIRE(decoded.rows.size() == 2);
    CHECK(decoded.rows[0].cells.at("v") == "DECIMAL " + (sign + digits));
    CHECK(place_of(decoded.rows[0].order) == "00000000000001020000000000000102");
    CHECK(decoded.rows[1].cells.at("v") == "JSON {\"n\":" + digits + ",\"m\":0.10}");
  }
}

TEST_CASE("types: a decimal of thousands of digits arrives whole") {
  // 2^7992: a one and 999 bytes of zeros.
  std::string base64 = "AQAA";
  for (int i = 0; i < 332; ++i) base64 += "AAAA";
  base64 += "AA==";
  const Decoded decoded = decode({with_schema(DECIMAL("0", "2408"), "\"" + base64 + "\"")});
  REQUIRE(decoded.rows.size() == 1);
  const std::string cell = decoded.rows[0].cells.at("v");
  CHECK(cell.size() == 8 + 2406);
  CHECK(cell.substr(cell.size() - 5) == "60896");
  CHECK(cell.substr(8, 10) == "6787742312");
}

TEST_CASE("types: a numeric of PostgreSQL that rounds before the point comes as what it is") {
  // numeric(5,-3), 12345000: the connector reads the scale as 2045 and gives as many zeros.
  std::string digits = "12345000" + std::string(2045, '0');
  std::string bytes;  // big-endian, of nine digits and then one at a time
  while (digits != "0") {
    int rest = 0;
    std::string quotient;
    for (const char c : digits) {
      rest = rest * 10 + (c - '0');
      if (!quotient.empty() || rest / 256 != 0) quotient += static_cast<char>('0' + rest / 256);
      rest %= 256;
    }
    bytes.insert(bytes.begin(), static_cast<char>(rest));
    digits = quotient.empty() ? "0" : quotient;
  }
  bytes.insert(bytes.begin(), '\0');
  const Decoded decoded = decode({with_schema(DECIMAL("2045", "5"), "\"" + cdcrt::sdk::encode_base64(bytes) + "\"")});
  REQUIRE(decoded.rows.size() == 1);
  CHECK(decoded.rows[0].columns.at("v").type == "DECIMAL(5,-3)");
  CHECK(decoded.rows[0].cells.at("v") == "DECIMAL 12345000");
}

TEST_CASE("types: a value that its column cannot be is rejected with column, place and reason") {
  struct Bad {
    const char* field;
    const char* value;
    const char* reason;
  };
  const Bad bad[] = {
      {R"("type":"int16","optional":true)", "32768", "beyond the range"},
      {R"("type":"int32","optional":true)", "1.5", "not a 64-bit integer"},
      {R"("type":"int32","optional":true)", "\"1\"", "not a 64-bit integer"},
      {R"("type":"boolean","optional":true)", "1", "not a boolean"},
      {R"("type":"string","optional":true)", "1", "not a string"},
      {R"("type":"double","optional":true)", "1e400", "beyond the range of a double"},
      {R"("type":"bytes","optional":true)", "\"*\"", "not base64"},
      {DECIMAL("2", "5"), "\"\"", "without bytes"},
      {VARIABLE, R"({"scale":1})", "scale and value"},
      {NAMED("int64", "io.debezium.time.Timestamp"), "9223372036854775807", "64 bits"},
      {NAMED("string", "io.debezium.time.ZonedTimestamp"), "\"2024-02-30T00:00:00Z\"", "not a timestamp"},
      {NAMED("string", "io.debezium.time.ZonedTimestamp"), "\"+294276-12-31T23:59:59.999999Z\"", "no 64 bits of microseconds hold"},
      {NAMED("string", "io.debezium.data.Uuid"), "\"x\"", "not a UUID"},
      {NAMED("string", "io.debezium.data.Json"), R"("{\"a\": ")", "not JSON"},
      {NAMED("string", "io.debezium.data.Json"), "\"\"", "not JSON"},
      {ARRAY_OF(DECIMAL("3", "8")), "[\"*\"]", "not base64"},
  };
  for (const auto& test : bad) {
    CAPTURE(test.field);
    CAPTURE(test.value);
    const Decoded decoded = decode({with_schema(test.field, test.value), with_schema(R"("type":"int32","optional":true)", "5")});
    REQUIRE(decoded.rejects.size() == 1);
    CHECK(decoded.rejects[0].message == 0);
    CHECK(decoded.rejects[0].code == CDCRT_BAD_RECORD);
    CHECK(decoded.rejects[0].text.find("column \"v\"") != std::string::npos);
    CHECK(decoded.rejects[0].text.find(test.reason) != std::string::npos);
    CHECK(decoded.rejects[0].text.find("(byte ") != std::string::npos);
    CHECK_FALSE(decoded.rejects[0].hint.empty());
    REQUIRE(decoded.rows.size() == 1);
    CHECK(decoded.rows[0].cells.at("v") == "I64 5");
  }
}

TEST_CASE("types: constants of the schema become defaults, the epoch does not") {
  const auto column = [](const std::string& field) { return decode({with_schema(field, "null")}).rows.at(0).columns.at("v"); };
  CHECK(column(R"("type":"int32","optional":true,"default":5)").default_value == "I64 5");
  CHECK(column(R"("type":"boolean","optional":true,"default":true)").default_value == "BOOL 1");
  CHECK(column(R"("type":"string","optional":true,"default":"a text that is long enough to be on the heap")").default_value ==
        "STRING a text that is long enough to be on the heap");
  CHECK(column(DECIMAL("2", "12") R"(,"default":"AA==")").default_value == "DECIMAL 0.00");
  CHECK(column(NAMED("string", "io.debezium.time.ZonedTimestamp") R"(,"default":"1970-01-01T00:00:00.000000Z")").default_value.empty());
  CHECK(column(NAMED("int32", "io.debezium.time.Date") R"(,"default":0)").default_value.empty());
  CHECK(column(NAMED("int32", "io.debezium.time.Date") R"(,"default":19000)").default_value == "DATE 19000?");
  CHECK(column(R"("type":"int32","optional":false)").not_null);
  CHECK_FALSE(column(R"("type":"int32","optional":true)").not_null);
}

TEST_CASE("types: defaults of MySQL and MariaDB are read as their literals mean, and none is made up") {
  const auto column = [](const std::string& field, const std::string& value, const char* connector) {
    TestMessage message = with_schema(field, value);
    const std::size_t at = message.value->find("\"postgresql\"");
    REQUIRE(at != std::string::npos);
    message.value->replace(at, 12, '"' + std::string(connector) + '"');
    const Decoded decoded = decode({message});
    REQUIRE(decoded.rows.size() == 1);
    return decoded.rows[0].columns.at("v").default_value;
  };
  struct {
    std::string field;
    const char* value;
    const char* expected;
  } const cases[] = {
      {R"("type":"int32","optional":false)", "5", ""},
      {R"("type":"boolean","optional":false)", "true", ""},
      {R"("type":"double","optional":false)", "1.5", ""},
      {R"("type":"string","optional":false)", "\"x\"", ""},
      {R"("type":"bytes","optional":false,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"})",
       "\"AQ==\"", ""},
      {R"("type":"string","optional":false,"version":1,"name":"io.debezium.data.Enum","parameters":{"allowed":"a\\,b''c,d"})", "\"d\"", ""},
      {R"("type":"bytes","optional":false,"version":1,"name":"io.debezium.data.Bits","parameters":{"length":"4"})", "\"AQ==\"", ""},
      {NAMED("int32", "io.debezium.time.Date"), "1", ""},
      {R"("type":"int32","optional":false,"default":5)", "1", "I64 5"},
      {R"("type":"int32","optional":true)", "1", ""},
      {R"("type":"string","optional":true,"default":"it''s")", "null", "STRING it's"},
      {R"("type":"string","optional":true,"default":"a\\'b\\\\c\\td\\%")", "null", "STRING a'b\\c\td\\%"},
      {R"("type":"string","optional":true,"default":"a\"b")", "null", "STRING a\"b"},
      {R"("type":"string","optional":true,"default":"a\\0b")", "null", ""},
  };
  for (const auto& test : cases) {
    INFO(test.field);
    for (const char* connector : {"mysql", "mariadb"}) CHECK(column(test.field, test.value, connector) == test.expected);
  }
  CHECK(column(R"("type":"int32","optional":false)", "5", "sqlserver").empty());
  CHECK(column(R"("type":"string","optional":true,"default":"it''s")", "null", "postgresql") == "STRING it''s");
}

TEST_CASE("types: a null is null, whatever the default") {
  const Decoded decoded = decode({with_schema(R"("type":"int32","optional":true,"default":5)", "null")});
  CHECK(decoded.rows.at(0).cells.at("v") == "NULL");
}

TEST_CASE("types: another unavailable_value replaces the usual one") {
  const Options options{{"unavailable_value", "gone"}};
  CHECK(decode({without_schema("\"gone\"")}, "t", options).rows.at(0).cells.count("v") == 0);
  CHECK(decode({without_schema("\"Z29uZQ==\"")}, "t", options).rows.at(0).cells.count("v") == 0);
  CHECK(decode({without_schema("\"__debezium_unavailable_value\"")}, "t", options).rows.at(0).cells.count("v") == 1);
  CHECK_THROWS(decode({}, "t", {{"unavailable_value", ""}}));
}
