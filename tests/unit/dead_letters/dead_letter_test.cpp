#include "dead_letters/dead_letter.hpp"

#include <doctest/doctest.h>

#include <deque>

#include "dead_letters/dead_letter_row.hpp"

using namespace cdcrt;
using dead_letters::StoredDeadLetter;

namespace {

StoredDeadLetter dead_letter() {
  StoredDeadLetter made;
  made.id = "s/t/2/7/db/shop.orders";
  made.reason = "value_refused";
  made.message = "too \"long\"\n";
  made.source = "s";
  made.topic = "t";
  made.partition = 2;
  made.offset = 7;
  made.sink = "db";
  made.table = "shop.orders";
  made.has_raw = true;
  made.timestamp_ms = 1'700'000'000'123;
  made.value = std::string("\xff\xfe\0x", 4);
  made.headers = {{"h", "v"}, {"none", std::nullopt}, {"\xff", std::string("\0", 1)}};
  return made;
}

void check_same(const StoredDeadLetter& a, const StoredDeadLetter& b) {
  CHECK(a.id == b.id);
  CHECK(a.reason == b.reason);
  CHECK(a.source == b.source);
  CHECK(a.topic == b.topic);
  CHECK(a.partition == b.partition);
  CHECK(a.offset == b.offset);
  CHECK(a.sink == b.sink);
  CHECK(a.table == b.table);
  CHECK(a.has_raw == b.has_raw);
  CHECK(a.timestamp_ms == b.timestamp_ms);
  CHECK(a.key == b.key);
  CHECK(a.value == b.value);
  CHECK(a.headers == b.headers);
  CHECK(a.decoded_row == b.decoded_row);
}

}  // namespace

TEST_CASE("dead letters: a line is read back byte for byte") {
  const auto read = dead_letters::from_json(dead_letters::to_json(dead_letter()));
  REQUIRE(read);
  check_same(*read, dead_letter());
  CHECK(read->message == dead_letter().message);
  StoredDeadLetter decoded = dead_letter();
  decoded.has_raw = false;
  decoded.value.reset();
  decoded.headers.clear();
  decoded.timestamp_ms = -1;
  decoded.decoded_row = "a=1";
  const auto again = dead_letters::from_json(dead_letters::to_json(decoded));
  REQUIRE(again);
  check_same(*again, decoded);
}

TEST_CASE("dead letters: a row of cells is read back byte for byte") {
  const StoredDeadLetter one = dead_letter();
  std::vector<cdcrt_cell> cells;
  std::deque<std::string> storage;
  dead_letters::append_cells(cells, one, storage);
  REQUIRE(cells.size() == dead_letters::dead_letter_columns().size());
  const auto read = dead_letters::dead_letter_from(cells.data());
  REQUIRE(read);
  check_same(*read, one);
}

TEST_CASE("dead letters: a line that cdcrt did not write is refused") {
  for (const char* line : {"", "{", "[]", "{\"id\":\"x\"}", "{\"id\":\"x\",\"reason\":\"y\",\"value\":7}"}) {
    CAPTURE(line);
    CHECK(!dead_letters::from_json(line));
  }
}
