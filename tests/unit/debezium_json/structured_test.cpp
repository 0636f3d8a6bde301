// Values that are objects of their own: structured dates, times and durations, and numbers without a scale.
#include <doctest/doctest.h>

#include "decoded.hpp"

using namespace cdcrt::test;

namespace {

std::string structure(const std::string& name, const std::string& fields = "") {
  return R"("type":"struct","optional":true,"version":1,"name":"io.debezium.time.Structured)" + name + R"(","fields":[)" + fields + "]";
}

struct Case {
  std::string name;
  std::string value;
  std::string type;
  std::string expected;
};

const Case kCases[] = {
    {"Date", R"({"year":2026,"month":7,"day":4,"specialValue":null})", "DATE", "DATE 20638"},
    {"Date", R"({"year":-43,"month":3,"day":15,"specialValue":null})", "DATE", "DATE -735160"},
    {"Date", R"({"year":null,"month":null,"day":null,"specialValue":"POSITIVE_INFINITY"})", "DATE", "DATE 9223372036854775807"},
    {"Date", R"({"specialValue":"NEGATIVE_INFINITY"})", "DATE", "DATE -9223372036854775808"},
    {"Time", R"({"hour":23,"minute":59,"second":59,"nanos":999999000,"precision":6})", "TIME", "TIME 86399999999"},
    {"TimePrecision6", R"({"hour":24,"minute":0,"second":0,"picoseconds":0})", "TIME", "TIME 86400000000"},
    {"ZonedTime", R"({"hour":12,"minute":13,"second":14,"nanos":120000000,"offsetSeconds":32400})", "TIMETZ", "STRING 12:13:14.12+09:00"},
    {"ZonedTime", R"({"hour":0,"minute":0,"second":0,"nanos":0,"offsetSeconds":-1})", "TIMETZ", "STRING 00:00:00-00:00:01"},
    {"Timestamp", R"({"year":1970,"month":1,"day":2,"hour":0,"minute":0,"second":1,"nanos":1000,"specialValue":null,"precision":6})",
     "TIMESTAMP", "TIMESTAMP 86401000001"},
    {"TimestampPrecision3SourceColumn7473", R"({"year":1970,"month":1,"day":1,"hour":0,"minute":0,"second":0,"picoseconds":5000000000})",
     "TIMESTAMP", "TIMESTAMP 5000"},
    {"Timestamp", R"({"year":294246,"month":12,"day":31,"hour":23,"minute":59,"second":59,"nanos":999999000})", "TIMESTAMP",
     "TIMESTAMP 9223371244799999999"},
    {"Timestamp", R"({"specialValue":"NEGATIVE_INFINITY"})", "TIMESTAMP", "TIMESTAMP -9223372036854775808"},
    {"ZonedTimestamp",
     R"({"year":1970,"month":1,"day":1,"hour":2,"minute":0,"second":5,"nanos":0,"offsetSeconds":7200,"zoneId":"Europe/Berlin"})",
     "TIMESTAMPTZ", "TIMESTAMPTZ 5000000"},
    {"ZonedTimestamp", R"({"year":1970,"month":1,"day":1,"hour":0,"minute":0,"second":5,"nanos":null,"offsetSeconds":null,"zoneId":null})",
     "TIMESTAMPTZ", "TIMESTAMPTZ 5000000"},
    {"ZonedTimestamp", R"({"specialValue":"POSITIVE_INFINITY"})", "TIMESTAMPTZ", "TIMESTAMPTZ 9223372036854775807"},
    {"Duration", R"({"years":1,"months":2,"days":3,"hours":4,"minutes":5,"seconds":6,"nanos":500000000,"precision":6})", "INTERVAL",
     "INTERVAL P1Y2M3DT4H5M6.5S"},
    {"Duration", R"({"years":-1,"months":0,"days":3,"hours":-838,"minutes":-59,"seconds":-58,"nanos":-999999000})", "INTERVAL",
     "INTERVAL P-1Y3DT-838H-59M-58.999999S"},
    {"Duration", R"({"years":0,"months":0,"days":0,"hours":0,"minutes":0,"seconds":0,"nanos":0})", "INTERVAL", "INTERVAL PT0S"},
    {"Duration", R"({"days":1})", "INTERVAL", "INTERVAL P1D"},
    {"Duration", R"({"seconds":2,"nanos":-500000000})", "INTERVAL", "INTERVAL PT1.5S"},
    {"Duration", R"({"seconds":0,"picoseconds":-1})", "INTERVAL", "INTERVAL PT-0.000000000001S"},
    {"Date", "null", "DATE", "NULL"},
};

TestMessage without(const std::string& id, const std::string& row, const std::string& operation = "c") {
  return {"{\"ID\":" + id + "}",
          R"({"before":null,"after":)" + row + R"(,"source":{"connector":"oracle","db":"ORCL","schema":"S","table":"T","scn":"1"},"op":")" +
              operation + "\"}",
          {}};
}

}  // namespace

