#include <doctest/doctest.h>

#include "apply/orders.hpp"

using namespace cdcrt;
using namespace cdcrt::rig;

namespace {

bool is_bad(const memory_sink::Row& row) {
  const auto a = row.find("a");
  return a != row.end() && a->second.find("bad") != std::string::npos;
}

}  // namespace

TEST_CASE("isolation: one bad row of a thousand becomes one dead letter and the rest is written") {
  Rig rig;
  rig.database.refuses = is_bad;
  std::vector<Event> events;
  for (int64_t id = 0; id < 1000; ++id) events.push_back(insert(id, id == 537 ? text("bad") : text("good"), integer(id)));
  rig.send_all(events);
  REQUIRE(rig.write());
  CHECK(rig.table->stopped() == "");
  CHECK(rig.database.tables["shop.orders"].rows.size() == 999);
  REQUIRE(rig.written_dead_letters().size() == 1);
  CHECK(rig.written_dead_letters()[0].find("\"offset\":537") != std::string::npos);
  CHECK(rig.written_dead_letters()[0].find("the bytes") != std::string::npos);
  CHECK(rig.stored_next(0) == 1000);
  CHECK(rig.table->applied().inserted == 999);
  CHECK(rig.memory == 0);
}

TEST_CASE("isolation: a bad event among several of one key leaves the good ones before it, and the partial one after it waits with it") {
  Rig rig;
  rig.database.refuses = is_bad;
  rig.send_all({insert(1, text("first"), integer(1)), update(1, text("bad"), integer(2)), update(1, absent(), integer(3))});
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,a='first',b=1");
  REQUIRE(rig.written_dead_letters().size() == 2);
  CHECK(rig.written_dead_letters()[0].find("\"offset\":1") != std::string::npos);
  CHECK(rig.written_dead_letters()[1].find("\"reason\":\"earlier_dead_letter\"") != std::string::npos);
  CHECK(rig.memory == 0);
}

TEST_CASE("isolation: a refused row and a partial one without a row in one batch are both told, and the rest is written") {
  Rig rig;
  rig.database.refuses = is_bad;
  rig.send_all({insert(1, text("x"), integer(1)), update(2, absent(), integer(2)), insert(3, text("bad"), integer(3)),
                insert(4, text("y"), integer(4))});
  REQUIRE(rig.write());
  CHECK(rig.table->stopped() == "");
  CHECK(rig.rows() == "id=1,a='x',b=1; id=4,a='y',b=4");
  REQUIRE(rig.written_dead_letters().size() == 2);
}

TEST_CASE("isolation: a key change in one event whose new row is refused leaves the old row") {
  Rig rig;
  rig.database.refuses = is_bad;
  rig.send(insert(1, text("x"), integer(1)));
  REQUIRE(rig.write());
  Event moved = update(2, text("bad"), integer(5));
  moved.before = {integer(1), text("x"), integer(1)};
  rig.send(moved);
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,a='x',b=1");
  CHECK(rig.written_dead_letters().size() == 1);
}

TEST_CASE("isolation: without a key a change whose new row is refused leaves the old row") {
  Rig rig;
  rig.database.refuses = is_bad;
  rig.send_all({append(text("x"), integer(1)), append(text("y"), integer(1)), change({text("x"), integer(1)}, {text("bad"), integer(1)})});
  REQUIRE(rig.write());
  CHECK(rig.rows() == "a='x',b=1; a='y',b=1");
  CHECK(rig.written_dead_letters().size() == 1);
}

TEST_CASE("isolation: without a key every event that takes away a row which is not there is told, and what builds on it, and no other") {
  Rig rig;
  rig.send_all({append(text("x"), integer(1)), append(text("x"), integer(1)), append(text("y"), integer(1))});
  REQUIRE(rig.write());
  rig.send_all({change({text("lost"), integer(1)}, {text("lost"), integer(2)}),  // 3: refused
                take(text("x"), integer(1)),
                change({text("lost"), integer(2)}, {text("lost"), integer(3)}),  // 5: refused, since 3 added nothing
                append(text("z"), integer(1)), take(text("z"), integer(1)), take(text("z"), integer(1)),  // 8: refused, there was one
                change({text("y"), integer(1)}, {text("y"), integer(2)}), take(text("x"), integer(1)),
                take(text("x"), integer(1))});  // 11: refused, there were two
  REQUIRE(rig.write());
  CHECK(rig.rows() == "a='y',b=2");
  REQUIRE(rig.written_dead_letters().size() == 4);
  for (std::size_t i = 0; const char* id : {"topic/0/3/", "topic/0/5/", "topic/0/8/", "topic/0/11/"})
    CHECK(rig.written_dead_letters()[i++].find(id) != std::string::npos);
  CHECK(rig.stored_next(0) == 12);
  CHECK(rig.table->applied().updated == 1);
}

