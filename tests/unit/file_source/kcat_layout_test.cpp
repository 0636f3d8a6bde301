#include "opened_source.hpp"

using namespace file_source_test;

namespace {

/// The only message that a payload text gives; its value must be readable.
std::optional<std::string> value_of(const std::string& payload) {
  const Folder folder;
  OpenedSource source(reading({folder.write("events.jsonl", line("t", 0, 0, payload))}));
  const auto messages = source.all();
  REQUIRE(messages.size() == 1);
  INFO(unreadable_reason(messages[0]));
  CHECK(messages[0].topic == "t");
  return messages[0].value;
}

std::string reason_for(const std::string& text) {
  const Folder folder;
  OpenedSource source(reading({folder.write("events.jsonl", text + "\n")}));
  const auto messages = source.all();
  REQUIRE(messages.size() == 1);
  CHECK(messages[0].topic == "events.jsonl");
  CHECK(messages[0].partition == -1);
  CHECK(messages[0].offset == 1);
  const std::string raw = text.substr(0, text.find_last_not_of("\r\n") + 1);
  CHECK(messages[0].value == raw);
  return unreadable_reason(messages[0]);
}

}  // namespace

TEST_CASE("kcat layout: every member of a line arrives") {
  const Folder folder;
  OpenedSource source(reading({folder.write(
      "events.jsonl",
      R"({"topic":"pg.public.a","partition":3,"offset":7,"tstype":"create","ts":1795367478180,"broker":1,"headers":["one","1","two",null],"key":"{\"id\":11}","payload":"{\"a\":\"x\"}"})"
      "\n")}));
  const auto messages = source.all();
  CHECK(source.failure.code == CDCRT_END);
  REQUIRE(messages.size() == 1);
  const auto& message = messages[0];
  CHECK(message.topic == "pg.public.a");
  CHECK(message.partition == 3);
  CHECK(message.offset == 7);
  CHECK(message.timestamp_ms == 1795367478180);
  CHECK(message.key == R"({"id":11})");
  CHECK(message.value == R"({"a":"x"})");
  REQUIRE(message.headers.size() == 2);
  CHECK(message.headers[0].first == "one");
  CHECK(message.headers[0].second == "1");
  CHECK(message.headers[1].first == "two");
  CHECK(!message.headers[1].second.has_value());
}

TEST_CASE("kcat layout: null payload is a tombstone, an empty one is empty") {
  CHECK(!value_of("null").has_value());
  CHECK(value_of("\"\"") == "");
}

TEST_CASE("kcat layout: escapes become the bytes that were produced") {
  using namespace std::string_literals;
  CHECK(value_of(R"("\"\\\/\b\f\n\r\t")") == "\"\\/\b\f\n\r\t");
  CHECK(value_of(R"("\u0000a\u0041\u00e9\u20AC")") == "\0aA\xC3\xA9\xE2\x82\xAC"s);
  CHECK(value_of(R"("\uD83D\uDE00 \ud834\udd1e \uDBFF\uDFFF")") == "\xF0\x9F\x98\x80 \xF0\x9D\x84\x9E \xF4\x8F\xBF\xBF");
  CHECK(value_of("\"\xF0\x9F\x98\x80\x7F\"") == "\xF0\x9F\x98\x80\x7F");
}

TEST_CASE("kcat layout: names are text: a topic or a file's name that is not UTF-8 is refused") {
  CHECK(reason_for("{\"topic\":\"a\xff\",\"partition\":0,\"offset\":0,\"payload\":\"v\"}").find("\"topic\" is not UTF-8") !=
        std::string::npos);
  Folder folder;
  const OpenedSource source(reading({folder.write("caf\xe9.jsonl", "")}));
  CHECK(source.failure.code == CDCRT_BAD_CONFIG);
  CHECK(source.failure.message.find("is not UTF-8") != std::string::npos);
}

TEST_CASE("kcat layout: bytes that are not UTF-8 pass unchanged") { CHECK(value_of("\"a\xFF\xC3\x28\"") == "a\xFF\xC3\x28"); }

TEST_CASE("kcat layout: an escape at every distance from a block's end") {
  for (size_t plain = 0; plain < 70; ++plain) {
    const std::string text(plain, 'x');
    CHECK(value_of("\"" + text + "\\n" + text + "\\u0041\"") == text + "\n" + text + "A");
  }
}

TEST_CASE("kcat layout: a payload that is JSON and not a string is taken as it stands") {
  CHECK(value_of(R"({"op":"c", "after":{"a":[1,2,"}\""]}})") == R"({"op":"c", "after":{"a":[1,2,"}\""]}})");
  CHECK(value_of("12.50") == "12.50");
}

TEST_CASE("kcat layout: members in any order, white space and unknown members are no trouble") {
  const Folder folder;
  const std::string text =
      " { \"payload\" : \"v\\n\" , \"headers\":[\"h\",\"1\"], \"extra\":{\"deep\":[[{\"}\":\"]\"}]]}, \"key\":\"k\\t\",\r "
      "\"offset\":5,\"ts\":null,\"topic\":\"a\\u0062\","
      "\"partition\":2 } \t\n";
  OpenedSource source(reading({folder.write("events.jsonl", text)}));
  const auto messages = source.all();
  REQUIRE(messages.size() == 1);
  INFO(unreadable_reason(messages[0]));
  CHECK(places(messages) == std::vector<std::string>{"ab/2/5"});
  CHECK(messages[0].key == "k\t");
  CHECK(messages[0].value == "v\n");
  CHECK(messages[0].headers.size() == 1);
  CHECK(messages[0].timestamp_ms == -1);
}

