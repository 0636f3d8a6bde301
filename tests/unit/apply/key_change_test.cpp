#include <doctest/doctest.h>

#include "apply/orders.hpp"

using namespace cdcrt;
using namespace cdcrt::rig;

namespace {

Event delete_old(int64_t from, int64_t to, std::string order = {}) {
  Event event = remove(from, std::move(order));
  event.other_key = {integer(to), absent(), absent()};
  return event;
}

Event insert_new(int64_t to, int64_t from, cdcrt_cell a, cdcrt_cell b, std::string order = {}) {
  Event event = insert(to, a, b, std::move(order));
  event.other_key = {integer(from), absent(), absent()};
  return event;
}

}  // namespace

TEST_CASE(
    "key change: the new row takes from the old one what its event lacks, whichever event comes first, in one batch, in two or after a restart") {
  enum class Between { kNothing, kWrite, kRestart };
  for (const bool delete_first : {true, false}) {
    for (const Between between : {Between::kNothing, Between::kWrite, Between::kRestart}) {
      Rig rig({}, 2);
      rig.send(insert(1, text("kept"), integer(1), "10"), 0);
      REQUIRE(rig.write());
      const auto first = [&] {
        delete_first ? rig.send(delete_old(1, 2, "20"), 0) : rig.send(insert_new(2, 1, absent(), integer(7), "21"), 1);
      };
      const auto second = [&] {
        delete_first ? rig.send(insert_new(2, 1, absent(), integer(7), "21"), 1) : rig.send(delete_old(1, 2, "20"), 0);
      };
      first();
      if (between != Between::kNothing) REQUIRE(rig.write());
      if (between == Between::kRestart) rig.restart();
      second();
      REQUIRE(rig.write());
      CHECK(rig.rows() == "id=2,a='kept',b=7");
      CHECK(rig.database.tables["cdcrt.key_changes"].rows.empty());
    }
  }
}

TEST_CASE("key change: one that a program of format version 4 left pending is completed after an upgrade") {
  for (const bool delete_first : {true, false}) {
    Rig rig({}, 2);
    rig.send(insert(1, text("kept"), integer(1), "10"), 0);
    REQUIRE(rig.write());
    if (delete_first) rig.send(delete_old(1, 2, "20"), 0);
    if (!delete_first) rig.send(insert_new(2, 1, absent(), integer(7), "21"), 1);
    REQUIRE(rig.write());

    const auto text_of = [](std::string_view value, uint8_t tag) {
      std::string stored;
      types::append_text(stored, types::text_cell(static_cast<cdcrt_tag>(tag), value));
      return stored;
    };
    auto& tables = rig.database.tables;
    auto& pending = tables["cdcrt.key_changes"];
    REQUIRE(pending.rows.size() == 1);
    std::string& record = pending.rows.front()["record"];
    event::Arena arena;
    const auto cell = types::from_text(record, arena);
    REQUIRE(cell);
    std::string former(cell->value.data, cell->size);
    const std::string begin = delete_first ? "old_row:" : "missing_columns:";
    REQUIRE(former.starts_with(begin));
    former.replace(0, begin.size(), delete_first ? "departed:" : "came:");
    record = text_of(former, cell->tag);
    tables["cdcrt.moved"] = pending;
    tables.erase("cdcrt.key_changes");
    auto& version = tables["cdcrt.format"].rows.at(0)["format_version"];
    version.clear();
    types::append_text(version, integer(4));

    rig.restart();
    CHECK(tables.count("cdcrt.moved") == 0);
    CHECK(tables.at("cdcrt.key_changes").rows.size() == 1);
    if (delete_first) rig.send(insert_new(2, 1, absent(), integer(7), "21"), 1);
    if (!delete_first) rig.send(delete_old(1, 2, "20"), 0);
    REQUIRE(rig.write());
    CHECK(rig.rows() == "id=2,a='kept',b=7");
    CHECK(tables["cdcrt.key_changes"].rows.empty());
  }
}

