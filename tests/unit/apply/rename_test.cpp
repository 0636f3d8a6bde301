// A column that is renamed at the source, as a definition in another partition (1) says, before or after the rows of the new name (0).
#include <doctest/doctest.h>

#include <algorithm>

#include "apply/orders.hpp"

using namespace cdcrt;
using namespace cdcrt::rig;

namespace {

Event row_of(int64_t id, std::vector<const char*> names, std::vector<cdcrt_cell> values, const char* order) {
  Event event{CDCRT_UPDATE, {{"id", kInt, 1}}, {integer(id)}, order};
  for (const char* name : names) event.columns.push_back({name, kText});
  event.cells.insert(event.cells.end(), values.begin(), values.end());
  return event;
}

Event definition(std::vector<Column> columns, const char* order) {
  Event event{CDCRT_DEFINITION, {{"id"}}, {}, order};
  event.columns.insert(event.columns.end(), columns.begin(), columns.end());
  return event;
}

Column renamed(const char* former, const char* name) {
  Column column{name};
  column.former_name = former;
  return column;
}

evolution::Column stored_column(const char* name, cdcrt_type type, const char* last_seen, uint32_t key_ordinal = 0) {
  evolution::Column column;
  column.source_name = column.target_name = name;
  column.type = type;
  column.key_ordinal = key_ordinal;
  column.last_seen = column.added_at = last_seen;
  return column;
}

/// Rows 1 to 3 with a column a, of which a definition came.
void begin(Rig& rig) {
  rig.send(definition({{"a"}}, "01"), 1);
  for (int64_t id = 1; id <= 3; ++id) rig.send(row_of(id, {"a"}, {text("old")}, "10"));
  REQUIRE(rig.write());
  REQUIRE(rig.rows() == "id=1,a='old'; id=2,a='old'; id=3,a='old'");
}

}  // namespace

TEST_CASE("rename: the values of rows that are not touched again stay, whichever comes first") {
  for (const char* way : {"definition", "definition apart", "rows", "rows apart", "restart between", "restart after"}) {
    CAPTURE(way);
    const std::string_view how(way);
    Rig rig({}, 2);
    begin(rig);
    const auto define = [&] { rig.send(definition({renamed("a", "b")}, "20"), 1); };
    const auto change = [&] {
      rig.send(row_of(2, {"b"}, {text("new")}, "30"));
      rig.send(row_of(3, {"b"}, {null()}, "31"));
    };
    if (how.starts_with("definition")) define();
    if (how == "definition apart") REQUIRE(rig.write());
    change();
    if (how == "rows apart" || how.starts_with("restart")) REQUIRE(rig.write());
    if (how == "restart between") rig.restart();
    if (!how.starts_with("definition")) define();
    REQUIRE(rig.write());
    if (how == "restart after") rig.restart();
    REQUIRE(rig.write());
    CHECK(rig.table->stopped() == "");
    CHECK(rig.rows() == "id=1,b='old'; id=2,b='new'; id=3,b=NULL");
    rig.send(row_of(1, {"b"}, {text("last")}, "40"));
    REQUIRE(rig.write());
    CHECK(rig.rows() == "id=1,b='last'; id=2,b='new'; id=3,b=NULL");
    CHECK(rig.written_dead_letters().empty());
  }
}

TEST_CASE("rename: a late row of the old shape puts its value under the new name") {
  Rig rig({}, 2);
  begin(rig);
  rig.send(definition({renamed("a", "b")}, "20"), 1);
  rig.send(row_of(1, {"b"}, {text("new")}, "30"));
  REQUIRE(rig.write());
  rig.send(row_of(4, {"a"}, {text("late")}, "15"));
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,b='new'; id=2,b='old'; id=3,b='old'; id=4,b='late'");
}

TEST_CASE("rename: a new column of the old name does not mix with it") {
  for (const bool apart : {false, true}) {
    Rig rig({}, 2);
    begin(rig);
    rig.send(definition({renamed("a", "b")}, "20"), 1);
    if (apart) REQUIRE(rig.write());
    rig.send(row_of(1, {"b", "a"}, {text("b1"), text("a1")}, "30"));
    REQUIRE(rig.write());
    CHECK(rig.table->stopped() == "");
    CHECK(rig.rows() == "id=1,b='b1',a='a1'; id=2,b='old',a=NULL; id=3,b='old',a=NULL");
  }
}

