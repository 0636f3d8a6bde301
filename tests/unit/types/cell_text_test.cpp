#include "types/cell_text.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <map>
#include <random>
#include <string>

#include "cdcrt/sdk/utf8.hpp"
#include "samples.hpp"

using namespace cdcrt;
using namespace cdcrt::types;

namespace {

std::string key(std::initializer_list<cdcrt_cell> cells) {
  std::string out;
  for (const auto& cell : cells) append_key(out, cell);
  return out;
}
cdcrt_cell integer(int64_t value) { return integer_cell(CDCRT_I64, value); }
cdcrt_cell string(std::string_view text) { return text_cell(CDCRT_STRING, text); }
cdcrt_cell decimal(std::string_view text) { return text_cell(CDCRT_DECIMAL, text); }

bool same(const cdcrt_cell& a, const cdcrt_cell& b) {
  if (a.tag != b.tag) return false;
  if (a.tag <= CDCRT_NULL) return true;
  if (has_bytes(a.tag)) return text_of(a) == text_of(b);
  if (a.tag == CDCRT_F64)
    return (std::isnan(a.value.real) && std::isnan(b.value.real)) || std::memcmp(&a.value.real, &b.value.real, sizeof(double)) == 0;
  return a.value.integer == b.value.integer;
}

}  // namespace

TEST_CASE("key: equal values have equal keys whatever their tag") {
  for (const auto& five : {natural_cell(5), real_cell(5.0), decimal("5.0"), decimal("005"), string("5")})
    CHECK(key({five}) == key({integer(5)}));
  CHECK(key({decimal("-0.00")}) == key({integer(0)}));
  CHECK(key({real_cell(-0.0)}) == key({integer(0)}));
  CHECK(key({decimal("12.50")}) == key({decimal("12.5")}));
  CHECK(key({real_cell(0.5)}) == key({decimal("0.50")}));
  CHECK(key({decimal("18446744073709551615")}) == key({natural_cell(UINT64_MAX)}));
  CHECK(key({decimal("-9223372036854775808.0")}) == key({integer(INT64_MIN)}));
  CHECK(key({integer_cell(CDCRT_DATE, 0)}) == key({string("1970-01-01")}));
}

TEST_CASE("key: different values have different keys") {
  CHECK(key({null_cell()}) != key({string("")}));
  CHECK(key({null_cell()}) != key({integer_cell(CDCRT_ABSENT, 0)}));
  CHECK(key({string("5.0")}) != key({string("5")}));
  CHECK(key({string("a")}) != key({string("A")}));
  CHECK(key({decimal("1.5")}) != key({decimal("15")}));
  CHECK(key({integer(-5)}) != key({integer(5)}));
  CHECK(key({string("a"), string("bc")}) != key({string("ab"), string("c")}));
  CHECK(key({string("")}) != key({}));
  CHECK(key({string(""), null_cell()}) != key({null_cell(), string("")}));
}

TEST_CASE("key: no composite key collides with another") {
  std::mt19937_64 random(5);
  std::map<std::string, std::string> seen;
  for (int i = 0; i < 20'000; ++i) {
    std::string out;
    std::string plain;
    for (int parts = 1 + static_cast<int>(random() % 3); parts > 0; --parts) {
      const auto kind = random() % 4;
      if (kind == 0) {
        append_key(out, null_cell());
        plain += "N|";
      } else if (kind == 1) {
        const auto value = static_cast<int64_t>(random() % 300) - 150;
        append_key(out, integer(value));
        plain += "T" + std::to_string(value) + "|";
      } else {
        std::string text;
        for (auto size = random() % 4; size > 0; --size) text += "\0\1\2\3ab"[random() % 6];
        if (kind == 3) text += std::string(random() % 300, 'x');
        append_key(out, string(text));
        plain += "T" + text + "|";
      }
    }
    const auto [at, is_new] = seen.emplace(out, plain);
    if (!is_new) REQUIRE(at->second == plain);
  }
  CHECK(seen.size() > 1'000);
}

TEST_CASE("cell text: every cell comes back, alone and in a row, as UTF-8 without NUL") {
  event::Arena arena;
  std::string row;
  auto cells = samples::all_values();
  cells.push_back(string("\xff broken \xed\xa0\x80"));
  cells.push_back(text_cell(CDCRT_JSON, std::string_view("\"\0\"", 3)));
  cells.push_back(real_cell(-0.0));
  cells.push_back(string("1:2:!x9"));
  for (const auto& cell : cells) {
    INFO(display(cell));
    std::string text;
    append_text(text, cell);
    row += text;
    CHECK(text.find('\0') == std::string::npos);
    CHECK(sdk::is_utf8(text));
    const auto back = from_text(text, arena);
    REQUIRE(back);
    CHECK(same(*back, cell));
  }
  std::string_view rest = row;
  for (const auto& cell : cells) {
    const auto back = take_text(rest, arena);
    REQUIRE(back);
    REQUIRE(same(*back, cell));
  }
  CHECK(rest.empty());
}

TEST_CASE("cell text: what the host did not write is refused") {
  event::Arena arena;
  for (const std::string text : {"",
                                 "i",
                                 "i1",
                                 "i1:",
                                 "i2:1",
                                 "i1:x",
                                 "i1:12",
                                 "q1:1",
                                 "i-1:1",
                                 "u2:-1",
                                 "n1:x",
                                 "!n0:",
                                 "!i1:1",
                                 "x2:ab",
                                 "!x1:a",
                                 "s99999999999999999999:a",
                                 "i20:99999999999999999999",
                                 "f1:x",
                                 "!",
                                 "s5:ab"}) {
    INFO(text);
    const auto cell = from_text(text, arena);
    REQUIRE_FALSE(cell);
    CHECK(cell.error().code == CDCRT_FATAL);
  }
}

TEST_CASE("cell text: damaged texts are refused or read, never more") {
  event::Arena arena;
  std::mt19937_64 random(11);
  const auto cells = samples::all_values();
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    append_text(text, cells[random() % cells.size()]);
    text[random() % text.size()] = static_cast<char>(random());
    text.resize(random() % (text.size() + 1));
    const auto cell = from_text(text, arena);
    if (cell) CHECK(cell->tag <= CDCRT_INTERVAL);
  }
}

TEST_CASE("display: one short line for every value") {
  CHECK(display(integer(-5)) == "-5");
  CHECK(display(null_cell()) == "NULL");
  CHECK(display(integer_cell(CDCRT_ABSENT, 0)) == "(absent)");
  CHECK(display(integer_cell(CDCRT_BOOL, 1)) == "true");
  CHECK(display(string("it's")) == "'it's'");
  CHECK(display(string("a\nb\x7f")) == "'a\\x0ab\\x7f'");
  CHECK(display(string("\xff")) == "'\\xff'");
  CHECK(display(decimal("1.50")) == "1.50");
  CHECK(display(text_cell(CDCRT_BYTES, std::string_view("\x00\xff", 2))) == "x'00ff'");
  CHECK(display(string(std::string(60, 'a'))) == "'" + std::string(60, 'a') + "'");
  CHECK(display(string(std::string(61, 'a'))) == "'" + std::string(60, 'a') + "...'");
  std::string long_text;
  for (int i = 0; i < 100; ++i) long_text += "\xE6\xBC\xA2";
  CHECK(display(string(long_text)) == "'" + long_text.substr(0, 180) + "...'");
  CHECK(display(text_cell(CDCRT_BYTES, std::string(100, 'a'))).size() < 70);
  CHECK(display(string(std::string(100, '\1'))).size() < 80);
}
