// Rows of producers that leave NULLs out: what they do not name is NULL, also where this process has not met the column.
#include <doctest/doctest.h>

#include <algorithm>

#include "apply/rig.hpp"

using namespace cdcrt;
using namespace cdcrt::rig;

namespace {

Event change(uint8_t operation, std::vector<Column> columns, std::vector<cdcrt_cell> cells, const char* order) {
  Event event{operation, std::move(columns), std::move(cells), order};
  event.declared = false;
  event.absent_is_null = true;
  return event;
}

std::vector<Column> keyed(std::vector<Column> more = {}) {
  std::vector<Column> columns = {{"id", {}, 1}};
  columns.insert(columns.end(), more.begin(), more.end());
  return columns;
}

evolution::Column stored(const char* name, cdcrt_type type, uint32_t key_ordinal = 0) {
  evolution::Column column;
  column.source_name = column.target_name = name;
  column.type = type;
  column.key_ordinal = key_ordinal;
  return column;
}

/// Another process adds the column `note`, with a value in every row, while `sealed` is being written.
void add_note_elsewhere(Rig& rig, apply::Sealed& sealed, bool has_key) {
  memory_sink::Table& table = rig.database.tables["shop.orders"];
  table.columns.push_back({"note", kText, 0, ""});
  for (auto& row : table.rows) types::append_text(row["note"], text("old"));
  progress::StoredTable kept;
  kept.version = 1;
  kept.key_known = true;
  kept.columns = {stored("id", kInt, has_key ? 1 : 0), stored("note", kText)};
  rig.table->definition().look_again();
  rig.table->merge(kept, sealed);
}

bool warns_of(const Rig& rig, const char* what) {
  return std::any_of(rig.warnings.begin(), rig.warnings.end(), [&](const auto& each) { return each.find(what) != std::string::npos; });
}

}  // namespace

TEST_CASE("left out NULLs: a column that only another process has met becomes NULL, whatever the change is folded from") {
  const Event load = change(CDCRT_SNAPSHOT, keyed(), {integer(1)}, "1");
  const std::vector<std::vector<Event>> changes = {
      {change(CDCRT_UPDATE, keyed(), {integer(1)}, "2")},
      {change(CDCRT_UPDATE, keyed(), {integer(1)}, "2"), change(CDCRT_UPDATE, keyed(), {integer(1)}, "3")},
      {change(CDCRT_DELETE, keyed(), {integer(1)}, "2"), change(CDCRT_INSERT, keyed(), {integer(1)}, "3")},
  };
  for (const bool by_source : {false, true}) {
    for (const auto& events : changes) {
      CAPTURE(by_source);
      CAPTURE(events.size());
      route::Route route;
      if (by_source) route.ordering = route::Ordering::kSource;
      Rig rig(route);
      rig.send(load);
      REQUIRE(rig.write());
      rig.send_all(events);
      auto sealed = rig.seal();
      REQUIRE(sealed);
      add_note_elsewhere(rig, *sealed, true);
      CHECK(rig.rows() == "id=1,note='old'");
      REQUIRE(rig.write(std::move(*sealed)));
      CHECK(rig.rows() == "id=1,note=NULL");
    }
  }
}

TEST_CASE("left out NULLs: a delete takes its row, and a part of a row that says nothing of the rest leaves it") {
  Rig rig;
  rig.send_all({change(CDCRT_INSERT, keyed(), {integer(1)}, "1"), change(CDCRT_INSERT, keyed(), {integer(2)}, "2")});
  REQUIRE(rig.write());
  Event part = change(CDCRT_UPDATE, keyed({{"a", kInt}}), {integer(1), absent()}, "3");
  part.absent_is_null = false;
  rig.send_all({part, change(CDCRT_DELETE, keyed(), {integer(2)}, "4")});
  auto sealed = rig.seal();
  REQUIRE(sealed);
  add_note_elsewhere(rig, *sealed, true);
  REQUIRE(rig.write(std::move(*sealed)));
  CHECK(rig.rows() == "id=1,note='old'");
}

TEST_CASE("left out NULLs: of a table without key the row goes that has NULL in the columns that this process has not met") {
  Rig rig;
  Event load = change(CDCRT_INSERT, {{"id", kInt}}, {integer(1)}, "1");
  load.keyed = true;
  rig.send(load);
  rig.send(load);
  REQUIRE(rig.write());
  Event removal = change(CDCRT_DELETE, {{"id", kInt}}, {integer(1)}, "2");
  removal.keyed = true;
  rig.send(removal);
  auto sealed = rig.seal();
  REQUIRE(sealed);
  add_note_elsewhere(rig, *sealed, false);
  types::append_text(rig.database.tables["shop.orders"].rows[1]["note"] = "", null());
  REQUIRE(rig.write(std::move(*sealed)));
  CHECK(rig.rows() == "id=1,note='old'");
}

TEST_CASE("left out NULLs: a column that was only seen as NULL is set to NULL in a table that was there before") {
  for (const bool restarts : {false, true}) {
    CAPTURE(restarts);
    Rig rig;
    memory_sink::Table& table = rig.database.tables["shop.orders"];
    table.columns = {{"id", kInt, 1, ""}, {"note", kText, 0, ""}, {"own", kText, 0, ""}};
    memory_sink::Row row;
    types::append_text(row["id"], integer(1));
    types::append_text(row["note"], text("old"));
    types::append_text(row["own"], text("mine"));
    table.rows = {row};
    if (restarts) {
      rig.send(change(CDCRT_INSERT, keyed({{"note"}}), {integer(2), null()}, "1"));
      REQUIRE(rig.write());
      rig.restart();
    }
    rig.send(change(CDCRT_UPDATE, keyed({{"note"}}), {integer(1), null()}, "2"));
    REQUIRE(rig.write());
    CHECK(rig.rows().find("id=1,note=NULL,own='mine'") != std::string::npos);
    rig.send(change(CDCRT_UPDATE, keyed({{"note"}}), {integer(1), text("new")}, "3"));
    rig.send(change(CDCRT_UPDATE, keyed(), {integer(1)}, "4"));
    REQUIRE(rig.write());
    CHECK(rig.rows().find("id=1,note=NULL,own='mine'") != std::string::npos);
    CHECK(warns_of(rig, "own. Its events leave NULLs out"));
    CHECK(rig.warnings.size() == (restarts ? 2 : 1));
  }
}

TEST_CASE("left out NULLs: columns of the target that no event has shown stay as they are, and are named once") {
  Rig rig;
  memory_sink::Table& table = rig.database.tables["shop.orders"];
  table.columns = {{"id", kInt, 1, ""}, {"note", kText, 0, ""}};
  memory_sink::Row row;
  types::append_text(row["id"], integer(1));
  types::append_text(row["note"], text("old"));
  table.rows = {row};
  for (const char* const order : {"1", "2"}) {
    rig.send(change(CDCRT_UPDATE, keyed(), {integer(1)}, order));
    REQUIRE(rig.write());
  }
  CHECK(rig.rows() == "id=1,note='old'");
  CHECK(rig.warnings.size() == 1);
  CHECK(warns_of(rig, "note"));
  // A definition names it.
  Event definition{CDCRT_DEFINITION, keyed({{"note", kText}}), {}, "3"};
  rig.send(definition);
  rig.send(change(CDCRT_UPDATE, keyed(), {integer(1)}, "4"));
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,note=NULL");
}