TEST_CASE("rename: rows before and after it in one batch, and a late one after a restart") {
  Rig rig({}, 2);
  rig.send(definition({{"a"}}, "01"), 1);
  for (int64_t id = 1; id <= 3; ++id) rig.send(row_of(id, {"a"}, {text("old")}, "10"));
  rig.send(definition({renamed("a", "b")}, "20"), 1);
  rig.send(row_of(2, {"b"}, {text("new")}, "30"));
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,b='old'; id=2,b='new'; id=3,b='old'");
  rig.restart();
  rig.send(row_of(4, {"a"}, {text("late")}, "15"));
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,b='old'; id=2,b='new'; id=3,b='old'; id=4,b='late'");
}

TEST_CASE("rename: rows of the new name, and of another column of the former one, may come before the definition") {
  for (const char* way : {"together", "apart", "restart"}) {
    CAPTURE(way);
    const std::string_view how(way);
    Rig rig({}, 2);
    begin(rig);
    rig.send(row_of(2, {"b"}, {text("new")}, "30"));
    if (how != "together") REQUIRE(rig.write());
    rig.send(row_of(3, {"b", "a"}, {text("b3"), text("a3")}, "40"));
    if (how != "together") REQUIRE(rig.write());
    if (how == "restart") rig.restart();
    rig.send(definition({renamed("a", "b")}, "20"), 1);
    rig.send(definition({{"b"}, {"a"}}, "35"), 1);
    REQUIRE(rig.write());
    CHECK(rig.table->stopped() == "");
    CHECK(rig.rows() == "id=1,b='old',a=NULL; id=2,b='new',a=NULL; id=3,b='b3',a='a3'");
  }
}

TEST_CASE("rename: told while rows of the new name are being written, their values are the renamed column's") {
  Rig rig({}, 2);
  begin(rig);
  rig.send(row_of(2, {"b"}, {text("new")}, "30"));
  auto sealed = rig.seal();
  REQUIRE(sealed);
  rig.send(definition({renamed("a", "b")}, "20"), 1);
  // The attempt is made again with what the target keeps by now.
  rig.table->merge(progress::StoredTable(), *sealed);
  REQUIRE(rig.write(std::move(*sealed)));
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,b='old'; id=2,b='new'; id=3,b='old'");
}

TEST_CASE("rename: NULL under the new name stands, also where only another process has met the former one when the row is written") {
  Rig rig({}, 2);
  rig.send(row_of(2, {"b"}, {text("new")}, "20"));
  REQUIRE(rig.write());
  rig.send(row_of(1, {"b"}, {null()}, "30"));
  auto sealed = rig.seal();
  REQUIRE(sealed);
  memory_sink::Table& target = rig.database.tables["shop.orders"];
  target.columns.push_back({"a", kText, 0, ""});
  auto& row = target.rows.emplace_back();
  types::append_text(row["id"], integer(1));
  types::append_text(row["a"], text("old"));
  progress::StoredTable stored = rig.table->kept().row();
  stored.columns = {stored_column("id", kInt, "20", 1), stored_column("b", kText, "20"), stored_column("a", kText, "10")};
  stored.key_known = true;
  ++stored.version;
  rig.table->definition().look_again();
  rig.table->merge(stored, *sealed);
  CHECK(sealed->partitions.empty());
  REQUIRE(rig.write(std::move(*sealed)));
  rig.send(definition({renamed("a", "b")}, "15"), 1);
  rig.follow_rewinds();
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,b=NULL; id=2,b='new'");
}

