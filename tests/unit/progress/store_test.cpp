#include "progress/store.hpp"

#include <doctest/doctest.h>

#include "apply/memory_sink.hpp"
#include "types/cell_text.hpp"
#include "types/type.hpp"

using namespace cdcrt;

namespace {

struct Target {
  memory_sink::Database database;
  plugin::Sink sink = [this] {
    auto made = plugin::Sink::create(memory_sink::component(database));
    REQUIRE(made);
    return std::move(*made);
  }();
  plugin::Connection connection = [this] {
    auto opened = sink.open();
    REQUIRE(opened);
    return std::move(*opened);
  }();
};

progress::Partition partition(int32_t number) {
  return {"source", "topic", number, [](auto&, auto, auto) {}};
}

}  // namespace

TEST_CASE("progress: what is known of a column comes back whole") {
  Target target;
  progress::Store store("shop", "db", "cdcrt", true, "here");
  REQUIRE(store.prepare(target.connection));
  REQUIRE(store.claim(target.connection));
  const std::string long_text(300, 'x');
  const std::vector<cdcrt_cell> defaults = {types::text_cell(CDCRT_STRING, long_text), types::text_cell(CDCRT_STRING, ""),
                                            types::text_cell(CDCRT_BYTES, std::string_view("\0\xff", 2)),
                                            types::text_cell(CDCRT_DECIMAL, "12.50"), types::integer_cell(CDCRT_DATE, 19000), cdcrt_cell{}};
  std::vector<evolution::Column> columns;
  for (std::size_t i = 0; i < defaults.size(); ++i) {
    evolution::Column& column = columns.emplace_back();
    column.source_name = "c" + std::to_string(i);
    column.target_name = "t" + std::to_string(i);
    column.type = i == 3 ? types::decimal_type(10, 2) : cdcrt_type{};
    column.default_value = defaults[i];
    column.key_ordinal = i == 0 ? 1 : 0;
    column.active = i != 4;
    column.incarnation = static_cast<uint32_t>(i);
    column.dropped_at = std::string("\0\x01", 2);
  }
  REQUIRE(target.connection.begin());
  REQUIRE(store.save_table(target.connection, "shop.orders", "s.orders", std::string("\0\x02", 2), true));
  REQUIRE(store.save_columns(target.connection, "shop.orders", columns));
  REQUIRE(target.connection.commit());
  auto stored = store.claim(target.connection);
  REQUIRE(stored);
  const auto& table = stored->tables.at("shop.orders");
  CHECK(table.key_known);
  CHECK(table.floor == std::string("\0\x02", 2));
  REQUIRE(table.columns.size() == columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    std::string before, after;
    types::append_text(before, columns[i].default_value);
    types::append_text(after, table.columns[i].default_value);
    CHECK(before == after);
    CHECK(table.columns[i].source_name == columns[i].source_name);
    CHECK(table.columns[i].target_name == columns[i].target_name);
    CHECK(types::equal(table.columns[i].type, columns[i].type));
    CHECK(table.columns[i].key_ordinal == columns[i].key_ordinal);
    CHECK(table.columns[i].active == columns[i].active);
    CHECK(table.columns[i].incarnation == columns[i].incarnation);
    CHECK(table.columns[i].dropped_at == columns[i].dropped_at);
  }
}

TEST_CASE("progress: who claims last may commit, who claimed before may not") {
  Target target;
  const auto p = partition(3);
  progress::Store first("shop", "db", "cdcrt", true, "one"), second("shop", "db", "cdcrt", true, "two");
  REQUIRE(first.prepare(target.connection));
  REQUIRE(first.claim(target.connection));
  REQUIRE(first.claim_new(target.connection, {&p}));
  CHECK(first.check(target.connection, {&p}));
  REQUIRE(second.claim(target.connection));
  CHECK(second.check(target.connection, {&p}));
  const auto fenced = first.check(target.connection, {&p});
  REQUIRE(!fenced);
  CHECK(fenced.error().code == CDCRT_FATAL);
  CHECK(fenced.error().message.find("topic[3]") != std::string::npos);
}

TEST_CASE("progress: pipelines and sinks in one target do not see each other") {
  Target target;
  const auto p = partition(0);
  progress::Store mine("shop", "db", "cdcrt", true, "one"), other("shop2", "db", "cdcrt", true, "two");
  REQUIRE(mine.prepare(target.connection));
  REQUIRE(other.prepare(target.connection));
  REQUIRE(mine.save_watermarks(target.connection, {{&p, 7}}));
  REQUIRE(other.save_watermarks(target.connection, {{&p, 9}}));
  auto stored = mine.claim(target.connection);
  REQUIRE(stored);
  CHECK(stored->watermarks.size() == 1);
  CHECK(stored->watermarks.begin()->second == 7);
}

TEST_CASE("progress: a lost commit is found by where the table stands") {
  Target target;
  const auto p = partition(0), q = partition(1);
  progress::Store store("shop", "db", "cdcrt", true, "one");
  REQUIRE(store.prepare(target.connection));
  REQUIRE(store.save_progress(target.connection, "t", {{&p, 7, "a"}, {&q, 3, "b"}}));
  CHECK(*store.stands_at(target.connection, "t", {{&p, 7, "a"}, {&q, 3, "b"}}));
  CHECK(!*store.stands_at(target.connection, "t", {{&p, 7, "a"}, {&q, 4, "b"}}));
  CHECK(!*store.stands_at(target.connection, "u", {{&p, 7, "a"}}));
}

TEST_CASE("progress: a newer format is refused with both versions") {
  Target target;
  progress::Store store("shop", "db", "cdcrt", true, "one");
  REQUIRE(store.prepare(target.connection));
  auto& version = target.database.tables["cdcrt.format"].rows.at(0)["format_version"];
  version.clear();
  types::append_text(version, types::integer_cell(CDCRT_I64, 99));
  const auto refused = store.prepare(target.connection);
  REQUIRE(!refused);
  CHECK(refused.error().message.find("99") != std::string::npos);
}
