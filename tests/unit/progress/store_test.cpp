#include "progress/store.hpp"

#include <doctest/doctest.h>

#include "apply/memory_sink_calls.hpp"
#include "progress/target.hpp"
#include "types/cell_text.hpp"
#include "types/type.hpp"

using namespace cdcrt;
using test::Target;

namespace {

progress::Partition partition(int32_t number) {
  return {"source", "topic", number, [](auto&, auto, auto) {}};
}

}  // namespace

TEST_CASE("progress: what is known of a column comes back whole") {
  Target target;
  progress::Store store("shop", "db", "cdcrt", CDCRT_SINK_SCHEMAS, "here");
  REQUIRE(store.prepare(target.connection));
  const std::string long_text(300, 'x');
  const std::vector<cdcrt_cell> defaults = {types::text_cell(CDCRT_STRING, long_text),
                                            types::text_cell(CDCRT_STRING, ""),
                                            types::text_cell(CDCRT_BYTES, std::string_view("\0\xff", 2)),
                                            types::text_cell(CDCRT_DECIMAL, "12.50"),
                                            types::integer_cell(CDCRT_DATE, 19000),
                                            cdcrt_cell{}};
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
  progress::StoredTable row;
  row.version = 3;
  row.source_table = "s.orders";
  row.floor = std::string("\0\x02", 2);
  row.key_known = true;
  row.state = progress::TableState::kPaused;
  row.reason = "moved";
  REQUIRE(store.save_table(target.connection, "shop.orders", row));
  REQUIRE(store.save_columns(target.connection, "shop.orders", columns));
  REQUIRE(target.connection.commit());
  auto stored = store.read_all(target.connection, true);
  REQUIRE(stored);
  const auto& table = stored->tables.at("shop.orders");
  CHECK(table.key_known);
  CHECK(table.version == 3);
  CHECK(table.state == progress::TableState::kPaused);
  CHECK(table.reason == "moved");
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

TEST_CASE("progress: columns that were stored after the row of their table was read tell that its key is known") {
  Target target;
  progress::Store store("shop", "db", "cdcrt", CDCRT_SINK_SCHEMAS, "here");
  REQUIRE(store.prepare(target.connection));
  std::vector<evolution::Column> columns(2);
  columns[0].source_name = columns[0].target_name = "id";
  columns[1].source_name = columns[1].target_name = "a";
  for (const bool has_key : {false, true}) {
    CAPTURE(has_key);
    columns[0].key_ordinal = has_key ? 1 : 0;
    REQUIRE(target.connection.begin());
    REQUIRE(store.save_columns(target.connection, "shop.orders", columns));
    REQUIRE(target.connection.commit());
    const auto stored = store.read_all(target.connection);
    REQUIRE(stored);
    CHECK(stored->tables.at("shop.orders").key_known == has_key);
    progress::StoredTable table;
    event::Arena arena{256};
    REQUIRE(store.read_table(target.connection, "shop.orders", table, arena));
    CHECK(table.columns.size() == 2);
    CHECK(table.key_known == has_key);
  }
}

TEST_CASE("progress: the names that a column had come back, and of one that gave up its name whether it came early") {
  evolution::Column column;
  for (const std::size_t count : {0U, 1U, 2U}) {
    column.former_names.clear();
    for (std::size_t i = 0; i < count; ++i) column.former_names.push_back({i == 0 ? "came_early" : "", std::string("\0:7", 3)});
    for (const std::string name : {"b", "renamed:b@07"}) {
      for (const bool came_early : {false, true}) {
        column.source_name = name;
        column.active = name == "b";
        column.came_early = !column.active && came_early;
        evolution::Column stored;
        CHECK(progress::names_into(progress::names_to_bytes(column), stored) == !column.active);
        CHECK(stored.came_early == column.came_early);
        REQUIRE(stored.former_names.size() == count);
        for (std::size_t i = 0; i < count; ++i) {
          CHECK(stored.former_names[i].name == column.former_names[i].name);
          CHECK(stored.former_names[i].until == column.former_names[i].until);
        }
      }
    }
  }
}

TEST_CASE("progress: of a column that was stored without that it came early, its names tell it") {
  Target target;
  progress::Store store("shop", "db", "cdcrt", CDCRT_SINK_SCHEMAS, "here");
  REQUIRE(store.prepare(target.connection));
  std::vector<evolution::Column> columns(2);
  for (const std::size_t i : {0U, 1U}) {
    columns[i].source_name = columns[i].target_name = "renamed:b@3" + std::to_string(i);
    columns[i].active = false;
    columns[i].added_at = i == 0 ? "5" : "1";
  }
  REQUIRE(target.connection.begin());
  REQUIRE(store.save_table(target.connection, "shop.orders", {}));
  REQUIRE(store.save_columns(target.connection, "shop.orders", columns));
  REQUIRE(target.connection.commit());
  for (auto& row : target.database.tables.at("cdcrt.known_columns").rows) {
    row["former_names"].clear();
    types::append_text(row["former_names"], types::text_cell(CDCRT_BYTES, "1:b1:3"));
  }
  const auto stored = store.read_all(target.connection, true);
  REQUIRE(stored);
  const auto& kept = stored->tables.at("shop.orders").columns;
  REQUIRE(kept.size() == 2);
  for (const auto& column : kept) CHECK(column.former_names.size() == 1);
  CHECK(kept[0].came_early);
  CHECK_FALSE(kept[1].came_early);
}

TEST_CASE("progress: who claims last may commit, who claimed before may not") {
  Target target;
  const auto p = partition(3);
  progress::Store first("shop", "db", "cdcrt", CDCRT_SINK_SCHEMAS, "one"), second("shop", "db", "cdcrt", CDCRT_SINK_SCHEMAS, "two");
  const std::vector<progress::PartitionKey> key{{"source", "topic", 3}};
  REQUIRE(first.prepare(target.connection));
  REQUIRE(first.claim(target.connection, key));
  CHECK(first.check(target.connection, {&p})->empty());
  REQUIRE(second.claim(target.connection, key));
  CHECK(second.check(target.connection, {&p})->empty());
  CHECK(first.check(target.connection, {&p})->size() == 1);
}

TEST_CASE("progress: a lease that seems to be lost is asked for again before anybody gives up a partition for it") {
  Target target;
  const auto p = partition(3);
  progress::Store first("shop", "db", "cdcrt", CDCRT_SINK_SCHEMAS, "one"), second("shop", "db", "cdcrt", CDCRT_SINK_SCHEMAS, "two");
  const std::vector<progress::PartitionKey> key{{"source", "topic", 3}};
  REQUIRE(first.prepare(target.connection));
  REQUIRE(first.claim(target.connection, key));
  static memory_sink::Table* leases;
  static std::vector<memory_sink::Row> held;
  static int reads;
  leases = &target.database.tables.at("cdcrt.leases");
  held = leases->rows;
  reads = 0;
  REQUIRE(second.claim(target.connection, key));
  // The first answer is an older one, as a sink may give that has it proven with COMMIT.
  memory_sink::on_call = [](bool begins) {
    if (begins && ++reads == 2) leases->rows = held;
  };
  CHECK(first.check(target.connection, {&p})->empty());
  CHECK(reads == 2);
  // What says that it is ours is enough.
  CHECK(first.check(target.connection, {&p})->empty());
  CHECK(reads == 3);
  memory_sink::on_call = nullptr;
}

TEST_CASE("progress: who is sent back has lost its partition, and the next claim reads from there") {
  Target target;
  const auto p = partition(3);
  const progress::PartitionKey key{"source", "topic", 3};
  progress::Store running("shop", "db", "cdcrt", CDCRT_SINK_SCHEMAS, "one"), command("shop", "db", "cdcrt", CDCRT_SINK_SCHEMAS, "two");
  REQUIRE(running.prepare(target.connection));
  REQUIRE(running.claim(target.connection, {key}));
  REQUIRE(target.connection.begin());
  REQUIRE(
      running.save_progress(target.connection, {{"shop.orders", {{p.key(), {50, "order"}}}}, {"shop.others", {{p.key(), {60, "order"}}}}}));
  REQUIRE(running.save_watermarks(target.connection, {{&p, 50, {49, 1000, 77}}}));
  REQUIRE(target.connection.commit());
  for (const bool forget : {false, true}) {
    REQUIRE(target.connection.begin());
    REQUIRE(command.send_back(target.connection, {{{key, forget ? 0 : 20}}, {{"shop.orders", {{key, forget ? 0 : 20}}}}, forget}));
    REQUIRE(target.connection.commit());
    CHECK(running.check(target.connection, {&p})->size() == 1);
    const auto kept = running.claim(target.connection, {key});
    REQUIRE(kept);
    CHECK(running.check(target.connection, {&p})->empty());
    CHECK(kept->partitions.at(key).next_offset == (forget ? 0 : 20));
    CHECK(kept->partitions.at(key).last.offset == (forget ? -1 : 49));
    CHECK(kept->tables.at("shop.orders").progress.at(key).next_offset == (forget ? 0 : 20));
    CHECK(kept->tables.at("shop.orders").progress.at(key).order.empty());
    CHECK(kept->tables.at("shop.others").progress.at(key).next_offset == 60);
  }
}

TEST_CASE("progress: a watermark that is lower already is not raised by sending back") {
  Target target;
  const auto p = partition(3);
  const progress::PartitionKey key{"source", "topic", 3};
  progress::Store store("shop", "db", "cdcrt", CDCRT_SINK_SCHEMAS, "one");
  REQUIRE(store.prepare(target.connection));
  REQUIRE(store.claim(target.connection, {key}));
  REQUIRE(target.connection.begin());
  REQUIRE(store.save_watermarks(target.connection, {{&p, 10, {}}}));
  REQUIRE(store.send_back(target.connection, {{{key, 30}}, {}}));
  REQUIRE(target.connection.commit());
  CHECK(store.read_all(target.connection, true)->partitions.at(key).next_offset == 10);
}

TEST_CASE("progress: open dead letters come back by key, and closed ones are gone") {
  Target target;
  progress::Store store("shop", "db", "cdcrt", CDCRT_SINK_SCHEMAS, "one");
  REQUIRE(store.prepare(target.connection));
  const progress::OpenDeadLetter first{{"source", "topic", 3}, 7}, second{{"source", "topic", 3}, 9};
  const std::string key("\0\xff", 2);
  REQUIRE(target.connection.begin());
  REQUIRE(store.save_open_dead_letters(target.connection, "shop.orders", {}, {{key, {second, first}}, {"other", {first}}}));
  REQUIRE(target.connection.commit());
  auto kept = store.read_all(target.connection, true);
  REQUIRE(kept);
  CHECK(kept->tables.at("shop.orders").open_dead_letters.at(key) == std::vector{first, second});
  REQUIRE(target.connection.begin());
  REQUIRE(store.save_open_dead_letters(target.connection, "shop.orders", {{key, {first, second}}}, {}));
  REQUIRE(target.connection.commit());
  kept = store.read_all(target.connection, true);
  CHECK(kept->tables.at("shop.orders").open_dead_letters.size() == 1);
}

TEST_CASE("progress: the columns of its tables, and their keys, are those that programs before this one made") {
  Target target;
  progress::Store store("shop", "db", "cdcrt", CDCRT_SINK_SCHEMAS, "one");
  store.on_abandoned([](const std::string&) { return Result<void>(); });
  REQUIRE(store.prepare(target.connection));
  const std::map<std::string, std::string> expected{
      {"format", "component* format_version"},
      {"leases", "pipeline* sink* source* topic* partition* epoch owner waits_for"},
      {"watermarks", "pipeline* sink* source* topic* partition* next_offset last_offset last_timestamp_ms last_hash"},
      {"progress", "pipeline* sink* source* topic* partition* target* next_offset source_order"},
      {"tables",
       "pipeline* sink* target* source_table floor key_known version state reason source_server accepts_loss row_orders "
       "definition_topic"},
      {"known_columns",
       "pipeline* sink* target* slot* source_name target_name type key_ordinal default_value active incarnation last_seen dropped_at type_order "
       "adopted former_names added_at lacked_since undefined_since"},
      {"key_changes", "pipeline* sink* target* new_key* record"},
      {"open_dead_letters", "pipeline* sink* target* key* source* topic* partition* offset*"},
      {"replayed", "pipeline* sink* target* source* topic* partition* offset*"},
      {"troubles", "pipeline* sink* target* state reason since_ms process"},
      {"row_orders", "pipeline* sink* target* key* source_order flags server source_table partition parts refused"},
      {"tombstones", "pipeline* sink* target* key* removed_ms"},
      {"processes", "pipeline* sink* process*"}};
  std::map<std::string, std::string> found;
  for (const auto& [name, table] : target.database.tables) {
    std::string& columns = found[name.substr(name.find('.') + 1)];
    for (const auto& column : table.columns) columns += (columns.empty() ? "" : " ") + column.name + (column.key_ordinal > 0 ? "*" : "");
  }
  CHECK(found == expected);
}

TEST_CASE("progress: nothing is made by looking") {
  Target target;
  progress::Store store("shop", "db", "cdcrt", CDCRT_SINK_SCHEMAS, "one");
  CHECK(*store.kept_version(target.connection) == 0);
  CHECK(target.database.tables.empty());
  REQUIRE(store.prepare(target.connection));
  CHECK(*store.kept_version(target.connection) == progress::Store::own_version());
}

TEST_CASE("progress: a partition that was given up may not commit") {
  Target target;
  const auto p = partition(3);
  progress::Store store("shop", "db", "cdcrt", CDCRT_SINK_SCHEMAS, "one");
  REQUIRE(store.prepare(target.connection));
  REQUIRE(store.claim(target.connection, {{"source", "topic", 3}}));
  store.forget(p);
  CHECK(store.check(target.connection, {&p})->size() == 1);
}

TEST_CASE("progress: an answer that was lost is waited out by raising our own lease, and only ours") {
  Target target;
  const auto p = partition(3);
  const std::vector<progress::PartitionKey> key{{"source", "topic", 3}};
  progress::Store first("shop", "db", "cdcrt", CDCRT_SINK_SCHEMAS, "one"), second("shop", "db", "cdcrt", CDCRT_SINK_SCHEMAS, "two");
  REQUIRE(first.prepare(target.connection));
  REQUIRE(first.claim(target.connection, key));
  CHECK(first.reclaim(target.connection, "shop.orders", {&p})->empty());
  CHECK(first.check(target.connection, {&p})->empty());
  REQUIRE(second.claim(target.connection, key));
  CHECK(first.reclaim(target.connection, "shop.orders", {&p})->size() == 1);
}

TEST_CASE("progress: who is sent back after an answer was lost does not take that for its own raise") {
  Target target;
  const auto p = partition(3);
  const progress::PartitionKey key{"source", "topic", 3};
  progress::Store running("shop", "db", "cdcrt", CDCRT_SINK_SCHEMAS, "one"), other("shop", "db", "cdcrt", CDCRT_SINK_SCHEMAS, "two");
  REQUIRE(running.prepare(target.connection));
  REQUIRE(running.claim(target.connection, {key}));
  target.database.lost_before_commit = 1;
  REQUIRE(!running.reclaim(target.connection, "shop.orders", {&p}));
  REQUIRE(target.connection.begin());
  REQUIRE(other.send_back(target.connection, {{{key, 0}}, {{"shop.orders", {{key, 0}}}}}));
  REQUIRE(target.connection.commit());
  CHECK(running.reclaim(target.connection, "shop.orders", {&p})->size() == 1);
}

TEST_CASE("progress: a new partition has one start, whoever claims it first") {
  Target target;
  const std::vector<progress::PartitionKey> key{{"source", "topic", 3}};
  progress::Store first("shop", "db", "cdcrt", CDCRT_SINK_SCHEMAS, "one"), second("shop", "db", "cdcrt", CDCRT_SINK_SCHEMAS, "two");
  REQUIRE(first.prepare(target.connection));
  REQUIRE(first.claim(target.connection, key, {{key[0], 40, {{0, 7}, {1, 9}}}}));
  const auto stored = second.claim(target.connection, key, {{key[0], 50, {}}});
  REQUIRE(stored);
  CHECK(stored->partitions.at(key[0]).next_offset == 40);
  CHECK(progress::to_text(stored->partitions.at(key[0]).waits_for) == "0:7 1:9");
  CHECK(stored->partitions.at(key[0]).owner == "two");
}

TEST_CASE("progress: partitions that others read are sent back only when they are past the truncate") {
  Target target;
  const auto mine = partition(0), before = partition(1), after = partition(2);
  progress::Store store("shop", "db", "cdcrt", CDCRT_SINK_SCHEMAS, "one"), other("shop", "db", "cdcrt", CDCRT_SINK_SCHEMAS, "two");
  REQUIRE(store.prepare(target.connection));
  REQUIRE(store.claim(target.connection, {{"source", "topic", 0}}));
  REQUIRE(other.claim(target.connection, {{"source", "topic", 1}, {"source", "topic", 2}}));
  REQUIRE(other.save_watermarks(target.connection, {{&before, 5, {}}, {&after, 6, {}}}));
  REQUIRE(store.save_progress(target.connection, {{"t", {{mine.key(), {4, "z"}}, {before.key(), {5, "k"}}, {after.key(), {6, "m"}}}}}));
  REQUIRE(store.send_others_back(target.connection, "t", "l", {&mine}));
  const auto stored = store.read_all(target.connection, true);
  REQUIRE(stored);
  CHECK(stored->tables.at("t").progress.at({"source", "topic", 0}).next_offset == 4);
  CHECK(stored->tables.at("t").progress.at({"source", "topic", 1}).next_offset == 5);
  CHECK(stored->tables.at("t").progress.at({"source", "topic", 2}).next_offset == 0);
  CHECK(stored->partitions.at({"source", "topic", 2}).next_offset == 0);
  CHECK(stored->partitions.at({"source", "topic", 1}).next_offset == 5);
  CHECK(other.check(target.connection, {&before})->empty());
  CHECK(other.check(target.connection, {&after})->size() == 1);
}

TEST_CASE("progress: an older format is brought forward") {
  Target target;
  progress::Store store("shop", "db", "cdcrt", CDCRT_SINK_SCHEMAS, "one");
  REQUIRE(store.prepare(target.connection));
  for (const char* name : {"cdcrt.leases", "cdcrt.watermarks", "cdcrt.tables"}) {
    auto& columns = target.database.tables[name].columns;
    columns.resize(columns.size() - (std::string(name) == "cdcrt.leases" ? 1 : 3));
  }
  auto& version = target.database.tables["cdcrt.format"].rows.at(0)["format_version"];
  version.clear();
  types::append_text(version, types::integer_cell(CDCRT_I64, 1));
  REQUIRE(store.prepare(target.connection));
  CHECK(target.database.tables["cdcrt.leases"].column("waits_for") != nullptr);
  CHECK(target.database.tables["cdcrt.tables"].column("state") != nullptr);
  CHECK(target.database.tables["cdcrt.watermarks"].column("last_hash") != nullptr);
}

TEST_CASE(
    "progress: open dead letters that format version 2 kept by position, of whichever pipeline, are found by key, and the old table is gone") {
  Target target;
  progress::Store mine("shop", "db", "cdcrt", CDCRT_SINK_SCHEMAS, "one"), other("other", "db", "cdcrt", CDCRT_SINK_SCHEMAS, "two");
  REQUIRE(mine.prepare(target.connection));
  const progress::OpenDeadLetter dead_letter{{"source", "topic", 3}, 17};
  for (progress::Store* store : {&mine, &other}) {
    REQUIRE(target.connection.begin());
    REQUIRE(store->save_open_dead_letters(target.connection, "shop.orders", {}, {{"key", {dead_letter}}}));
    REQUIRE(target.connection.commit());
  }
  auto& tables = target.database.tables;
  tables["cdcrt.open_letters"] = tables["cdcrt.open_dead_letters"];
  tables.erase("cdcrt.open_dead_letters");
  auto& version = tables["cdcrt.format"].rows.at(0)["format_version"];
  version.clear();
  types::append_text(version, types::integer_cell(CDCRT_I64, 2));
  REQUIRE(mine.prepare(target.connection));
  CHECK(tables.count("cdcrt.open_letters") == 0);
  for (progress::Store* store : {&mine, &other}) {
    const auto kept = store->read_all(target.connection, true);
    REQUIRE(kept);
    CHECK(kept->tables.at("shop.orders").open_dead_letters.at("key") == std::vector{dead_letter});
  }
}

TEST_CASE("progress: in a target of a newer format, which has other tables, nothing is made") {
  Target target;
  progress::Store store("shop", "db", "cdcrt", CDCRT_SINK_SCHEMAS, "one");
  REQUIRE(store.prepare(target.connection));
  auto& tables = target.database.tables;
  tables["cdcrt.renamed"] = tables["cdcrt.row_orders"];
  tables.erase("cdcrt.row_orders");
  auto& version = tables["cdcrt.format"].rows.at(0)["format_version"];
  version.clear();
  types::append_text(version, types::integer_cell(CDCRT_I64, progress::Store::own_version() + 1));
  const auto refused = store.prepare(target.connection);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == CDCRT_UNSUPPORTED);
  CHECK(tables.count("cdcrt.row_orders") == 0);
}

