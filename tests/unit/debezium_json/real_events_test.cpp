// What a real Debezium wrote for PostgreSQL: every message decodes, alone and in batches alike.
#include <doctest/doctest.h>

#include <map>

#include "decoded.hpp"
#include "paths.hpp"

using namespace cdcrt::test;

namespace {

const std::string kData = paths::test_data();

struct Stream {
  std::string name, folder, file;
};
const Stream kStreams[] = {{"with schemas", "/debezium-postgres/", "events.jsonl.gz"},
                           {"without schemas", "/debezium-postgres-noschema/", "events.jsonl"}};

std::vector<TestRow> rows_of(const Stream& stream, const std::string& topic) {
  auto events = read_events(kData + stream.folder + stream.file);
  return decode(events.at(topic), topic).rows;
}

const TestRow& row_with_id(const std::vector<TestRow>& rows, const std::string& id) {
  for (const auto& row : rows) {
    if (row.cells.count("id") != 0 && row.cells.at("id") == "I64 " + id) return row;
  }
  FAIL("no row of id " << id);
  return rows.front();
}

}  // namespace

TEST_CASE("real events: nothing is rejected, every message gives one row, batches split anywhere alike") {
  for (const auto& stream : kStreams) {
    std::map<std::string, int> operations;
    std::size_t messages = 0;
    for (const auto& [topic, events] : read_events(kData + stream.folder + stream.file)) {
      CAPTURE(topic);
      const Decoded whole = decode(events, topic);
      CHECK(whole.rejects.empty());
      REQUIRE(whole.rows.size() == events.size());
      messages += events.size();
      for (const auto& row : whole.rows) ++operations[row.operation];
      for (const std::size_t batch : {std::size_t{1}, std::size_t{7}}) {
        const Decoded split = decode(events, topic, {}, batch);
        REQUIRE(split.rows.size() == whole.rows.size());
        for (std::size_t i = 0; i < whole.rows.size(); ++i) CHECK(split.rows[i].text() == whole.rows[i].text());
      }
    }
    CAPTURE(stream.name);
    CHECK(messages == (stream.name == "with schemas" ? 2446 : 2221));
    CHECK(operations["MARKER"] > 0);
    CHECK(operations["TRUNCATE"] == 1);
    CHECK(operations["SNAPSHOT"] > 0);
    CHECK(operations["UPDATE"] > 0);
    // Each delete is followed by its tombstone, a marker.
    CHECK(operations["DELETE"] == (stream.name == "with schemas" ? 130 : 284));
  }
}

TEST_CASE("real events: the table of all types arrives exact") {
  const auto rows = rows_of(kStreams[0], "pg.public.types_all");
  const TestRow& row = row_with_id(rows, "1");
  const std::map<std::string, std::string> expected = {
      {"b", "BOOL 1"},
      {"i8", "I64 -9223372036854775808"},
      {"n", "DECIMAL 123456789012345678901234567890.123456789"},
      {"n5_2", "DECIMAL -999.99"},
      {"n38_10", "DECIMAL 1234567890123456789012345678.0123456789"},
      {"m", "DECIMAL 1234.56"},
      {"c", "STRING ab   "},
      {"t", "STRING tab\tnl\nquote\" back\\ slash"},
      {"by", "BYTES 00ff10"},
      {"d", "DATE -719162"},
      {"tm", "TIME 86399999999"},
      {"tmtz", "STRING 07:04:56.789Z"},
      {"ts3", "TIMESTAMP 981173106789000"},
      {"tstz", "TIMESTAMPTZ 1709175600123456"},
      {"iv", "INTERVAL PT37091106.5S"},
      {"u", "UUID 6f1b1ad0-0000-4000-8000-00000000abcd"},
      {"j", "JSON {\"a\": 1.50, \"b\":[null,true]}"},
      {"arr_n", "ARRAY [1.500,2.250]"},
      {"pt", "JSON {\"x\":1.5,\"y\":-2.0,\"wkb\":\"AQEAAAAAAAAAAAD4PwAAAAAAAADA\",\"srid\":null}"},
      {"bt", "STRING 10101010"},
      {"vb", "STRING 101"},
      {"b1", "BOOL 1"},
      {"h", "JSON {\"a\":\"1\",\"b\":null}"},
      {"tsr", "STRING [\"2024-01-01 00:00:00+00\",\"2024-02-01 00:00:00+00\")"},
  };
  for (const auto& [name, cell] : expected) {
    CAPTURE(name);
    CHECK(row.cells.at(name) == cell);
  }
  CHECK(row_with_id(rows, "2").cells.at("ts") == "TIMESTAMP 9223372036854775807");
  CHECK(row_with_id(rows, "2").cells.at("tstz") == "TIMESTAMPTZ -9223372036854775808");
  CHECK(row_with_id(rows, "3").cells.at("f8") == "F64 -0");
  CHECK(row.columns.at("n38_10").type == "DECIMAL(38,10)");
}

