#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <set>
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
        state.learn_value({}, std::to_string(topic) + large);
      }
      most = std::max(most, static_cast<int>(topics.size()));
    }
  }
  CHECK(known > 0);  // in strict turns it would be none
  CHECK(most <= 34);
  CHECK(topics.bytes() < debezium::TopicState::kMaximumBytes + 3 * large.size());
}

TEST_CASE("topics: one whose tables take little themselves and much of what could be shared gives that back") {
  debezium::TopicStates topics;
  std::size_t most = 0;
  int forgotten = 0;
  for (int table = 0; table < 4000; ++table) {
    debezium::TopicState& topic = topics.of("all");
    if (topic.is_overfull()) {
      topic.forget();
      ++forgotten;
    }
    const std::string name = std::to_string(table);
    debezium::KnownSchema schema;
    auto layout = std::make_unique<debezium::Layout>();
    for (int i = 0; i < 100; ++i) {
      debezium::Column column;
      column.name = "column" + name + "_" + std::to_string(i);
      layout->add(std::move(column));
    }
    schema.layout = topic.share(std::move(layout));
    topic.learn_value(std::move(schema), name + R"({"type":"struct","fields":[)" + std::string(2000, 'c') + name + R"(],"optional":true)");
    (void)topics.of("all");
    most = std::max(most, topics.bytes());
  }
  CHECK(forgotten > 1);
  CHECK(most < debezium::TopicState::kMaximumBytes + (1 << 20));
}

TEST_CASE("known prefixes: the one that a message begins with is found among all, whether texts are kept whole or in pieces") {
  std::mt19937 chance(1);
  // So that some pieces are shared, and some too short for that.
  const std::vector<std::string> parts{
      "a", "b", R"({"type":"struct","fields":[)", R"(],"optional":true,"name":")", std::string(150, 'x'), std::string(200, 'x')};
  const auto some_text = [&](std::size_t most) {
    std::string text;
    for (std::size_t length = chance() % most; length > 0; --length) text += parts[chance() % parts.size()];
    return text;
  };
  for (int run = 0; run < 400; ++run) {
    debezium::SchemaPool pool;
    if (run % 2 == 1) (void)pool.keep(std::string(4 << 20, 'x'));  // what comes now is not kept whole
    KnownPrefixes known;
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < 1 + chance() % 40; ++i) {
      const std::string text = "{" + some_text(8);
      if (std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(text);
    }
    for (const auto& text : texts) known.add(text, pool.keep(text));
    for (int look = 0; look < 50; ++look) {
      const std::string message = (chance() % 2 == 0 ? texts[chance() % texts.size()] : "{") + some_text(4);
      const uint32_t found = known.find(message);
      const bool is_any = std::any_of(texts.begin(), texts.end(),
                                      [&](const auto& text) { return message.size() > text.size() && message.starts_with(text); });
      CAPTURE(message);
      REQUIRE((found != KnownPrefixes::kNone) == is_any);
      if (is_any) REQUIRE(message.starts_with(texts[found]));
      if (is_any) REQUIRE(known.size_of(found) == texts[found].size());
    }
  }
}

TEST_CASE("schemas: what those of many tables have in common is kept once, and given back once nobody has it") {
  debezium::SchemaPool pool;
  (void)pool.keep(std::string(4 << 20, 'x'));
  const std::string columns = R"({"type":"struct","fields":[)" + std::string(1000, 'c');
  const auto text_of = [&](int table) {
    return columns + R"(],"optional":true,"name":"table)" + std::to_string(table) + R"("},)" + columns;
  };
  {
    std::vector<debezium::SchemaText> texts;
    for (int table = 0; table < 1000; ++table) texts.push_back(pool.keep(text_of(table)));
    std::size_t own = 0;
    for (const auto& text : texts) own += text.own_bytes();
    CHECK(pool.bytes() < 2 * columns.size());
    CHECK(own < 1000 * 200);
    pool.trim();
    for (int table = 0; table < 1000; ++table) REQUIRE(texts[static_cast<std::size_t>(table)].begins(text_of(table) + "more"));
    CHECK(!texts[0].begins(text_of(1)));
    CHECK(!texts[0].begins(columns));
  }
  pool.trim();
  CHECK(pool.bytes() == 0);
}

TEST_CASE("layouts: tables whose columns differ in anything do not share one") {
  using debezium::Column;
  using debezium::Layout;
  debezium::SchemaPool pool;
  const auto layout_with = [](const auto& change) {
    auto layout = std::make_unique<Layout>();
    Column column;
    column.name = "a";
    column.inner.emplace_back();
    layout->add(std::move(column));
    change(*layout, layout->columns.front());
    return layout;
  };
  const auto same = [](Layout&, Column&) {};
  const auto kept = pool.share(layout_with(same));
  CHECK(pool.share(layout_with(same)) == kept);
  const std::vector<std::function<void(Layout&, Column&)>> changes{
      [](Layout& layout, Column&) { layout.declared = true; },
      [](Layout& layout, Column&) { layout.says_deleted = true; },
      [](Layout& layout, Column&) { layout.may_be_foreign = true; },
      [](Layout& layout, Column&) { layout.members.front().name = "b"; },
      [](Layout& layout, Column&) { layout.members.front().column = 7; },
      [](Layout& layout, Column&) { layout.members.front().flat = debezium::FlatField::kIgnored; },
      [](Layout& layout, Column&) { layout.members.front().source = debezium::SourceField::kReadMilliseconds; },
      [](Layout& layout, Column&) { layout.add({}); },
      [](Layout&, Column& column) { column.name = "b"; },
      [](Layout&, Column& column) { column.former_name = "b"; },
      [](Layout&, Column& column) { column.conversion = debezium::Conversion::kText; },
      [](Layout&, Column& column) { column.nested_types = true; },
      [](Layout&, Column& column) { column.optional = false; },
      [](Layout&, Column& column) { column.has_default = true; },
      [](Layout&, Column& column) { column.default_certain = true; },
      [](Layout&, Column& column) { column.type.kind = CDCRT_TYPE_DECIMAL; },
      [](Layout&, Column& column) { column.type.element = CDCRT_TYPE_DECIMAL; },
      [](Layout&, Column& column) { column.type.scale = 2; },
      [](Layout&, Column& column) { column.type.length = 2; },
      [](Layout&, Column& column) { column.scale = 2; },
      [](Layout&, Column& column) { column.bits = 2; },
      [](Layout&, Column& column) { column.default_cell.tag = CDCRT_I64; },
      [](Layout&, Column& column) { column.default_cell.value.integer = 2; },
      [](Layout&, Column& column) { column.default_cell.size = 2; },
      [](Layout&, Column& column) { column.default_text = "b"; },
      [](Layout&, Column& column) { column.inner.emplace_back(); },
      [](Layout&, Column& column) { column.inner.front().name = "b"; },
      [](Layout&, Column& column) { column.inner_by_name = true; },
  };
  std::set<std::shared_ptr<const Layout>> all{kept};
  for (const auto& change : changes) all.insert(pool.share(layout_with(change)));
  CHECK(all.size() == changes.size() + 1);
}