TEST_CASE("kcat layout: a line that lacks key and headers has neither") {
  const Folder folder;
  OpenedSource source(reading({folder.write("e", R"({"topic":"t","partition":0,"offset":0,"payload":"x"})")}));
  const auto messages = source.all();
  REQUIRE(messages.size() == 1);
  CHECK(messages[0].value == "x");
  CHECK(!messages[0].key.has_value());
  CHECK(messages[0].headers.empty());
  CHECK(messages[0].timestamp_ms == -1);
}

TEST_CASE("kcat layout: what cannot be read is handed on with its reason and its bytes") {
  const std::string start = R"({"topic":"t","partition":0,"offset":0,)";
  CHECK(reason_for(start + R"("payload":"half a li)").find("line 1 of events.jsonl") != std::string::npos);
  CHECK(reason_for(R"({"topic":"t","partition":0,"offset":0)") != "");
  CHECK(reason_for(R"({"topic":"t","partition":0,"offset":)") != "");
  CHECK(reason_for(start + R"("key":null)").find("inside the JSON object") != std::string::npos);
  CHECK(reason_for(start + R"("key":null})").find("\"payload\"") != std::string::npos);
  CHECK(reason_for(R"({"partition":0,"offset":0,"payload":"x"})").find("\"topic\"") != std::string::npos);
  CHECK(reason_for(R"({"topic":"t","offset":0,"payload":"x"})").find("\"partition\"") != std::string::npos);
  CHECK(reason_for(R"({"topic":"t","partition":0,"payload":"x"})").find("\"offset\"") != std::string::npos);
  CHECK(reason_for(R"({"topic":"","partition":0,"offset":0,"payload":"x"})").find("1 to 1000") != std::string::npos);
  CHECK(reason_for(R"({"topic":"t","partition":-2,"offset":0,"payload":"x"})").find("out of range") != std::string::npos);
  CHECK(reason_for(R"({"topic":"t","partition":0,"offset":1.5,"payload":"x"})").find("integer") != std::string::npos);
  CHECK(reason_for(R"({"topic":"t","partition":0,"offset":99999999999999999999,"payload":"x"})").find("64 bits") != std::string::npos);
  CHECK(reason_for(start + R"("payload":"x","payload":"y"})").find("twice") != std::string::npos);
  CHECK(reason_for(start + R"("payload":"x"} {})").find("follows") != std::string::npos);
  CHECK(reason_for(start + R"("headers":["a"],"payload":"x"})").find("without a value") != std::string::npos);
  CHECK(reason_for(start + R"("headers":{"a":1},"payload":"x"})").find("array") != std::string::npos);
  CHECK(reason_for(start + "\"payload\":\"a\tb\"}").find("control character") != std::string::npos);
  CHECK(reason_for(start + R"("payload":"\uD83D"})").find("surrogate") != std::string::npos);
  CHECK(reason_for(start + R"("payload":"\uDE00\uD83D"})").find("surrogate") != std::string::npos);
  CHECK(reason_for(start + R"("payload":"\uD83D\u0041"})").find("surrogate") != std::string::npos);
  CHECK(reason_for(start + R"("payload":"\u12G4"})").find("hexadecimal") != std::string::npos);
  CHECK(reason_for(start + R"("payload":"\x"})").find("backslash") != std::string::npos);
  CHECK(reason_for(start + R"("payload":"x\)") != "");
  CHECK(reason_for(start + R"("payload":"\u)") != "");
  CHECK(reason_for(start + R"("extra":[1,2},"payload":"x"})").find("bracket") != std::string::npos);
  CHECK(reason_for("[1,2]").find("not a JSON object") != std::string::npos);
  CHECK(reason_for("{\"plain\":\"value\"}\n").find("layout = \"values\"") != std::string::npos);
  CHECK(reason_for("\x01\x02\xFF\x7F noise") != "");
}

TEST_CASE("kcat layout: nesting of any depth in an unknown member is skipped without recursion") {
  const Folder folder;
  const std::string deep = std::string(2'000'000, '[') + std::string(2'000'000, ']');
  OpenedSource source(reading({folder.write("e", R"({"topic":"t","partition":0,"offset":0,"deep":)" + deep + R"(,"payload":"x"})")}));
  const auto messages = source.all();
  REQUIRE(messages.size() == 1);
  CHECK(messages[0].value == "x");
}

TEST_CASE("kcat layout: cut anywhere, a line is one unreadable message and the next one is read") {
  const Folder folder;
  const std::string whole =
      R"({"topic":"t","partition":0,"offset":1,"ts":5,"headers":["a","\u0041"],"key":"k\"","payload":"v\uD83D\uDE00"})";
  for (size_t size = 1; size < whole.size(); ++size) {
    OpenedSource source(reading({folder.write("e", whole.substr(0, size) + "\n" + line("t", 0, 2))}));
    const auto messages = source.all();
    REQUIRE(messages.size() == 2);
    std::map<std::string, const Message*> by_topic;
    for (const auto& message : messages) by_topic[message.topic] = &message;
    REQUIRE(by_topic.count("e") == 1);
    CHECK(by_topic["e"]->value == whole.substr(0, size));
    CHECK(unreadable_reason(*by_topic["e"]) != "");
    REQUIRE(by_topic.count("t") == 1);
    CHECK(by_topic["t"]->offset == 2);
  }
}