TEST_CASE("rename: a definition that is read late drops no column that only partitions of other processes have shown") {
  Rig there({}, 2);
  there.send(row_of(1, {"b"}, {text("kept")}, "30"));
  REQUIRE(there.write());
  progress::StoredTable stored = there.table->kept().row();
  // As a row without order shows them.
  stored.columns = {stored_column("id", kInt, "", 1), stored_column("b", kText, "")};
  stored.key_known = true;
  stored.progress = {{there.partitions[0]->key(), {1, "30"}}};
  Rig here({}, 2);
  here.database.tables = there.database.tables;
  here.table->restore(stored);
  here.send({CDCRT_DEFINITION, {{"id", kInt, 1}, {"a", kText}}, {}, "01"}, 1);
  const auto sealed = here.seal();
  REQUIRE(sealed);
  CHECK(sealed->columns()[1].source_name == "b");
  CHECK(sealed->columns()[1].active);
}

TEST_CASE("rename: two of one column, told while rows of both new names are being written, leave the value of the last name") {
  Rig rig({}, 2);
  begin(rig);
  const auto row = [](int64_t id, const char* name, const char* value, const char* order) {
    Event event{CDCRT_UPDATE, {{"id", {}, 1}, {name}}, {integer(id), text(value)}, order};
    event.declared = false;
    return event;
  };
  // The last name is met first.
  rig.send(row(4, "c", "newest", "50"));
  rig.send_all({row(2, "b", "newer", "30"), row(2, "c", "newest", "51")});
  auto sealed = rig.seal();
  REQUIRE(sealed);
  rig.send(definition({renamed("a", "b")}, "20"), 1);
  rig.send(definition({renamed("b", "c")}, "40"), 1);
  rig.table->merge(progress::StoredTable(), *sealed);
  REQUIRE(rig.write(std::move(*sealed)));
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,c='old'; id=2,c='newest'; id=3,c='old'; id=4,c='newest'");
}

TEST_CASE("rename: rows without types, of a table whose names a definition told first, keep all their columns") {
  for (const bool apart : {false, true}) {
    CAPTURE(apart);
    Rig rig({}, 2);
    rig.send(definition({{"a"}, {"v"}}, "01"), 1);
    if (apart) REQUIRE(rig.write());
    Event row{CDCRT_INSERT, {{"id", {}, 1}, {"a"}, {"v"}}, {integer(1), text("x"), integer(7)}, "10"};
    row.declared = false;
    rig.send(row);
    REQUIRE(rig.write());
    CHECK(rig.rows() == "id=1,a='x',v=7");
  }
}

TEST_CASE("rename: told before the first row of the table, rows of the former name have their values under the new one") {
  for (const char* way : {"together", "apart", "restart"}) {
    CAPTURE(way);
    Rig rig({}, 2);
    rig.send(definition({renamed("a", "b")}, "20"), 1);
    if (way != std::string_view("together")) REQUIRE(rig.write());
    if (way == std::string_view("restart")) rig.restart();
    rig.send(row_of(1, {"a"}, {text("old")}, "10"));
    rig.send(row_of(2, {"a"}, {text("old")}, "11"));
    rig.send(row_of(1, {"b"}, {text("new")}, "30"));
    REQUIRE(rig.write());
    CHECK(rig.rows() == "id=1,b='new'; id=2,b='old'");
  }
}

TEST_CASE("rename: rows of the new name that were folded before the former one was met keep their values") {
  Rig rig({}, 2);
  const auto row = [](int64_t id, const char* name, const char* value, const char* order) {
    Event event{CDCRT_INSERT, {{"id", {}, 1}, {name}}, {integer(id), text(value)}, order};
    event.declared = false;
    return event;
  };
  rig.send(row(3, "b", "new", "30"));
  rig.send(row(1, "a", "late", "15"), 1);
  rig.send(definition({renamed("a", "b")}, "20"), 1);
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,b='late'; id=3,b='new'");
}

TEST_CASE("rename: NULL under the new name stays where a refused row makes the batch be written row by row") {
  Rig rig({}, 2);
  begin(rig);
  rig.database.refuses = [](const auto& row) { return row.contains("b") && row.at("b").find("bad") != std::string::npos; };
  rig.send_all({row_of(2, {"b"}, {null()}, "30"), row_of(3, {"b"}, {text("bad")}, "31")});
  REQUIRE(rig.write());
  rig.send(definition({renamed("a", "b")}, "20"), 1);
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,b='old'; id=2,b=NULL; id=3,b='old'");
}

