// What `cdcrt top` shows of a pipeline's status.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "cli/status_facts.hpp"
#include "cli/top_screen.hpp"
#include "diagnostics/text.hpp"

using namespace cdcrt;
using cli::StatusFacts;
using cli::TopView;

namespace {

constexpr const char* kStatus =
    R"({"status_version":1,"version":"0.1.0","pipeline":"shop","state":"running","time_ms":1760000000000,"ready":false,
"reasons":[{"component":"sinks.target","reason":"waiting for the target for 12 s: no route to host"}],
"process":{"host":"db1","pid":4711,"uptime_seconds":11520.5,"cpu_seconds":10.0,"resident_bytes":92274688},
"buffers":{"budget_bytes":134217728,"message_bytes":1048576,"row_bytes":2097152,"dead_letter_bytes":0},
"totals":{"applied_rows":{"insert":1000,"update":200,"delete":34},"dead_letters":2},
"sources":[{"name":"events","plugin":"kafka","state":"reading","reason":"","messages":5000,"bytes":10485760,"lag_messages":1234567,
"input":{"done":300,"total":1000}}],
"sinks":[{"name":"target","plugin":"postgresql","state":"waiting","reason":"no route to host","connections":4,"lag_seconds":75.2,
"tables":{"active":1,"detached":1},"retries":{"unreachable":3,"locked":1},"writes":10,"write_rows":1234.0,"last_commit_age_seconds":12.5}],
"tables_total":2,"tables_matched":2,"tables":[
{"sink":"target","table":"shop.orders","state":"detached","reason":"locked by others","applied_rows":{"insert":900,"update":100,"delete":0},
"lag_messages":12,"lag_seconds":75.2,"buffered_rows":40,"dead_letters":2},
{"sink":"target","table":"shop.customers","state":"active","reason":"","applied_rows":{"insert":100,"update":100,"delete":34},
"lag_messages":null,"lag_seconds":null,"buffered_rows":0,"dead_letters":0}],
"dead_letters":{"count":2,"place":"dead","by_reason":[{"sink":"target","table":"shop.orders","reason":"undecodable","count":2}]}})";

StatusFacts facts() {
  auto read = cli::read_status(kStatus);
  REQUIRE(read);
  return *read;
}

std::string text(const std::vector<std::string>& lines) {
  std::string all;
  for (const auto& line : lines) all += line + "\n";
  return all;
}