TEST_CASE("structured values: dates, times and durations have types") {
  for (const auto& one : kCases) {
    CAPTURE(one.name);
    CAPTURE(one.value);
    const Decoded decoded = decode({with_schema(structure(one.name), one.value)});
    for (const auto& reject : decoded.rejects) CAPTURE(reject.text);
    REQUIRE(decoded.rows.size() == 1);
    CHECK(decoded.rows[0].columns.at("v").type == one.type);
    CHECK(decoded.rows[0].cells.at("v") == one.expected);
  }
}

TEST_CASE("structured values: what is no date or time is rejected") {
  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{
           {"Date", R"({"year":2026,"month":2,"day":31})"},
           {"Date", R"({"year":null,"month":null,"day":null})"},
           {"Date", R"({"year":2026,"month":1})"},
           {"Date", R"({"specialValue":"NOON"})"},
           {"Date", "5"},
           {"Date", "{}"},
           {"Date", R"({"year":"2026","month":1,"day":1})"},
           {"Date", R"({"year":2026,"month":-1,"day":1})"},
           {"Date", R"({"year":-9223372036854775808,"month":1,"day":1})"},
           {"Time", R"({"hour":1,"minute":60,"second":0})"},
           {"Time", R"({"hour":1,"minute":0,"second":0,"nanos":1000000000})"},
           {"Time", R"({"hour":1,"minute":0,"second":0,"nanos":-1})"},
           {"Time", R"({"hour":1,"minute":0,"second":0,"picoseconds":9223372036854775807})"},
           {"Duration", "{}"},
           {"Duration", R"({"specialValue":"POSITIVE_INFINITY"})"},
           {"Duration", R"({"days":1.5})"},
           {"ZonedTimestamp", R"({"year":2026,"month":1,"day":1,"hour":0,"minute":0,"second":0,"zoneId":"Asia/Seoul"})"},
           {"ZonedTime", R"({"hour":0,"minute":0,"second":0,"offsetSeconds":86400})"},
           {"Timestamp", R"({"year":294276,"month":12,"day":31,"hour":0,"minute":0,"second":0})"},
           {"Timestamp", R"({"year":999999999,"month":1,"day":1,"hour":0,"minute":0,"second":0})"}}) {
    CAPTURE(name);
    CAPTURE(value);
    const Decoded decoded = decode({with_schema(structure(name), value)});
    CHECK(decoded.rows.empty());
    REQUIRE(decoded.rejects.size() == 1);
    CHECK(decoded.rejects[0].text.find("column \"v\"") != std::string::npos);
  }
}

TEST_CASE("structured values: a structure of a similar name stays JSON") {
  const Decoded decoded = decode({with_schema(structure("Timestamps"), R"({"year":1})")});
  CHECK(decoded.rows.at(0).cells.at("v") == R"(JSON {"year":1})");
}

TEST_CASE("structured values: inside arrays they are texts") {
  const std::string array = R"("type":"array","optional":true,"items":{)" + structure("Date") + "}";
  const Decoded decoded = decode({with_schema(array, R"([{"year":2026,"month":7,"day":4},null])")});
  CHECK(decoded.rows.at(0).cells.at("v") == R"(ARRAY ["2026-07-04",null])");
}

TEST_CASE("structured values: a number without a scale is a decimal without a schema too, in keys and deletes alike") {
  const std::string id = R"({"scale":0,"value":"BQ=="})";
  const Decoded decoded = decode({without(id, "{\"ID\":" + id + R"(,"RATE":{"value":"BOI=","scale":4}})"),
                                  without(id, "{\"ID\":" + id + R"(,"RATE":{"scale":0,"value":"+Q=="}})"), without(id, "null", "d"),
                                  TestMessage{"{\"ID\":" + id + "}", std::nullopt, {}}},
                                 "srv.S.T", {{"table_from_topic", "srv.{schema}.{table}"}});
  for (const auto& reject : decoded.rejects) CAPTURE(reject.text);
  REQUIRE(decoded.rows.size() == 4);
  CHECK(decoded.rows[0].cells == std::map<std::string, std::string>{{"ID", "DECIMAL 5"}, {"RATE", "DECIMAL 0.1250"}});
  CHECK(decoded.rows[1].cells.at("RATE") == "DECIMAL -7");
  CHECK(decoded.rows[2].operation == "DELETE");
  CHECK(decoded.rows[3].operation == "DELETE");
  for (const auto& row : decoded.rows) CHECK(row.cells.at("ID") == "DECIMAL 5");
}

