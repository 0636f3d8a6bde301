// Rows that lack a column, of a table whose definitions come from a topic that is read beside theirs: partition 1 here.
#include <doctest/doctest.h>

#include <utility>

#include "apply/orders.hpp"

using namespace cdcrt;
using namespace cdcrt::rig;

namespace {

Event row(int64_t id, const char* column, const char* value, const char* order) {
  Event event{CDCRT_UPDATE, {{"id", kInt, 1}, {column, kText}}, {integer(id), text(value)}, order};
  event.server = "server";
  return event;
}

Event renaming(const char* order) {
  Column renamed{"b"};
  renamed.former_name = "a";
  return {CDCRT_DEFINITION, {{"id"}, renamed}, {}, order};
}

/// A table of two rows that no definition of came.
void begin(Rig& rig) {
  rig.are_defined_apart = true;
  rig.restart();
  for (int64_t id : {1, 2}) rig.send(row(id, "a", "old", "10"));
  REQUIRE(rig.write());
  REQUIRE_FALSE(rig.table->is_detached());
}

}  // namespace

TEST_CASE("definitions apart: a row that lacks a column waits for the definition, and the renamed column keeps its values") {
  for (const char* way : {"told", "told after a restart", "told before", "stored by another process"}) {
    CAPTURE(way);
    const std::string_view how(way);
    Rig rig({}, 2);
    begin(rig);
    if (how == "told before") rig.send(renaming("20"), 1);
    rig.send(row(2, "b", "new", "30"));
    if (how != "told before") {
      REQUIRE(rig.table->awaited_definitions());
      CHECK(rig.table->awaited_definitions()->topic == "server");
      CHECK(rig.table->awaited_definitions()->source == "source");
      CHECK(rig.memory == 0);
      CHECK_FALSE(rig.read_back());
    }
    if (how == "told after a restart") {
      rig.restart();
      REQUIRE(rig.table->awaited_definitions());
    }
    if (how == "stored by another process") {
      progress::StoredTable stored;
      stored.version = 100;
      stored.key_known = true;
      stored.definition_topic = "server";
      REQUIRE(rig.table->may_learn_definitions());
      rig.table->learn(stored);
      CHECK_FALSE(rig.table->may_learn_definitions());
      CHECK_FALSE(rig.table->awaited_definitions());
      REQUIRE(rig.read_back());
      // It stays until what became of it is told.
      CHECK(rig.rows() == "id=1,a='old',b=NULL; id=2,a=NULL,b='new'");
    }
    if (how != "told before") rig.send(renaming("20"), 1);
    CHECK_FALSE(rig.table->awaited_definitions());
    CHECK(rig.read_back());
    REQUIRE(rig.write());
    CHECK(rig.rows() == "id=1,b='old'; id=2,b='new'");
    CHECK(rig.stored_next(0) == 3);
    CHECK(rig.stored_next(1) == 1);
    CHECK(rig.written_dead_letters().empty());
  }
}

TEST_CASE("definitions apart: where none was among what is read the column goes, and a row that comes later waits again") {
  Rig rig({}, 2);
  begin(rig);
  rig.send(row(2, "b", "new", "30"));
  REQUIRE(rig.table->awaited_definitions());
  rig.send(row(1, "c", "newer", "40"));  // was not there when the waiting began
  const auto first = rig.table->awaited_definitions()->since;
  rig.table->definitions_are_read(first);
  CHECK_FALSE(rig.table->awaited_definitions());
  CHECK_FALSE(rig.read_back());
  REQUIRE(rig.table->awaited_definitions());
  // Whoever looked for the first wait may answer late.
  rig.table->definitions_are_read(first - std::chrono::seconds(1));
  REQUIRE(rig.table->awaited_definitions());
  rig.table->definitions_are_read(rig.table->awaited_definitions()->since);
  CHECK(rig.read_back());
  CHECK(rig.rows() == "id=1,c='newer'; id=2,c=NULL");
}

TEST_CASE("definitions apart: a column that only rows of a snapshot without an order have shown waits as well") {
  Rig rig({}, 2);
  rig.are_defined_apart = true;
  rig.restart();
  Event snapshot = row(1, "a", "old", "");
  snapshot.operation = CDCRT_SNAPSHOT;
  rig.send(snapshot);
  REQUIRE(rig.write());
  rig.send(row(2, "b", "new", "30"));
  REQUIRE(rig.table->awaited_definitions());
  rig.send(renaming("20"), 1);
  CHECK(rig.read_back());
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,b='old'; id=2,b='new'");
}

TEST_CASE("definitions apart: a late row of the former name waits where those of the new one were first") {
  for (const bool is_told : {true, false}) {
    CAPTURE(is_told);
    Rig rig({}, 2);
    rig.are_defined_apart = true;
    rig.restart();
    rig.send(row(1, "b", "new", "30"));
    REQUIRE(rig.write());
    rig.send(row(2, "a", "old", "10"));
    REQUIRE(rig.table->awaited_definitions());
    if (is_told) {
      rig.send(renaming("20"), 1);
    } else {
      rig.table->definitions_are_read(rig.table->awaited_definitions()->since);
    }
    CHECK_FALSE(rig.table->awaited_definitions());
    CHECK(rig.read_back());
    REQUIRE(rig.write());
    CHECK(rig.rows() == (is_told ? "id=1,b='new'; id=2,b='old'" : "id=1,b='new'; id=2,b=NULL"));
  }
}

TEST_CASE("definitions apart: a row waits as well where another process stored the columns after the table's row was read") {
  Rig rig({}, 2);
  begin(rig);
  const auto row_of_table = std::exchange(rig.database.tables.at("cdcrt.tables").rows, {});
  rig.restart();
  rig.database.tables.at("cdcrt.tables").rows = row_of_table;
  rig.send(row(2, "b", "new", "30"));
  REQUIRE(rig.table->awaited_definitions());
  rig.send(renaming("20"), 1);
  CHECK(rig.read_back());
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,b='old'; id=2,b='new'");
}

TEST_CASE("definitions apart: nothing waits where rows alone tell of columns") {
  for (const bool is_of_server : {true, false}) {
    CAPTURE(is_of_server);
    Rig rig({}, 2);
    begin(rig);
    // Of a topic that is not read; or an older row of the same columns.
    Event change = is_of_server ? row(2, "a", "older", "05") : row(2, "b", "new", "30");
    if (!is_of_server) change.server = "other";
    rig.send(change);
    CHECK_FALSE(rig.table->is_detached());
    REQUIRE(rig.write());
    CHECK(rig.rows() == (is_of_server ? "id=1,a='old'; id=2,a='older'" : "id=1,b=NULL; id=2,b='new'"));
  }
}
