// Lines of `cdcrt decode --layout kcat`, which the reader of the file source reads.
#include "cli/message_lines.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "cdcrt/sdk/message_batch.hpp"
#include "cdcrt/sdk/status.hpp"
#include "kcat/kcat_line.hpp"

using namespace cdcrt;
using cli::LineMessage;

namespace {

LineMessage only(const std::string& line) {
  std::istringstream in(line + "\n");
  cli::MessageLines lines(in, cli::LineLayout::kKcat, "given");
  auto message = lines.next();
  REQUIRE_MESSAGE(message, (message ? "" : message.error().message));
  REQUIRE(message->has_value());
  return **message;
}

std::string problem(const std::string& line) {
  std::istringstream in(line + "\n");
  cli::MessageLines lines(in, cli::LineLayout::kKcat, "given");
  const auto message = lines.next();
  return message ? "" : message.error().message;
}

bool same(const std::optional<std::string>& mine, cdcrt_string theirs) {
  return mine.has_value() == (theirs.data != nullptr) && (!mine || *mine == sdk::view(theirs));
}

}  // namespace

TEST_CASE("kcat lines: `cdcrt decode` and the file source read the same messages") {
  std::ifstream file(CDCRT_TEST_DATA "/debezium-postgres-noschema/events.jsonl", std::ios::binary);
  std::ifstream again(CDCRT_TEST_DATA "/debezium-postgres-noschema/events.jsonl", std::ios::binary);
  cli::MessageLines lines(file, cli::LineLayout::kKcat, "given");
  const auto pool = std::make_shared<sdk::BlockPool>(2);
  kcat::KcatLine reader;
  std::string line;
  std::size_t count = 0;
  while (std::getline(again, line)) {
    INFO(line);
    const auto size = line.size();
    line += "\n" + std::string(kcat::KcatLine::kPadding, '\0');
    sdk::MessageBatch batch(pool, nullptr, 0, 0);
    REQUIRE(reader.locate({line.data(), size}));
    REQUIRE(reader.decode(batch));
    auto mine = lines.next();
    REQUIRE(mine);
    REQUIRE(mine->has_value());
    const LineMessage& message = **mine;
    REQUIRE(message.topic == reader.topic());
    REQUIRE(message.partition == reader.partition());
    REQUIRE(message.offset == reader.offset());
    REQUIRE(message.timestamp_ms == batch.last().timestamp_ms);
    REQUIRE(same(message.key, batch.last().key));
    REQUIRE(same(message.value, batch.last().value));
    const auto headers = batch.last_headers();
    REQUIRE(message.headers.size() == headers.size());
    for (std::size_t i = 0; i < headers.size(); ++i) {
      REQUIRE(message.headers[i].first == sdk::view(headers[i].name));
      REQUIRE(same(message.headers[i].second, headers[i].value));
    }
    ++count;
  }
  CHECK(count > 1000);
  CHECK_FALSE(lines.next()->has_value());
}

TEST_CASE("kcat lines: what a line does not say is presumed, and a payload may be JSON itself") {
  const auto bare = only(R"({"payload":{"n":1.50,"s":"x"}})");
  CHECK(bare.topic == "given");
  CHECK(bare.partition == 0);
  CHECK(bare.offset == 0);
  CHECK(bare.timestamp_ms == -1);
  CHECK(bare.value == R"({"n":1.50,"s":"x"})");
  CHECK_FALSE(bare.key.has_value());
  const auto whole = only(R"({"topic":"a.b","partition":3,"offset":7,"ts":9,"key":"k","payload":null,"headers":["a","b","c",null]})");
  CHECK(whole.topic == "a.b");
  CHECK(whole.partition == 3);
  CHECK(whole.offset == 7);
  CHECK(whole.timestamp_ms == 9);
  CHECK_FALSE(whole.value.has_value());
  REQUIRE(whole.headers.size() == 2);
  CHECK(whole.headers[0] == std::pair<std::string, std::optional<std::string>>("a", "b"));
  CHECK_FALSE(whole.headers[1].second.has_value());
}

TEST_CASE("kcat lines: a dead letter is a message") {
  const auto dead_letter =
      only(R"({"id":"events/t/0/3/db/t","reason":"value_refused","topic":"t","partition":1,"offset":3,"timestamp_ms":-1,)"
           R"("key":{"base64":"/w=="},"value":"{\"op\":\"c\"}","headers":[["a","b"],[{"base64":"AA=="},null]]})");
  CHECK(dead_letter.topic == "t");
  CHECK(dead_letter.partition == 1);
  CHECK(dead_letter.offset == 3);
  CHECK(dead_letter.timestamp_ms == -1);
  CHECK(dead_letter.key == "\xff");
  CHECK(dead_letter.value == R"({"op":"c"})");
  REQUIRE(dead_letter.headers.size() == 2);
  CHECK(dead_letter.headers[0].first == "a");
  CHECK(dead_letter.headers[1].first == std::string(1, '\0'));
  CHECK(only(R"({"partition":-1,"offset":-1,"value":"x"})").partition == 0);
  CHECK(only(R"({"partition":-1,"offset":-1,"value":"x"})").offset == 0);
  CHECK(only(R"({"value":{"base64":""}})").value == "");
  CHECK(only(R"({"value":{"base64":"no!"}})").value == R"({"base64":"no!"})");
  CHECK(only(R"({"value":{"base64":"AA==","more":1}})").value == R"({"base64":"AA==","more":1})");
}

TEST_CASE("kcat lines: what is no message is told with its line and column") {
  CHECK(problem("[1]") == "line 1 is no message: not a JSON object (column 1)");
  CHECK(problem("{}").starts_with("line 1 is no message: no member \"payload\""));
  CHECK(problem(R"({"payload":"x)").starts_with("line 1 is no message: "));
  CHECK(problem(R"({"payload":"x","headers":[["a"]]})").starts_with("line 1 is no message: a header is [name, value]"));
  CHECK(problem(R"({"payload":"x","headers":[["a","b")").starts_with("line 1 is no message: "));
  CHECK(problem(R"({"payload":"x"} y)").starts_with("line 1 is no message: something follows"));
}