TEST_CASE("structured values: dates, times and durations are known without a schema by their members") {
  for (
      const auto& [value, expected] : std::vector<std::pair<std::string, std::string>>{
          {R"({"year":2026,"month":7,"day":4,"specialValue":null})", "DATE 20638"},
          {R"({"year":null,"month":null,"day":null,"specialValue":"POSITIVE_INFINITY"})", "DATE 9223372036854775807"},
          {R"({"year":1970,"month":1,"day":2,"hour":0,"minute":0,"second":1,"nanos":1000,"specialValue":null,"precision":6})",
           "TIMESTAMP 86401000001"},
          {R"({"year":1970,"month":1,"day":1,"hour":2,"minute":0,"second":5,"nanos":0,"offsetSeconds":7200,"zoneId":null,"specialValue":null,"precision":6})",
           "TIMESTAMPTZ 5000000"},
          {R"({"hour":23,"minute":59,"second":59,"nanos":999999000,"precision":6})", "TIME 86399999999"},
          {R"({"hour":12,"minute":13,"second":14,"nanos":0,"offsetSeconds":0,"precision":6})", "STRING 12:13:14+00:00"},
          {R"({"years":1,"months":2,"days":3,"hours":4,"minutes":5,"seconds":6,"nanos":500000000,"precision":6})",
           "INTERVAL P1Y2M3DT4H5M6.5S"},
          {R"({"year":2026,"month":7,"day":4})", R"(JSON {"year":2026,"month":7,"day":4})"},
          {R"({"hour":1,"minute":2,"second":3,"nanos":0,"by":"x"})", R"(JSON {"hour":1,"minute":2,"second":3,"nanos":0,"by":"x"})"}}) {
    CAPTURE(value);
    const Decoded decoded = decode({without("1", "{\"ID\":1,\"V\":" + value + "}")});
    REQUIRE(decoded.rows.size() == 1);
    CHECK(decoded.rows[0].cells.at("V") == expected);
  }
  CHECK(decode({without("1", R"({"ID":1,"V":{"year":2026,"month":2,"day":31,"specialValue":null}})")}).rejects.size() == 1);
}

TEST_CASE("structured values: elements of an array are known without a schema as a column of its own is") {
  for (const auto& [value, expected] : std::vector<std::pair<std::string, std::string>>{
           {R"([{"scale":1,"value":"Bg=="},null,{"scale":0,"value":"+Q=="}])", "[0.6,null,-7]"},
           {R"([[{"scale":1,"value":"Bg=="}],[{"scale":0,"value":"BQ=="}]])", "[[0.6],[5]]"},
           {R"([{"year":2026,"month":7,"day":4,"specialValue":null}])", R"(["2026-07-04"])"},
           {R"([{"scale":1,"value":"Bg=="},{"scale":1}])", R"([{"scale":1,"value":"Bg=="},{"scale":1}])"},
           {R"([{"scale":1,"value":"Bg=="}, 5])", R"([{"scale":1,"value":"Bg=="}, 5])"},
           {R"([ {"name":"x"} ])", R"([ {"name":"x"} ])"},
           {R"([null, null])", R"([null, null])"},
           {R"([1, 2.50])", R"([1, 2.50])"},
           {R"([])", R"([])"}}) {
    CAPTURE(value);
    const Decoded decoded = decode({without("1", "{\"ID\":1,\"V\":" + value + "}")});
    REQUIRE(decoded.rows.size() == 1);
    CHECK(decoded.rows[0].cells.at("V") == "ARRAY " + expected);
  }
}

TEST_CASE("structured values: an object that only resembles a number without a scale stays JSON") {
  for (const std::string value : {R"({"scale":0,"value":""})", R"({"scale":0,"value":"12"})", R"({"scale":0,"value":"a-_b"})",
                                  R"({"scale":"0","value":"BQ=="})", R"({"scale":0.5,"value":"BQ=="})", R"({"scale":0,"value":5})",
                                  R"({"scale":0,"value":"BQ==","unit":"kg"})", R"({"scale":0,"scale":0})", R"({"scale":0,"value":"BQ=B"})",
                                  R"({"scale":0,"value":"B==="})", R"({"scale":200001,"value":"BQ=="})"}) {
    CAPTURE(value);
    const Decoded decoded = decode({without("1", "{\"ID\":1,\"V\":" + value + "}")});
    CHECK(decoded.rows.at(0).cells.at("V") == "JSON " + value);
  }
}