TEST_CASE("progress: pipelines and sinks in one target do not see each other") {
  Target target;
  const auto p = partition(0);
  progress::Store mine("shop", "db", "cdcrt", CDCRT_SINK_SCHEMAS, "one"), other("shop2", "db", "cdcrt", CDCRT_SINK_SCHEMAS, "two");
  REQUIRE(mine.prepare(target.connection));
  REQUIRE(other.prepare(target.connection));
  REQUIRE(mine.save_watermarks(target.connection, {{&p, 7, {}}}));
  REQUIRE(other.save_watermarks(target.connection, {{&p, 9, {}}}));
  auto stored = mine.read_all(target.connection);
  REQUIRE(stored);
  CHECK(stored->partitions.size() == 1);
  CHECK(stored->partitions.begin()->second.next_offset == 7);
}

TEST_CASE("progress: a lost commit is found by where the table stands") {
  Target target;
  const auto p = partition(0), q = partition(1);
  progress::Store store("shop", "db", "cdcrt", CDCRT_SINK_SCHEMAS, "one");
  REQUIRE(store.prepare(target.connection));
  REQUIRE(store.save_progress(target.connection, {{"t", {{p.key(), {7, "a"}}, {q.key(), {3, "b"}}}}}));
  CHECK(*store.stands_at(target.connection, "t", {{&p, 7, "a"}, {&q, 3, "b"}}));
  CHECK(!*store.stands_at(target.connection, "t", {{&p, 7, "a"}, {&q, 4, "b"}}));
  CHECK(!*store.stands_at(target.connection, "u", {{&p, 7, "a"}}));
}

TEST_CASE("progress: a newer format is refused with both versions") {
  Target target;
  progress::Store store("shop", "db", "cdcrt", CDCRT_SINK_SCHEMAS, "one");
  REQUIRE(store.prepare(target.connection));
  auto& version = target.database.tables["cdcrt.format"].rows.at(0)["format_version"];
  version.clear();
  types::append_text(version, types::integer_cell(CDCRT_I64, 99));
  const auto refused = store.prepare(target.connection);
  REQUIRE(!refused);
  CHECK(refused.error().message.find("99") != std::string::npos);
}