TEST_CASE("key change: within one partition a chain of changes keeps the row") {
  Rig rig;
  rig.send_all({insert(1, text("kept"), integer(1)), delete_old(1, 2), insert_new(2, 1, absent(), integer(2)), delete_old(2, 3),
                insert_new(3, 2, absent(), integer(3))});
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=3,a='kept',b=3");
}

TEST_CASE("key change: a row that was overwritten before its key changed keeps what its events lack, in one batch and in several") {
  for (const bool apart : {false, true}) {
    Rig rig;
    rig.send(insert(1, text("kept"), integer(1)));
    REQUIRE(rig.write());
    // Without a schema a column that the source dropped is only not there any more.
    Event narrow{CDCRT_UPDATE, {{"id", kInt, 1}, {"b", kInt}}, {integer(1), integer(2)}};
    narrow.declared = false;
    rig.send(narrow);
    if (apart) REQUIRE(rig.write());
    rig.send_all({delete_old(1, 2), insert_new(2, 1, absent(), integer(3))});
    REQUIRE(rig.write());
    CHECK(rig.rows() == "id=2,a='kept',b=3");
  }
}

TEST_CASE("key change: an insert under a new key that lacks cells of an old row which was never read is a dead letter") {
  for (const bool apart : {false, true}) {
    Rig rig;
    rig.send(insert(7, text("other"), integer(7)));
    REQUIRE(rig.write());
    rig.send(delete_old(1, 2));
    if (apart) REQUIRE(rig.write());
    rig.send(insert_new(2, 1, absent(), integer(2)));
    rig.send_all({delete_old(3, 4), insert_new(4, 3, text("whole"), integer(4))});
    REQUIRE(rig.write());
    CHECK(rig.rows() == "id=4,a='whole',b=4; id=7,a='other',b=7");
    REQUIRE(rig.written_dead_letters().size() == 1);
    CHECK(rig.written_dead_letters()[0].find("\"row_missing\"") != std::string::npos);
    // What comes of the row as a whole makes it good.
    rig.send(update(2, text("new"), integer(9)));
    REQUIRE(rig.write());
    CHECK(rig.rows() == "id=2,a='new',b=9; id=4,a='whole',b=4; id=7,a='other',b=7");
    // In one batch with it too.
    rig.send_all({delete_old(5, 6), insert_new(6, 5, absent(), integer(6)), update(6, text("six"), integer(6)), remove(7)});
    REQUIRE(rig.write());
    CHECK(rig.rows() == "id=2,a='new',b=9; id=4,a='whole',b=4; id=6,a='six',b=6");
    CHECK(rig.written_dead_letters().size() == 2);
  }
}

TEST_CASE("key change: a warning names the columns of a row that was written before its old row turned out never to have been read") {
  Rig rig({}, 2);
  rig.send(insert(7, text("other"), integer(7), "05"), 0);
  REQUIRE(rig.write());
  rig.send(insert_new(2, 1, absent(), integer(2), "21"), 1);
  REQUIRE(rig.write());
  rig.send(delete_old(1, 2, "20"), 0);
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=2,a=NULL,b=2; id=7,a='other',b=7");
  REQUIRE(rig.warnings.size() == 1);
  CHECK(rig.warnings[0].find("lacks columns (a)") != std::string::npos);
}

TEST_CASE("key change: back and forth within one batch ends where the source ended") {
  Rig rig;
  rig.send(insert(1, text("kept"), integer(0)));
  REQUIRE(rig.write());
  std::vector<Event> events;
  for (int turn = 0; turn < 3; ++turn) {
    events.insert(events.end(), {delete_old(1, 2), insert_new(2, 1, absent(), integer(turn)), delete_old(2, 1),
                                 insert_new(1, 2, absent(), integer(turn))});
  }
  events.insert(events.end(), {delete_old(1, 2), insert_new(2, 1, absent(), integer(9))});
  rig.send_all(events);
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=2,a='kept',b=9");
}