TEST_CASE("rename: where rows leave NULLs out, one of the former name that is read late keeps its value") {
  for (const bool apart : {false, true}) {
    CAPTURE(apart);
    Rig rig({}, 2);
    const auto row = [](int64_t id, const char* name, const char* value, const char* order) {
      Event event{CDCRT_SNAPSHOT, {{"id", {}, 1}, {name}}, {integer(id), text(value)}, order};
      event.declared = false;
      event.absent_is_null = true;
      return event;
    };
    rig.send(definition({{"a"}}, "01"), 1);
    rig.send(row(1, "a", "old", "10"));
    REQUIRE(rig.write());
    rig.send(row(3, "b", "new", "30"));
    rig.send(row(2, "a", "late", "15"), 1);
    if (apart) REQUIRE(rig.write());
    rig.send(definition({renamed("a", "b")}, "20"), 1);
    REQUIRE(rig.write());
    CHECK(rig.rows() == "id=1,b='old'; id=2,b='late'; id=3,b='new'");
  }
}

TEST_CASE("rename: to the name of a column that was dropped takes none of its values") {
  for (const char* way : {"at once", "told", "apart", "restart"}) {
    CAPTURE(way);
    const std::string_view how(way);
    Rig rig({}, 2);
    rig.send(definition({{"a"}, {"b"}}, "01"), 1);
    for (int64_t id = 1; id <= 2; ++id) rig.send(row_of(id, {"a", "b"}, {text("of a"), text("of b")}, "10"));
    REQUIRE(rig.write());
    if (how != "at once") rig.send(definition({{"a"}}, "20"), 1);
    if (how == "apart" || how == "restart") REQUIRE(rig.write());
    if (how == "restart") rig.restart();
    rig.send(definition({renamed("a", "b")}, "21"), 1);
    rig.send(row_of(2, {"b"}, {text("new")}, "30"));
    REQUIRE(rig.write());
    CHECK(rig.table->stopped() == "");
    CHECK(rig.rows() == "id=1,b='of a'; id=2,b='new'");
  }
}

TEST_CASE("rename: one that somebody made in the target already is no news there") {
  Rig rig({}, 2);
  begin(rig);
  auto& table = rig.database.tables["shop.orders"];
  for (auto& column : table.columns) {
    if (column.name == "a") column.name = "b";
  }
  for (auto& row : table.rows) {
    auto moved = row.extract("a");
    moved.key() = "b";
    row.insert(std::move(moved));
  }
  rig.restart();
  rig.send(definition({renamed("a", "b")}, "20"), 1);
  rig.send(row_of(2, {"b"}, {text("new")}, "30"));
  const auto written = rig.write();
  CHECK_MESSAGE(written, (written ? std::string() : written.error().message));
  CHECK(rig.table->stopped() == "");
  CHECK(rig.rows() == "id=1,b='old'; id=2,b='new'; id=3,b='old'");
}

TEST_CASE("rename: two columns change places in the target") {
  for (const bool at_once : {true, false}) {
    Rig rig({}, 2);
    rig.send(definition({{"a"}, {"b"}}, "01"), 1);
    rig.send(row_of(1, {"a", "b"}, {text("of a"), text("of b")}, "10"));
    REQUIRE(rig.write());
    if (at_once) {
      rig.send(definition({renamed("a", "b"), renamed("b", "a")}, "20"), 1);
    } else {
      rig.send(definition({renamed("a", "t"), {"b"}}, "20"), 1);
      rig.send(definition({{"t"}, renamed("b", "a")}, "21"), 1);
      rig.send(definition({renamed("t", "b"), {"a"}}, "22"), 1);
    }
    rig.send(row_of(2, {"a", "b"}, {text("new a"), text("new b")}, "30"));
    REQUIRE(rig.write());
    CHECK(rig.table->stopped() == "");
    CHECK(rig.rows() == "id=1,b='of a',a='of b'; id=2,b='new b',a='new a'");
  }
}

