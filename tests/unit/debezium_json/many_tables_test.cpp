#include <doctest/doctest.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "cdcrt/sdk/status.hpp"
#include "debezium/json_format.hpp"
#include "debezium/known_prefixes.hpp"
#include "decoded.hpp"
#include "event/row_batch.hpp"

using namespace cdcrt;
using debezium::KnownPrefixes;

namespace {

/// As a decode worker has it, without settings.
class Format final : public debezium::JsonFormat {
 public:
  sdk::Status configure(const sdk::Config& /*config*/) override { return {}; }
};

int interned = 0;
uint32_t (*intern_there)(cdcrt_rows*, const cdcrt_shape*) = nullptr;

uint32_t count_and_intern(cdcrt_rows* rows, const cdcrt_shape* shape) {
  ++interned;
  return intern_there(rows, shape);
}

/// Decodes messages one by one; a message is of the table of its number, whose topic is its own or that of all.
class Decoder {
 public:
  Decoder() {
    intern_there = rows_.abi()->intern;
    rows_.abi()->intern = &count_and_intern;
  }
  /// How many shapes the host was asked for.
  int decode(std::size_t table, bool with_schema, bool shares_topic) {
    const std::string name = "t" + std::to_string(table);
    const std::string payload = R"({"before":null,"after":{"id":1,"c)" + std::to_string(table) +
                                R"(":2},"source":{"connector":"postgresql","db":"d","schema":"s","table":")" + name +
                                R"(","ts_ms":1,"lsn":5},"op":"c","ts_ms":1})";
    const std::string schema =
        R"({"type":"struct","fields":[{"type":"struct","fields":[{"type":"int32","optional":false,"field":"id"},{"type":"int32","optional":true,"field":"c)" +
        std::to_string(table) +
        R"("}],"optional":true,"field":"after"},{"type":"struct","fields":[],"field":"source"},{"type":"string","field":"op"}],"name":")" +
        name + R"(.Envelope"})";
    const std::string value = with_schema ? R"({"schema":)" + schema + R"(,"payload":)" + payload + "}" : payload;
    const std::string topic = shares_topic ? "all" : name;
    cdcrt_message message{};
    message.value = sdk::borrow(value);
    cdcrt_messages messages{};
    messages.size = sizeof messages;
    messages.topic = sdk::borrow(topic);
    messages.messages = &message;
    messages.count = 1;
    messages.message_size = sizeof message;
    rows_.clear();
    interned = 0;
    sdk::RowBuilder builder(*rows_.abi());
    REQUIRE(format_.decode(sdk::Messages(messages), builder).ok());
    REQUIRE(rows_.rejects().empty());
    REQUIRE(rows_.size() == 1);
    const event::Shape& shape = shapes_.get(rows_.rows()[0].shape);
    REQUIRE(shape.table == name);
    REQUIRE(shape.columns.at(1).name == "c" + std::to_string(table));
    REQUIRE(shape.declared == with_schema);
    return interned;
  }

 private:
  event::ShapeRegistry shapes_;
  event::RowBatch rows_{shapes_};
  Format format_;
};

}  // namespace

TEST_CASE("many tables: what was learned of them is not learned again, in one topic or in many") {
  constexpr std::size_t kTables = 5000;
  for (const bool with_schema : {false, true}) {
    for (const bool shares_topic : {false, true}) {
      CAPTURE(with_schema);
      CAPTURE(shares_topic);
      Decoder decoder;
      for (std::size_t table = 0; table < kTables; ++table) REQUIRE(decoder.decode(table, with_schema, shares_topic) == 1);
      int again = 0;
      for (std::size_t table = 0; table < kTables; ++table) again += decoder.decode(table, with_schema, shares_topic);
      CHECK(again == 0);
    }
  }
}

TEST_CASE("topics: where they are more than there is room for, some stay known, and they do not grow") {
  debezium::TopicStates topics;
  const std::string large(1 << 20, 'x');
  int known = 0, most = 0;
  for (int round = 0; round < 4; ++round) {
    for (int topic = 0; topic < 60; ++topic) {
      debezium::TopicState& state = topics.of("topic" + std::to_string(topic));
      if (state.bytes() > 0) {
        known += round > 0 ? 1 : 0;
      } else {
        debezium::KnownSchema schema;
        schema.prefix = large;
        state.learn_value(std::move(schema));
      }
      most = std::max(most, static_cast<int>(topics.size()));
    }
  }
  CHECK(known > 0);  // in strict turns it would be none
  CHECK(most <= 34);
  CHECK(topics.bytes() < debezium::TopicState::kMaximumBytes + 3 * large.size());
}

TEST_CASE("known prefixes: the one that a message begins with is found among all") {
  std::mt19937 chance(1);
  for (int run = 0; run < 200; ++run) {
    KnownPrefixes known;
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < 1 + chance() % 40; ++i) {
      std::string text = "{";
      for (std::size_t length = chance() % 8; length > 0; --length) text += static_cast<char>('a' + chance() % 3);
      if (std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(text);
    }
    for (const auto& text : texts) known.add(text);
    for (int look = 0; look < 50; ++look) {
      std::string message = chance() % 2 == 0 ? texts[chance() % texts.size()] : "{";
      for (std::size_t length = chance() % 4; length > 0; --length) message += static_cast<char>('a' + chance() % 3);
      const uint32_t found = known.find(message);
      const bool is_any = std::any_of(texts.begin(), texts.end(),
                                      [&](const auto& text) { return message.size() > text.size() && message.starts_with(text); });
      CAPTURE(message);
      REQUIRE((found != KnownPrefixes::kNone) == is_any);
      if (is_any) REQUIRE(message.starts_with(texts[found]));
    }
  }
}