TEST_CASE("key change: a row that was inserted and deleted again gives nothing to the next one under its key, wherever the batch is cut") {
  const Event narrow = [] {
    Event event{CDCRT_INSERT, {{"id", kInt, 1}, {"b", kInt}}, {integer(2), integer(5)}};
    event.declared = false;
    return event;
  }();
  const std::vector<Event> once = {insert(1, text("first"), integer(1)), delete_old(1, 2), insert_new(2, 1, absent(), integer(2)),
                                   remove(2)};
  std::vector<Event> twice = once, anew = once;
  twice.insert(twice.end(), {insert(1, text("second"), integer(3)), delete_old(1, 2), insert_new(2, 1, absent(), integer(4))});
  anew.push_back(narrow);
  std::vector<Event> doubled = {insert(1, text("first"), integer(1)),
                                delete_old(1, 2),
                                insert_new(2, 1, absent(), integer(2)),
                                delete_old(2, 3),
                                insert_new(3, 2, absent(), integer(3)),
                                insert(1, text("second"), integer(4)),
                                delete_old(1, 2),
                                insert_new(2, 1, absent(), integer(5))};
  for (const auto& [events, rows] : {std::pair(twice, "id=2,a='second',b=4"), std::pair(anew, "id=2,a=NULL,b=5"),
                                     std::pair(doubled, "id=2,a='second',b=5; id=3,a='first',b=3")}) {
    for (std::size_t first = 0; first <= events.size(); ++first) {
      for (std::size_t second = first; second <= events.size(); ++second) {
        Rig rig;
        rig.send(insert(7, text("other"), integer(7)));
        rig.send(remove(7));
        for (std::size_t place = 0; place < events.size(); ++place) {
          if (place == first || place == second) REQUIRE(rig.write());
          rig.send(events[place]);
        }
        REQUIRE(rig.write());
        CHECK_MESSAGE(rig.rows() == rows, "cut at ", first, " and ", second);
        CHECK(rig.database.tables["cdcrt.key_changes"].rows.empty());
      }
    }
  }
}

TEST_CASE(
    "key change: a row that leaves for the same key twice while the other partition lags has its last cells there, whichever is read first") {
  for (const bool first_is_old : {true, false}) {
    Rig rig({}, 2);
    rig.send(insert(1, text("x"), integer(0), "10"), 0);
    REQUIRE(rig.write());
    const auto old_key = [&] {
      rig.send_all({delete_old(1, 2, "20"), insert_new(1, 2, text("y"), integer(1), "31"), delete_old(1, 2, "40")}, 0);
    };
    const auto new_key = [&] {
      rig.send_all({insert_new(2, 1, absent(), integer(2), "21"), delete_old(2, 1, "30"), insert_new(2, 1, absent(), integer(9), "41")}, 1);
    };
    first_is_old ? old_key() : new_key();
    REQUIRE(rig.write());
    first_is_old ? new_key() : old_key();
    REQUIRE(rig.write());
    CHECK(rig.rows() == "id=2,a='y',b=9");
    CHECK(rig.database.tables["cdcrt.key_changes"].rows.empty());
  }
}

TEST_CASE("key change: a kept row follows a type that grew meanwhile") {
  Rig rig({}, 2);
  rig.send(insert(1, text("x"), integer(5), "10"), 0);
  rig.send(delete_old(1, 2, "20"), 0);
  REQUIRE(rig.write());
  const std::vector<Column> as_text = {{"id", kInt, 1}, {"a", kText}, {"b", kText}};
  rig.send({CDCRT_INSERT, as_text, {integer(9), text("y"), text("z")}, "30"}, 1);
  Event event{CDCRT_INSERT, as_text, {integer(2), text("y"), absent()}, "31"};
  event.other_key = {integer(1), absent(), absent()};
  rig.send(event, 1);
  REQUIRE(rig.write());
  CHECK(rig.table->stopped() == "");
  CHECK(rig.rows() == "id=2,a='y',b='5'; id=9,a='y',b='z'");
}

