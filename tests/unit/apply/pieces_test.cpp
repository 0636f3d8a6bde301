#include <doctest/doctest.h>

#include "apply/orders.hpp"

using namespace cdcrt;
using namespace cdcrt::rig;

namespace {

constexpr uint32_t kPlain = CDCRT_SINK_TRANSACTIONS | CDCRT_SINK_SCHEMAS;
constexpr uint32_t kSavepoints = kPlain | CDCRT_SINK_SAVEPOINTS;

bool is_bad(const memory_sink::Row& row) {
  const auto a = row.find("a");
  return a != row.end() && a->second.find("bad") != std::string::npos;
}

unsigned trials(const Rig& rig) { return rig.database.begins + rig.database.savepoints; }

std::size_t dead_letters_because_of(Rig& rig, const std::string& reason) {
  std::size_t count = 0;
  for (const auto& line : rig.written_dead_letters()) count += line.find("\"reason\":\"" + reason + "\"") != std::string::npos ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("pieces: one refused event among very many of its key costs a few tries, not one for each of them") {
  for (const uint32_t capabilities : {kPlain, kSavepoints}) {
    CAPTURE(capabilities);
    Rig rig({}, 1, capabilities);
    rig.database.refuses = is_bad;
    std::vector<Event> events{insert(1, text("first"), integer(0))};
    for (int64_t i = 1; i < 3000; ++i) events.push_back(update(1, text("good"), integer(i)));
    events.push_back(update(1, text("bad"), integer(-1)));
    rig.send_all(events);
    REQUIRE(rig.write());
    CHECK(rig.rows() == "id=1,a='good',b=2999");
    CHECK(rig.written_dead_letters().size() == 1);
    CHECK(rig.stored_next(0) == 3001);
    CHECK(trials(rig) < 120);
    CHECK(rig.table->applied().updated == 2999);
    CHECK(rig.memory == 0);
  }
}

TEST_CASE("pieces: a row that the target refuses only at the end, as deferred constraints do, is found like any other") {
  Rig rig({}, 1, kSavepoints);
  rig.database.refuses = is_bad;
  rig.database.refuses_late = true;
  rig.send_all({insert(1, text("good"), integer(0)), insert(2, text("bad"), integer(0)), update(1, text("good"), integer(1)),
                insert(3, text("good"), integer(0))});
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,a='good',b=1; id=3,a='good',b=0");
  CHECK(dead_letters_because_of(rig, "value_refused") == 1);
  CHECK(rig.stored_next(0) == 4);
  CHECK(rig.memory == 0);
}

TEST_CASE("pieces: a thousand refused keys side by side cost about a try each") {
  for (const uint32_t capabilities : {kPlain, kSavepoints}) {
    CAPTURE(capabilities);
    Rig rig({}, 1, capabilities);
    rig.database.refuses = is_bad;
    std::vector<Event> events;
    for (int64_t id = 0; id < 1000; ++id) events.push_back(insert(id, text("bad"), integer(id)));
    events.push_back(insert(5000, text("good"), integer(1)));
    rig.send_all(events);
    REQUIRE(rig.write());
    CHECK(rig.rows() == "id=5000,a='good',b=1");
    CHECK(rig.written_dead_letters().size() == 1000);
    CHECK(trials(rig) < 1200);
    CHECK(rig.stored_next(0) == 1001);
  }
}

TEST_CASE("pieces: what was found is kept on the way, and the next start goes on from there") {
  for (const uint32_t capabilities : {kPlain, kSavepoints}) {
    CAPTURE(capabilities);
    Rig rig({}, 1, capabilities);
    rig.database.refuses = is_bad;
    std::vector<Event> events;
    for (int64_t i = 0; i < 4000; ++i) events.push_back(insert(i, i % 1500 == 1400 ? text("bad") : text("good"), integer(i)));
    rig.send_all(events);
    const unsigned before = rig.database.commits;
    rig.database.before_commit = [&rig, before] { rig.gives_up = rig.database.commits > before + 2; };
    (void)rig.write();
    const int64_t reached = rig.stored_next(0);
    CHECK(reached > 0);
    CHECK(reached < 4000);
    CHECK(*rig.table->first_unapplied(*rig.partitions[0]) == reached);
    rig.database.before_commit = {};
    rig.gives_up = false;
    rig.restart();
    REQUIRE(rig.write());
    CHECK(rig.database.tables["shop.orders"].rows.size() == 3998);
    CHECK(rig.stored_next(0) == 4000);
  }
}

TEST_CASE("pieces: the answer to a COMMIT on the way is lost, and no row of a table without key is doubled") {
  for (const uint32_t capabilities : {kPlain, kSavepoints}) {
    for (const bool happened : {true, false}) {
      for (const unsigned at : {1U, 2U, 3U}) {
        CAPTURE(capabilities);
        CAPTURE(happened);
        CAPTURE(at);
        Rig rig({}, 1, capabilities);
        rig.database.refuses = is_bad;
        std::vector<Event> events;
        for (int64_t i = 0; i < 2500; ++i) events.push_back(append(i == 700 || i == 2100 ? text("bad") : text("good"), integer(i)));
        rig.send_all(events);
        const unsigned before = rig.database.commits;
        bool lost = false;
        rig.database.before_commit = [&] {
          if (lost || rig.database.commits < before + at + 1) return;
          lost = true;
          ++(happened ? rig.database.lost_after_commit : rig.database.lost_before_commit);
        };
        REQUIRE(rig.write());
        CHECK(lost);
        CHECK(rig.database.tables["shop.orders"].rows.size() == 2498);
        CHECK(rig.written_dead_letters().size() == 2);
        CHECK(rig.stored_next(0) == 2500);
      }
    }
  }
}

TEST_CASE("pieces: rows that swap the value of a second unique column by way of a third one are written in an order that exists") {
  for (const uint32_t capabilities : {kPlain, kSavepoints}) {
    CAPTURE(capabilities);
    Rig rig({}, 1, capabilities);
    rig.send_all({insert(1, text("A"), integer(0)), insert(2, text("B"), integer(0))});
    REQUIRE(rig.write());
    rig.database.unique = "a";
    rig.send_all({update(1, text("X"), integer(1)), update(2, text("A"), integer(1)), update(1, text("B"), integer(2))});
    REQUIRE(rig.write());
    CHECK(rig.rows() == "id=1,a='B',b=2; id=2,a='A',b=1");
    CHECK(rig.written_dead_letters().empty());
  }
}

TEST_CASE("pieces: the same across partitions goes by source order, whichever was read first") {
  for (const uint32_t capabilities : {kPlain, kSavepoints}) {
    for (const int32_t first : {0, 1}) {
      CAPTURE(capabilities);
      CAPTURE(first);
      Rig rig({}, 2, capabilities);
      rig.send(insert(1, text("A"), integer(0), "01"), first);
      rig.send(insert(2, text("B"), integer(0), "02"), 1 - first);
      REQUIRE(rig.write());
      rig.database.unique = "a";
      rig.send_all({update(1, text("X"), integer(1), "03"), update(1, text("B"), integer(2), "05")}, first);
      rig.send_all({update(2, text("A"), integer(1), "04")}, 1 - first);
      REQUIRE(rig.write());
      CHECK(rig.rows() == "id=1,a='B',b=2; id=2,a='A',b=1");
      CHECK(rig.written_dead_letters().empty());
      CHECK(rig.stored_next(first) == 3);
      CHECK(rig.stored_next(1 - first) == 2);
    }
  }
}

TEST_CASE("pieces: a table that is emptied in the batch is emptied once, and refused rows after it are told") {
  for (const uint32_t capabilities : {kPlain, kSavepoints}) {
    CAPTURE(capabilities);
    Rig rig({}, 1, capabilities);
    rig.database.refuses = is_bad;
    rig.send_all({insert(1, text("old"), integer(1), "01"), insert(2, text("bad"), integer(1), "02")});
    REQUIRE(rig.write());
    rig.send_all({insert(3, text("gone"), integer(1), "03"), truncate("04"), insert(4, text("new"), integer(1), "05"),
                  insert(5, text("bad"), integer(1), "06"), update(5, absent(), integer(2), "07")});
    REQUIRE(rig.write());
    CHECK(rig.rows() == "id=4,a='new',b=1");
    CHECK(dead_letters_because_of(rig, "value_refused") == 2);
    CHECK(dead_letters_because_of(rig, "row_missing") == 1);
    CHECK(rig.database.tables["cdcrt.open_dead_letters"].rows.size() == 2);
    rig.restart();
    REQUIRE(rig.write());
    CHECK(rig.rows() == "id=4,a='new',b=1");
  }
}

TEST_CASE("pieces: very many open dead letters are looked up by key, also by the next process, and a truncate forgets all") {
  Rig rig({}, 1, kSavepoints);
  rig.database.refuses = is_bad;
  std::vector<Event> events;
  for (int64_t id = 0; id < 600; ++id) events.push_back(insert(id, text("bad"), integer(id), "01"));
  rig.send_all(events);
  REQUIRE(rig.write());
  const auto open = [&] { return rig.database.tables["cdcrt.open_dead_letters"].rows.size(); };
  CHECK(open() == 600);
  rig.restart();
  CHECK(rig.table->dead_letters().open().empty());
  rig.send_all({update(7, absent(), integer(1), "02"), insert(8, text("good"), integer(1), "03"), update(8, absent(), integer(5), "04")});
  REQUIRE(rig.write());
  CHECK(rig.table->dead_letters().open().empty());
  CHECK(rig.rows() == "id=8,a='good',b=5");
  CHECK(open() == 600);  // one more of row 7, none of row 8
  rig.send(truncate("05"));
  REQUIRE(rig.write());
  CHECK(open() == 0);
}