TEST_CASE("isolation: what the source has no more is told as it was decoded, whole") {
  static const std::string long_text = "bad" + std::string(500, 'x');
  for (const bool gone : {false, true}) {
    Rig rig;
    rig.database.refuses = is_bad;
    rig.send_all({insert(1, text(long_text), integer(1)), insert(2, text("y"), integer(2))});
    if (gone) {
      rig.forget(0, 0);
    } else {
      rig.can_read_again = false;
    }
    REQUIRE(rig.write());
    CHECK(rig.rows() == "id=2,a='y',b=2");
    REQUIRE(rig.written_dead_letters().size() == 1);
    CHECK(rig.written_dead_letters()[0].find(long_text) != std::string::npos);
    CHECK(rig.written_dead_letters()[0].find("decoded row") != std::string::npos);
  }
}

TEST_CASE("isolation: a value that does not fit is cut, emptied, widened or told, as the column says") {
  const auto with = [](types::OnOverflow policy, cdcrt_type type, cdcrt_cell value) {
    route::Route route;
    route::ColumnRule rule;
    rule.pattern = "a";
    rule.type = type;
    rule.on_overflow = policy;
    route.columns.push_back(rule);
    Rig rig(route);
    Event event = insert(1, value, integer(1));
    event.columns[1].type = {};
    event.declared = false;
    rig.send(event);
    REQUIRE(rig.write());
    return rig.rows() + (rig.written_dead_letters().empty() ? "" : " + dead letter");
  };
  const cdcrt_type three = types::string_type(3);
  CHECK(with(types::OnOverflow::kTruncate, three, text("äöüß")) == "id=1,a='äöü',b=1");
  CHECK(with(types::OnOverflow::kNull, three, text("long")) == "id=1,a=NULL,b=1");
  CHECK(with(types::OnOverflow::kWiden, three, text("long")) == "id=1,a='long',b=1");
  CHECK(with(types::OnOverflow::kDeadLetter, three, text("long")).find("+ dead letter") != std::string::npos);
  // A number is not a text that may be cut.
  CHECK(with(types::OnOverflow::kTruncate, three, integer(12345)).find("+ dead letter") != std::string::npos);
}

TEST_CASE(
    "isolation: without a key refused rows beside changes of rows that are not there are told with their messages, also where a column changed its type") {
  for (const bool grows : {false, true}) {
    Rig rig;
    rig.database.refuses = is_bad;
    Event last{CDCRT_INSERT, {{"a", kText}, {"b", grows ? kText : kInt}}, {text("z"), grows ? text("many") : integer(9)}};
    rig.send_all(
        {append(text("x"), integer(1)), take(text("q"), integer(9)), append(text("bad"), integer(2)), append(text("y"), integer(3)), last});
    REQUIRE(rig.write());
    CHECK(rig.table->stopped() == "");
    CHECK(rig.rows() == (grows ? "a='x',b='1'; a='y',b='3'; a='z',b='many'" : "a='x',b=1; a='y',b=3; a='z',b=9"));
    REQUIRE(rig.written_dead_letters().size() == 2);
    for (const auto& dead_letter : rig.written_dead_letters()) CHECK(dead_letter.find("the bytes") != std::string::npos);
    CHECK(rig.memory == 0);
  }
}

TEST_CASE("isolation: without a key a row that is not there is no other one that differs in a column which an event lacked") {
  for (const bool beside : {false, true}) {
    CAPTURE(beside);
    Rig rig;
    rig.send_all({append(text("x"), integer(5)), append(text("y"), integer(1))});
    REQUIRE(rig.write());
    Event narrow{CDCRT_INSERT, {{"a", kText}}, {text("x")}};
    narrow.declared = false;
    std::vector<Event> events = {narrow, take(text("x"), null()), take(text("x"), null())};
    if (beside) events.push_back(take(text("lost"), integer(1)));
    rig.send_all(events);
    REQUIRE(rig.write());
    CHECK(rig.rows() == "a='x',b=5; a='y',b=1");
    CHECK(rig.written_dead_letters().size() == (beside ? 2 : 1));
  }
}

namespace {

/// As the source says them: halves of a key change, each an event.
Event key_delete(int64_t from, int64_t to) {
  Event event = remove(from);
  event.other_key = {integer(to), absent(), absent()};
  return event;
}
Event key_insert(int64_t to, int64_t from, cdcrt_cell a, cdcrt_cell b) {
  Event event = insert(to, a, b);
  event.other_key = {integer(from), absent(), absent()};
  return event;
}

enum class Source { kReadsAgain, kLost, kHasGaps };

/// All of the log is gone, or one message, or nothing.
void lose(Rig& rig, Source source, int64_t offset) {
  if (source == Source::kLost) rig.can_read_again = false;
  if (source == Source::kHasGaps) rig.forget(0, offset);
}

}  // namespace