TEST_CASE("rename: a column that was dropped, and another one added, are two when the definition says no rename") {
  Rig rig({}, 2);
  begin(rig);
  rig.send(row_of(1, {"b"}, {text("new")}, "30"));
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,a=NULL,b='new'; id=2,a='old',b=NULL; id=3,a='old',b=NULL");
  rig.send(definition({{"b"}}, "20"), 1);
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,b='new'; id=2,b=NULL; id=3,b=NULL");
}

TEST_CASE("rename: the type may change with the name, and the key's column may be renamed") {
  Rig rig({}, 2);
  begin(rig);
  rig.send({CDCRT_UPDATE, {{"id", kInt, 1}, {"b", types::type_of(CDCRT_TYPE_FLOAT64)}}, {integer(2), types::real_cell(0.5)}, "30"});
  REQUIRE(rig.write());
  rig.send(definition({renamed("a", "b")}, "20"), 1);
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,b='old'; id=2,b='0.5'; id=3,b='old'");
  Event keyed = definition({{"b"}}, "40");
  keyed.columns[0] = renamed("id", "number");
  rig.send(keyed, 1);
  rig.send({CDCRT_UPDATE, {{"number", kInt, 1}, {"b", kText}}, {integer(3), text("three")}, "50"});
  REQUIRE(rig.write());
  CHECK(rig.table->stopped() == "");
  CHECK(rig.rows() == "number=1,b='old'; number=2,b='0.5'; number=3,b='three'");
}

TEST_CASE("rename: a column of that name which is the target's own stops the table, and nothing is overwritten") {
  Rig rig({}, 2);
  begin(rig);
  rig.database.tables["shop.orders"].columns.push_back({"b", kText, 0, ""});
  for (auto& row : rig.database.tables["shop.orders"].rows) row["b"] = "\"mine\"";
  rig.restart();
  rig.send(definition({renamed("a", "b")}, "20"), 1);
  const auto written = rig.write();
  const std::string why = (written ? std::string() : written.error().message) + rig.table->stopped() + rig.table->detached();
  CAPTURE(rig.rows());
  CHECK_MESSAGE(why.find("has a column 'b' of its own") != std::string::npos, why);
  CHECK(rig.database.tables["shop.orders"].column("a") != nullptr);
}

TEST_CASE("rename: columns do not follow under ignore, and the table stops under fail") {
  route::Route route;
  route.schema_changes = route::SchemaChanges::kIgnore;
  {
    Rig rig(route, 2);
    begin(rig);
    rig.send(definition({renamed("a", "b")}, "20"), 1);
    rig.send(row_of(1, {"b"}, {text("new")}, "30"));
    REQUIRE(rig.write());
    CHECK(rig.rows() == "id=1,a='old'; id=2,a='old'; id=3,a='old'");
  }
  route.schema_changes = route::SchemaChanges::kFail;
  Rig rig(route, 2);
  begin(rig);
  rig.send(definition({renamed("a", "b")}, "20"), 1);
  CHECK(rig.table->stopped().find("renamed column 'a' to 'b'") != std::string::npos);
}

TEST_CASE("rename: what another process keeps of a column that gave up its name is not stored in turn") {
  Rig rig({}, 2);
  begin(rig);
  rig.send(row_of(2, {"b"}, {text("new")}, "30"));
  REQUIRE(rig.write());
  rig.send(definition({renamed("a", "b")}, "20"), 1);
  REQUIRE(rig.write());
  // The other one met rows of it with numbers.
  const auto is_former = [](const memory_sink::Row& row) { return row.at("source_name").find("renamed:") != std::string::npos; };
  auto& columns = rig.database.tables.at("cdcrt.known_columns").rows;
  const auto former = std::find_if(columns.begin(), columns.end(), is_former);
  REQUIRE(former != columns.end());
  types::append_text((*former)["type"] = "", text("int64"));
  std::string& version = rig.database.tables.at("cdcrt.tables").rows.front()["version"];
  types::append_text(version = "", integer(77));
  const std::string theirs = version;
  rig.send(row_of(3, {"b"}, {text("last")}, "40"));
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,b='old'; id=2,b='new'; id=3,b='last'");
  CHECK(rig.database.tables.at("cdcrt.tables").rows.front().at("version") == theirs);
}