bool has(const std::string& all, const std::string& part) { return all.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("top: what is wrong stands in words, with its reason") {
  const std::string screen = text(cli::draw_top(facts(), nullptr, {}, 160, 0));
  CAPTURE(screen);
  CHECK(has(screen, "running, NOT READY"));
  CHECK(has(screen, "! sinks.target: waiting for the target for 12 s: no route to host"));
  CHECK(has(screen, "shop.orders"));
  CHECK(has(screen, "why: locked by others"));
  CHECK(has(screen, "dead letters: 2 of shop.orders: undecodable"));
  CHECK(has(screen, "1 active, 1 detached"));
  CHECK(has(screen, "1,234,567"));
  CHECK(has(screen, "up 3 h 12 min"));
  CHECK(has(screen, "buffered 3.0 MiB of 128 MiB"));
  CHECK_FALSE(has(screen, "\x1b"));
}

TEST_CASE("top: rates are those between two looks, and none where the process began anew") {
  const StatusFacts before = facts();
  StatusFacts now = before;
  now.time_ms += 2000;
  now.rows += 5000;
  now.cpu_seconds += 1;
  now.tables[0].rows += 4000;
  now.sources[0].messages += 6000;
  now.sources[0].done += 100;
  now.sources[0].left_seconds = 12.4;
  now.sinks[0].writes += 1;
  const std::string screen = text(cli::draw_top(now, &before, {}, 160, 0));
  CAPTURE(screen);
  CHECK(has(screen, "rows/s 2,500"));
  CHECK(has(screen, "CPU 50 %"));
  CHECK(has(screen, "3,000"));
  CHECK(has(screen, "2,000"));
  CHECK(has(screen, "0.5"));
  CHECK(has(screen, "40 %, about 12 s left"));
  now.pid = 4712;
  CHECK(has(text(cli::draw_top(now, &before, {}, 160, 0)), "rows/s -"));
  CHECK(has(text(cli::draw_top(before, nullptr, {}, 160, 0)), "rows/s -"));
}

TEST_CASE("top: how long a load takes is not guessed, and what follows its source shows no bar") {
  StatusFacts now = facts();
  now.tables[1].is_loading = true;
  now.tables[1].left_seconds = 7200;
  const std::string screen = text(cli::draw_top(now, nullptr, {}, 160, 0));
  CAPTURE(screen);
  CHECK(has(screen, "30 %, time left not known"));
  CHECK(has(screen, "loading"));
  CHECK(has(screen, "2 h 0 min"));
  now.sources[0].left_seconds = 0;
  CHECK_FALSE(has(text(cli::draw_top(now, nullptr, {}, 160, 0)), "30 %"));
}

TEST_CASE("top: no line is wider and no screen higher than the terminal, whatever names hold") {
  StatusFacts now = facts();
  now.tables[0].name = "s\x1b[2J" + std::string(300, 'x') + "\xff";
  now.tables[1].name = "商品商品商品商品商品商品商品商品商品商品商品商品商品商品商品商品";
  now.reasons.front().second = std::string(500, 'y') + "\n\r";
  for (const bool is_styled : {false, true}) {
    for (const std::size_t width : {1, 20, 40, 80, 81, 132, 300}) {
      for (const std::size_t height : {3, 12, 24, 60}) {
        TopView view;
        view.is_styled = is_styled;
        view.has_keys = true;
        const auto lines = cli::draw_top(now, nullptr, view, width, height);
        CHECK(lines.size() == height);
        for (std::string line : lines) {
          for (std::size_t at = line.find("\x1b["); at != std::string::npos; at = line.find("\x1b["))
            line.erase(at, line.find('m', at) - at + 1);
          std::size_t columns = 0;
          for (std::size_t at = 0; at < line.size();) {
            const auto character = diagnostics::character_at(line, at);
            columns += diagnostics::terminal_width(character.code);
            CHECK((character.code >= 0x20 && character.valid));
            at += character.bytes;
          }
          CHECK(columns <= width);
        }
      }
    }
  }
}

TEST_CASE("top: as many tables are asked for as the screen has room for") {
  StatusFacts now = facts();
  TopView view;
  view.has_keys = true;
  const std::size_t fit = cli::tables_that_fit(now, view, 40);
  now.tables.assign(fit, now.tables[1]);
  const auto full = cli::draw_top(now, nullptr, view, 120, 40);
  CHECK(full.size() == 40);
  CHECK(full[38].starts_with("shop.customers"));
  CHECK(full[39].starts_with("q quit"));
  CHECK(cli::tables_that_fit(now, view, 3) == 1);
}

TEST_CASE("top: what is no status, or one of a later form, is refused") {
  for (const char* wrong : {"", "{", "[]", "{}", "\"status_version\"", R"({"status_version":"1"})", "<html>"}) {
    CAPTURE(wrong);
    const auto read = cli::read_status(wrong);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == CDCRT_BAD_RECORD);
  }
  const auto later = cli::read_status(R"({"status_version":2,"version":"9.0.0"})");
  REQUIRE_FALSE(later);
  CHECK(has(later.error().message, "9.0.0"));
  // What is missing, or of another kind, is not known.
  const auto little =
      cli::read_status(R"({"status_version":1,"tables":[{"table":7,"applied_rows":[],"lag_messages":-3}],"sinks":{},"process":null})");
  REQUIRE(little);
  CHECK(little->tables.size() == 1);
  CHECK_FALSE(little->tables[0].lag_messages);
  CHECK(cli::draw_top(*little, nullptr, {}, 80, 0).size() > 5);
}

TEST_CASE("top: an answer that is nested deeper than a stack is no end of the program") {
  constexpr std::size_t kDepth = 700'000;
  CHECK_FALSE(cli::read_status(std::string(kDepth, '[')));
  CHECK_FALSE(cli::read_status(std::string(kDepth, '[') + std::string(kDepth, ']')));
}
