// Whatever stands in a message: it is decoded or rejected with a reason, and the rest of the batch goes on.
#include <doctest/doctest.h>

#include "decoded.hpp"

using namespace cdcrt::test;

namespace {

const std::string kInt = R"("type":"int32","optional":true)";

/// The one reject of a bad value between two good ones.
TestReject reject_of(const std::string& value) {
  const TestMessage good = without_schema("1");
  const Decoded decoded = decode({good, TestMessage{R"({"id":1})", value, {}}, good});
  CHECK(decoded.rows.size() == 2);
  REQUIRE(decoded.rejects.size() == 1);
  CHECK(decoded.rejects[0].message == 1);
  CHECK(decoded.rejects[0].code == CDCRT_BAD_RECORD);
  return decoded.rejects[0];
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

std::string envelope(const std::string& row) {
  return R"({"before":null,"after":)" + row + R"(,"source":{"connector":"mysql","db":"shop","table":"t"},"op":"c"})";
}

}  // namespace

TEST_CASE("bad input: truncation at every byte is rejected, never half a row") {
  for (const bool schema : {true, false}) {
    const TestMessage whole = schema ? with_schema(kInt, "7") : without_schema("7");
    std::vector<TestMessage> messages{whole};
    for (std::size_t size = 0; size < whole.value->size(); ++size) {
      messages.push_back(whole);
      messages.back().value->resize(size);
    }
    const Decoded decoded = decode(messages);
    CHECK(decoded.rows.size() == 1);
    CHECK(decoded.rejects.size() == messages.size() - 1);
  }
}

TEST_CASE("bad input: a truncated key is rejected") {
  const TestMessage whole = with_schema(kInt, "7", "d");
  std::vector<TestMessage> messages{whole};
  for (std::size_t size = 0; size < whole.key->size(); ++size) {
    messages.push_back(whole);
    messages.back().key->resize(size);
  }
  const Decoded decoded = decode(messages);
  CHECK(decoded.rows.size() == 1);
  CHECK(decoded.rejects.size() == messages.size() - 1);
}

TEST_CASE("bad input: any byte replaced is decoded or rejected, never a crash") {
  for (const bool schema : {true, false}) {
    const TestMessage whole = schema ? with_schema(kInt, "7") : without_schema(R"({"a":[1,"x"]})");
    std::vector<TestMessage> messages;
    for (std::size_t at = 0; at < whole.value->size(); ++at) {
      for (const char byte : {'\0', '"', '{', '}', '\\', '\xff', '9'}) {
        messages.push_back(whole);
        (*messages.back().value)[at] = byte;
      }
    }
    const Decoded decoded = decode(messages);
    CHECK(decoded.rows.size() + decoded.rejects.size() == messages.size());
  }
}

TEST_CASE("bad input: the message says what and at which byte") {
  CHECK(reject_of("{\"a\":1").text == "value: the JSON text ends too early (truncated?) at byte 6");
  CHECK(reject_of("").text.find("at byte 0") != std::string::npos);
  CHECK(reject_of("{\"a\":\"\xc3\x28\"}").text == "value: invalid UTF-8 at byte 6");
  CHECK(reject_of("{\"a\":\"\xed\xa0\x80\"}").text == "value: invalid UTF-8 at byte 6");
  CHECK(reject_of(R"({"a":"\udc00"})").text == "value: a lone surrogate in a \\u escape at byte 6");
  CHECK(reject_of(R"({"a":"\ud800x"})").text.find("surrogate") != std::string::npos);
  CHECK(reject_of("\x01\x02\xfe").text.find("at byte 2") != std::string::npos);
  CHECK(reject_of("[1]").text.find("an array, not an object") != std::string::npos);
  CHECK(reject_of("{\"a\":1}\0x").hint.size() > 0);
  CHECK(reject_of(std::string("{\"op\":\"c\"}\0{}", 13)).text.find("NUL") != std::string::npos);
}

TEST_CASE("bad input: offsets count from the begin of the value, with schema too") {
  const TestMessage good = with_schema(kInt, "7");
  TestMessage bad = with_schema(kInt, "\"x\"");
  const Decoded decoded = decode({good, bad});
  REQUIRE(decoded.rejects.size() == 1);
  const std::string place = "(byte " + std::to_string(bad.value->find("\"v\":\"x\"") + 1) + ")";
  CHECK(decoded.rejects[0].text.find(place) != std::string::npos);
}

TEST_CASE("bad input: nesting 10,000 deep is rejected, 150 deep is a value") {
  CHECK(reject_of(envelope("{\"id\":1,\"v\":" + nested(10'000) + "}")).text.find("nested deeper than 200") != std::string::npos);
  CHECK(reject_of(nested(100'000)).text.find("nested deeper than 200") != std::string::npos);
  CHECK(reject_of("{\"schema\":" + nested(10'000) + ",\"payload\":1}").text.find("nested deeper") != std::string::npos);
  CHECK(decode({without_schema(nested(150))}).rows.at(0).cells.at("v") == "ARRAY " + nested(150));
  std::string schema;
  for (int i = 0; i < 100; ++i) schema += R"({"type":"array","items":)";
  CHECK(
      reject_of("{\"schema\":" + schema + "{\"type\":\"int32\"}" + std::string(100, '}') + ",\"payload\":1}").text.find("deeper than 32") !=
      std::string::npos);
}

TEST_CASE("bad input: duplicate keys are ambiguous") {
  CHECK(reject_of(envelope(R"({"id":1,"v":1,"v":2})")).text.find("\"v\" stands twice") != std::string::npos);
  CHECK(reject_of(R"({"op":"c","after":{"id":1},"after":{"id":2},"source":{"table":"t"}})").text.find("\"after\" stands twice") !=
        std::string::npos);
  TestMessage twice = with_schema(kInt, R"(1,"v":2)");
  const Decoded decoded = decode({twice, with_schema(kInt, "3")});
  REQUIRE(decoded.rejects.size() == 1);
  CHECK(decoded.rejects[0].text.find("\"v\" stands twice") != std::string::npos);
  CHECK(decode({without_schema(R"({"a":1,"a":2})")}).rows.at(0).cells.at("v") == R"(JSON {"a":1,"a":2})");
}

TEST_CASE("bad input: a column that the schema does not have is rejected, one that it has may be missing") {
  const Decoded decoded = decode({with_schema(kInt, R"(1,"w":2)")});
  REQUIRE(decoded.rejects.size() == 1);
  CHECK(decoded.rejects[0].text.find("\"w\" is not in the schema") != std::string::npos);
  TestMessage shuffled = with_schema(kInt, "7");
  const std::size_t row = shuffled.value->find(R"("after":{"id":1,"v":7})");
  shuffled.value->replace(row, 22, R"("after":{"v":7,"id":1})");
  TestMessage shorter = with_schema(kInt, "7");
  shorter.value->replace(shorter.value->find(R"("after":{"id":1,"v":7})"), 22, R"("after":{"id":1})");
  const Decoded others = decode({shuffled, shorter});
  REQUIRE(others.rows.size() == 2);
  CHECK(others.rows[0].cells == std::map<std::string, std::string>{{"id", "I64 1"}, {"v", "I64 7"}});
  CHECK(others.rows[1].cells == std::map<std::string, std::string>{{"id", "I64 1"}});
}

TEST_CASE("bad input: numbers beyond every bound are rejected") {
  CHECK(reject_of(envelope("{\"id\":1,\"v\":" + std::string(2'100, '7') + "}")).text.find("2,000 digits") != std::string::npos);
  CHECK(reject_of(envelope(R"({"id":1,"v":1e999999999})")).text.find("2,000 digits") != std::string::npos);
  CHECK(reject_of(envelope(R"({"id":1,"v":1e-999999999})")).text.find("2,000 digits") != std::string::npos);
  CHECK(reject_of(envelope(R"({"id":1,"v":1e99999999999999999999})")).text.find("2,000 digits") != std::string::npos);
  CHECK(reject_of(envelope("{\"id\":1,\"v\":" + std::string(400, '7') + "x}")).text.find("byte") != std::string::npos);
  CHECK(reject_of(envelope(R"({"id":01})")).text.find("not JSON") != std::string::npos);
}

TEST_CASE("bad input: an array of more values than any column holds is rejected, and the memory given back") {
  std::string many = "[1";
  for (int i = 0; i < 1'100'000; ++i) many += ",1";
  CHECK(reject_of(envelope("{\"id\":1,\"v\":" + many + "]}")).text.find("JSON values") != std::string::npos);
}

TEST_CASE("bad input: names of tables and columns are only names") {
  const std::string name = R"(x\"; drop table y; --)";
  const Decoded decoded = decode({TestMessage{
      R"({"id":1})",
      R"({"before":null,"after":{"id":1,")" + name + R"(":2},"source":{"connector":"mysql","db":"d","table":")" + name + R"("},"op":"c"})",
      {}}});
  REQUIRE(decoded.rows.size() == 1);
  CHECK(decoded.rows[0].table == "d.-.x\"; drop table y; --");
  CHECK(decoded.rows[0].cells.at("x\"; drop table y; --") == "I64 2");
}

TEST_CASE("bad input: events that are no row events say so") {
  CHECK(reject_of(R"({"before":null,"after":{"id":1},"source":{"table":"t"},"op":"x"})").text.find("\"x\"") != std::string::npos);
  CHECK(reject_of(R"({"before":null,"after":null,"source":{"table":"t"},"op":"u"})").text.find("without \"after\"") != std::string::npos);
  CHECK(reject_of(R"({"after":"{}","source":{"db":"d","collection":"c"},"op":"c"})").text.find("no table") != std::string::npos);
  CHECK(reject_of(R"({"schema":{"type":"string"},"payload":"x"})").text.find("of type string") != std::string::npos);
  CHECK(reject_of(R"({"schema":{"fields":[]},"payload":{}})").text.find("has no type") != std::string::npos);
  CHECK(reject_of(R"({"schema":{"type":"struct","fields":[{"type":5}]},"payload":{}})").text.find("a number where a string belongs") !=
        std::string::npos);
}

TEST_CASE("bad input: a payload before its schema is read all the same") {
  const TestMessage usual = with_schema(kInt, "7");
  const std::size_t split = usual.value->find(",\"payload\":");
  TestMessage other = usual;
  other.value =
      "{\"payload\":" + usual.value->substr(split + 11, usual.value->size() - split - 12) + ", " + usual.value->substr(1, split - 1) + "}";
  const Decoded decoded = decode({other, usual, other});
  REQUIRE(decoded.rows.size() == 3);
  CHECK(decoded.rows[0].cells == decoded.rows[1].cells);
  CHECK(decoded.rows[0].declared);
  CHECK(decoded.rows[2].cells == decoded.rows[1].cells);
}

TEST_CASE("bad input: an event without any column is refused, with a key and without") {
  const std::string value =
      R"({"op":"c","before":null,"after":{},"source":{"connector":"postgresql","name":"s","db":"d","schema":"public","table":"t","lsn":1},"ts_ms":1})";
  for (const std::optional<std::string>& key : {std::optional<std::string>(), std::optional<std::string>(R"({"id":1})")}) {
    const Decoded decoded = decode({{key, value, {}}});
    CHECK(decoded.rows.empty());
    REQUIRE(decoded.rejects.size() == 1);
    CHECK(decoded.rejects[0].text.find("without columns") != std::string::npos);
  }
}