TEST_CASE("real events: the same values with and without schema are equal where JSON can hold them") {
  const auto declared = rows_of(kStreams[0], "pg.public.types_all");
  const auto natural = rows_of(kStreams[1], "pgj.public.types_all");
  int compared = 0;
  for (const char* id : {"0", "1", "2", "3", "4"}) {
    const TestRow& left = row_with_id(declared, id);
    const TestRow& right = row_with_id(natural, id);
    for (const auto& [name, cell] : left.cells) {
      const std::string type = left.columns.at(name).type;
      const bool same_in_json = type == "BOOL" || type.substr(0, 3) == "INT" || type == "STRING" || type == "JSON" || type == "STRING[]";
      if (!same_in_json || name == "iv" || name == "vb" || name == "arr_n" || type.substr(0, 8) == "INTERVAL") continue;
      CAPTURE(name);
      const auto bare = [](const std::string& text) { return text.substr(text.find(' ') + 1); };
      CHECK(bare(cell) == bare(right.cells.at(name)));
      ++compared;
    }
  }
  CHECK(compared > 80);
}

TEST_CASE("real events: defaults, key changes, unavailable values and filler are understood") {
  const auto customers = rows_of(kStreams[0], "pg.public.customers");
  const TestRow& last = customers.back();
  CHECK(last.columns.at("loyalty").default_value == "I64 5");
  CHECK(last.columns.at("created").default_value.empty());
  CHECK(last.columns.at("id").default_value.empty());
  for (const auto& row : customers) {
    if (row.operation == "DELETE") CHECK(row.text().find("before") == std::string::npos);
  }
  int changed = 0;
  for (const auto& row : rows_of(kStreams[0], "pg.sales.orders")) changed += row.has_other_key ? 1 : 0;
  CHECK(changed >= 2);
  int unavailable = 0;
  for (const auto& row : rows_of(kStreams[0], "pg.public.big_text")) {
    if (row.operation == "UPDATE" && row.cells.count("doc") == 0) ++unavailable;
  }
  CHECK(unavailable > 0);
  const auto full = rows_of(kStreams[0], "pg.public.full_ident");
  int images = 0;
  for (const auto& row : full) images += row.has_before ? 1 : 0;
  CHECK(images == 5);
}

TEST_CASE("real events: records of MariaDB's schema changes say which columns were renamed, and stand before the rows that show it") {
  const auto events = read_events(kData + "/debezium-mariadb-renames/events.jsonl.gz");
  const Decoded records = decode(events.at("shop"), "shop");
  const Decoded changes = decode(events.at("shop.shop.orders"), "shop.shop.orders");
  CHECK(records.rejects.empty());
  CHECK(changes.rejects.empty());
  std::string told;
  for (const TestRow& row : records.rows) {
    if (row.operation != "DEFINITION") continue;
    told += row.table + ":";
    for (const std::string& name : row.names) {
      const std::string& former = row.columns.at(name).former_name;
      told += " " + name + (former.empty() ? "" : " (" + former + ")");
    }
    told += "\n";
    const bool shows_new_name = row.columns.count("the remark") != 0;
    for (const TestRow& change : changes.rows) {
      if (change.columns.count("the remark") != 0 && change.columns.count("amount") == 0 && shows_new_name &&
          row.columns.count("amount") == 0)
        CHECK(row.order < change.order);
    }
  }
  CHECK(told ==
        "shop.-.orders: id note total\nshop.-.other: id a b\nshop.-.orders: id the remark (note) total extra\n"
        "shop.-.orders: id the remark amount (total) extra\nshop.-.orders: id the remark amount extra total\nshop.-.other: id a\n");
}