TEST_CASE(
    "key change: rows of one route key in several partitions are kept in source order, or refused where they have none, after a restart too") {
  route::Route route;
  route.primary_key = {"a"};
  for (const bool restarted : {false, true}) {
    Rig rig(route, 2);
    rig.send(insert(1, text("x"), integer(1)), 0);
    rig.send(insert(2, text("x"), integer(1)), 1);
    CHECK(rig.table->stopped().find("several partitions") != std::string::npos);
    Rig ordered(route, 2);
    ordered.send(insert(1, text("x"), integer(1), "20"), 0);
    REQUIRE(ordered.write());
    if (restarted) ordered.restart();
    ordered.send(insert(2, text("x"), integer(1), "10"), 1);
    REQUIRE(ordered.write());
    CHECK(ordered.table->stopped().empty());
    CHECK(ordered.rows() == "id=1,a='x',b=1");
  }
}

TEST_CASE("key change: a ring among partitions comes to an end") {
  Rig rig({}, 2);
  rig.send_all({insert_new(1, 2, absent(), integer(1)), delete_old(1, 2)}, 0);
  rig.send_all({insert_new(2, 1, absent(), integer(2)), delete_old(2, 1)}, 1);
  REQUIRE(rig.write());
  CHECK(rig.rows() == "");
}

TEST_CASE("key change: a truncate ends pending key changes, and rows that are read again after it are whole") {
  Rig rig({}, 2);
  rig.send(insert_new(2, 1, absent(), integer(7), "51"), 1);
  REQUIRE(rig.write());
  REQUIRE_FALSE(rig.database.tables["cdcrt.key_changes"].rows.empty());
  rig.send_all({truncate("30"), insert(1, text("kept"), integer(1), "40"), delete_old(1, 2, "50")}, 0);
  REQUIRE(rig.write());
  rig.follow_rewinds();
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=2,a='kept',b=7");
  CHECK(rig.database.tables["cdcrt.key_changes"].rows.empty());
}

TEST_CASE("key change: what was kept of an old row goes with the dead letter of its insert") {
  for (const bool was_read : {true, false}) {
    for (const bool restarted : {true, false}) {
      Rig rig;
      rig.database.refuses = [](const memory_sink::Row& row) {
        const auto b = row.find("b");
        return b != row.end() && b->second.find("13") != std::string::npos;
      };
      rig.send(insert(was_read ? 1 : 7, text("kept"), integer(1), "10"));
      rig.send(delete_old(1, 2, "20"));
      REQUIRE(rig.write());
      rig.send(insert_new(2, 1, absent(), integer(13), "20"));
      REQUIRE(rig.write());
      CHECK(rig.written_dead_letters().size() == 1);
      CHECK(rig.database.tables["cdcrt.key_changes"].rows.size() == 1);
      if (restarted) rig.restart();
      rig.send(update(2, text("new"), integer(9), "30"));
      REQUIRE(rig.write());
      CHECK(rig.rows() == (was_read ? "id=2,a='new',b=9" : "id=2,a='new',b=9; id=7,a='kept',b=1"));
      CHECK(rig.database.tables["cdcrt.key_changes"].rows.empty());
    }
  }
}

TEST_CASE("key change: events of a key before its new row comes do not end the pending key change") {
  Rig rig({}, 2);
  rig.send(insert(1, text("kept"), integer(1), "10"), 0);
  rig.send(delete_old(1, 2, "20"), 0);
  REQUIRE(rig.write());
  rig.send_all({insert(2, text("before"), integer(5), "11"), update(2, text("again"), integer(6), "12")}, 1);
  REQUIRE(rig.write());
  rig.send_all({remove(2, "19"), insert_new(2, 1, absent(), integer(7), "20"), update(2, absent(), integer(8), "30")}, 1);
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=2,a='kept',b=8");
  CHECK(rig.database.tables["cdcrt.key_changes"].rows.empty());
}