TEST_CASE("isolation: beside a refused row a row whose key holds more than the message's moves, whatever the source can read again") {
  for (const Source source : {Source::kReadsAgain, Source::kLost, Source::kHasGaps}) {
    CAPTURE(static_cast<int>(source));
    route::Route route;
    route.primary_key = {"id", "a"};
    Rig rig(route);
    rig.database.refuses = is_bad;
    rig.send_all({insert(1, text("x"), integer(1)), insert(2, text("x"), integer(2))});
    REQUIRE(rig.write());
    rig.send_all({update(1, text("y"), absent()), insert(7, text("z"), integer(7)), update(2, text("y"), integer(3)),
                  insert(3, text("bad"), integer(3))});
    lose(rig, source, 3);
    REQUIRE(rig.write());
    CHECK(rig.rows() == "id=1,a='y',b=1; id=2,a='y',b=3; id=7,a='z',b=7");
    CHECK(rig.written_dead_letters().size() == 1);
    CHECK(rig.stored_next(0) == 6);
  }
}

TEST_CASE("isolation: an event that is read again and moves a row finds what the rest of the batch wrote") {
  for (const Source source : {Source::kReadsAgain, Source::kHasGaps}) {
    CAPTURE(static_cast<int>(source));
    route::Route route;
    route.primary_key = {"id", "a"};
    Rig rig(route);
    rig.database.refuses = [](const memory_sink::Row& row) {
      const auto b = row.find("b");
      return b != row.end() && b->second.find("13") != std::string::npos;
    };
    rig.send_all({insert(1, text("x"), integer(1)), insert(9, text("w"), integer(9)), update(1, text("y"), absent()),
                  update(1, text("y"), integer(13))});
    lose(rig, source, 1);
    REQUIRE(rig.write());
    CHECK(rig.rows() == "id=1,a='y',b=1; id=9,a='w',b=9");
    CHECK(rig.written_dead_letters().size() == 1);
  }
}

TEST_CASE(
    "isolation: beside a refused row what was inserted under a new key takes the cells of the old row, or is told where that was never read") {
  for (const Source source : {Source::kReadsAgain, Source::kLost, Source::kHasGaps}) {
    CAPTURE(static_cast<int>(source));
    Rig rig;
    // A table that takes no row without `a`.
    rig.database.refuses = [](const memory_sink::Row& row) { return is_bad(row) || (row.size() == 2 && row.contains("b")); };
    rig.send(insert(1, text("kept"), integer(1)));
    REQUIRE(rig.write());
    rig.send_all({key_delete(1, 2), key_insert(2, 1, absent(), integer(2)), key_delete(5, 6), key_insert(6, 5, absent(), integer(6)),
                  insert(7, text("good"), integer(7)), insert(8, text("bad"), integer(8))});
    lose(rig, source, 5);
    REQUIRE(rig.write());
    CHECK(rig.rows() == "id=2,a='kept',b=2; id=7,a='good',b=7");
    CHECK(rig.written_dead_letters().size() == 2);
  }
}

TEST_CASE("isolation: a row that was never read is told also where a dead letter of another row is open") {
  for (const Source source : {Source::kReadsAgain, Source::kLost, Source::kHasGaps}) {
    CAPTURE(static_cast<int>(source));
    Rig rig;
    rig.database.refuses = is_bad;
    rig.send_all({insert(1, text("bad"), integer(1)), insert(7, text("good"), integer(7))});
    REQUIRE(rig.write());
    rig.send_all(
        {update(1, absent(), integer(2)), key_delete(5, 6), key_insert(6, 5, absent(), integer(6)), insert(9, text("w"), integer(9))});
    lose(rig, source, 5);
    REQUIRE(rig.write());
    CHECK(rig.rows() == "id=7,a='good',b=7; id=9,a='w',b=9");
    CHECK(rig.written_dead_letters().size() == 3);
  }
}

TEST_CASE("isolation: what a refused row had under its old key is kept for its dead letter") {
  for (const Source source : {Source::kReadsAgain, Source::kLost, Source::kHasGaps}) {
    CAPTURE(static_cast<int>(source));
    Rig rig;
    rig.database.refuses = [](const memory_sink::Row& row) {
      const auto b = row.find("b");
      return b != row.end() && b->second.find("13") != std::string::npos;
    };
    rig.send(insert(1, text("kept"), integer(1)));
    REQUIRE(rig.write());
    rig.send_all({key_delete(1, 2), key_insert(2, 1, absent(), integer(13)), insert(9, text("w"), integer(9))});
    lose(rig, source, 3);
    REQUIRE(rig.write());
    CHECK(rig.rows() == "id=9,a='w',b=9");
    CHECK(rig.written_dead_letters().size() == 1);
    CHECK(rig.database.tables["cdcrt.key_changes"].rows.size() == 1);
    CHECK(rig.memory == 0);
  }
}
