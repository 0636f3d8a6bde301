#include <doctest/doctest.h>

#include "target.hpp"

namespace {

using Rows = std::vector<std::string>;

const cdcrt_column kId = column("id", CDCRT_TYPE_INT64, 1);
const cdcrt_column kName = column("name", CDCRT_TYPE_STRING);
const cdcrt_column kCount = column("count", CDCRT_TYPE_INT32);
const std::vector<cdcrt_column> kAll = {kId, kName, kCount};

void fails(const Failure& failure) { FAIL(failure.message << " [" << failure.sqlstate << " " << failure.native << "]"); }
#define OK(expression)                        \
  do {                                        \
    const Failure failed_here = (expression); \
    if (failed_here) fails(failed_here);      \
  } while (false)

}  // namespace

TEST_CASE("odbc: each kind of write changes the rows of its keys and no others") {
  each_target([](Target& target) {
    OK(target.create("t", {kId, kName, with_default(kCount, i64(7))}));
    OK(target.write(CDCRT_WRITE_APPEND, "t", kAll, {{i64(1), str("a"), i64(10)}, {i64(3), str(""), null()}}));
    OK(target.write(CDCRT_WRITE_APPEND, "t", {kId, kName}, {{i64(2), null()}}));
    CHECK(target.read("t", kAll) == Rows{"i64:1|string:a|i64:10", "i64:2|null|i64:7", "i64:3|string:|null"});

    OK(target.write(CDCRT_WRITE_UPSERT, "t", kAll, {{i64(1), str("b"), i64(11)}, {i64(4), str("d"), i64(40)}}));
    OK(target.write(CDCRT_WRITE_UPSERT, "t", {kId, kName}, {{i64(2), str("only name")}, {i64(5), str("e")}}));
    CHECK(target.read("t", kAll) == Rows{"i64:1|string:b|i64:11", "i64:2|string:only name|i64:7", "i64:3|string:|null",
                                         "i64:4|string:d|i64:40", "i64:5|string:e|i64:7"});

    OK(target.write(CDCRT_WRITE_PATCH, "t", {kId, kName}, {{i64(99), str("x")}, {i64(1), null()}, {i64(98), str("y")}}));
    CHECK(target.missing == std::vector<uint64_t>{0, 2});
    OK(target.write(CDCRT_WRITE_PATCH, "t", {kId, kCount}, {{i64(97), i64(1)}, {i64(4), i64(41)}}));
    CHECK(target.missing == std::vector<uint64_t>{0});
    CHECK(target.read("t", kAll)[3] == "i64:4|string:d|i64:41");
    OK(target.write(CDCRT_WRITE_PATCH, "t", {kId}, {{i64(1)}, {i64(95)}}));
    CHECK(target.missing == std::vector<uint64_t>{1});

    OK(target.write(CDCRT_WRITE_REPLACE, "t", {kId, kName}, {{i64(4), str("fresh")}, {i64(6), str("new")}}));
    CHECK(target.read("t", kAll, {{i64(4)}, {i64(6)}}) == Rows{"i64:4|string:fresh|i64:7", "i64:6|string:new|i64:7"});

    OK(target.write(CDCRT_WRITE_DELETE, "t", {kId}, {{i64(1)}, {i64(2)}, {i64(777)}}));
    OK(target.write(CDCRT_WRITE_DELETE, "t", kAll, {{i64(3), str(""), null()}}));
    CHECK(target.read("t", {kId}) == Rows{"i64:4", "i64:5", "i64:6"});
    OK(target.write(CDCRT_WRITE_UPSERT, "t", {kId}, {{i64(4)}, {i64(8)}}));
    CHECK(target.read("t", kAll, {{i64(8)}}) == Rows{"i64:8|null|i64:7"});
    OK(target.write(CDCRT_WRITE_UPSERT, "t", kAll, {}));
    OK(target.write(CDCRT_WRITE_CLEAR, "t", {}, {}));
    CHECK(target.read("t", kAll).empty());
    OK(target.write(CDCRT_WRITE_APPEND, "t", {}, target.is_sqlite() ? std::vector<Row>{{}} : std::vector<Row>{}));
  });
}

TEST_CASE("odbc: rows that a trigger swallows are no success, and the write says so") {
  each_target([](Target& target) {
    const auto swallow = [&](const std::string& event, const std::string& row) {
      by_tool(target, target.is_sqlite()
                          ? "CREATE TRIGGER swallow BEFORE " + event + " ON t WHEN " + row + ".id = 2 BEGIN SELECT RAISE(IGNORE); END;"
                          : "CREATE OR REPLACE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF " + row +
                                ".id = 2 THEN RETURN NULL; END IF; RETURN " + row + "; END $$; CREATE TRIGGER swallow BEFORE " + event +
                                " ON t FOR EACH ROW EXECUTE FUNCTION swallow();");
    };
    const auto free = [&] { by_tool(target, target.is_sqlite() ? "DROP TRIGGER swallow;" : "DROP TRIGGER swallow ON t;"); };
    const auto is_told = [](const Failure& failure) {
      CHECK(failure.code == CDCRT_UNSUPPORTED);
      CHECK(failure.message.find("trigger") != std::string::npos);
    };
    std::vector<Row> many;
    for (int64_t id = 1; id <= 450; ++id) many.push_back({i64(id), str("a"), i64(id)});
    OK(target.create("t", kAll));
    swallow("INSERT", "NEW");
    is_told(target.write(CDCRT_WRITE_UPSERT, "t", kAll, many));
    is_told(target.write(CDCRT_WRITE_APPEND, "t", kAll, {{i64(2), str("a"), i64(1)}}));
    is_told(target.write(CDCRT_WRITE_REPLACE, "t", kAll, {{i64(2), str("a"), i64(1)}, {i64(3), str("a"), i64(1)}}));
    CHECK(target.read("t", kAll).empty());
    free();
    OK(target.write(CDCRT_WRITE_UPSERT, "t", kAll, many));

    swallow("UPDATE", "NEW");
    is_told(target.write(CDCRT_WRITE_UPSERT, "t", kAll, {{i64(1), str("b"), i64(1)}, {i64(2), str("b"), i64(1)}}));
    is_told(target.write(CDCRT_WRITE_PATCH, "t", {kId, kName}, {{i64(1), str("b")}, {i64(2), str("b")}, {i64(999), str("b")}}));
    OK(target.write(CDCRT_WRITE_UPSERT, "t", kAll, {{i64(1), str("b"), i64(1)}, {i64(3), str("b"), i64(1)}}));
    // What was there already in the same words is where it should be.
    OK(target.write(CDCRT_WRITE_UPSERT, "t", kAll, {{i64(1), str("c"), i64(1)}, {i64(2), str("a"), i64(2)}}));
    OK(target.write(CDCRT_WRITE_PATCH, "t", {kId, kName}, {{i64(2), str("a")}, {i64(999), str("b")}}));
    CHECK(target.missing == std::vector<uint64_t>{1});
    OK(target.write(CDCRT_WRITE_UPSERT, "t", {kId}, {{i64(1)}, {i64(2)}}));
    free();

    swallow("DELETE", "OLD");
    is_told(target.write(CDCRT_WRITE_DELETE, "t", {kId}, {{i64(1)}, {i64(2)}}));
    is_told(target.write(CDCRT_WRITE_CLEAR, "t", {}, {}));
    OK(target.write(CDCRT_WRITE_DELETE, "t", {kId}, {{i64(1)}, {i64(5)}, {i64(5000)}}));
    CHECK(target.read("t", kAll).size() == 448);
    if (target.is_sqlite()) return;
    by_tool(
        target,
        "CREATE TABLE p (id bigint, name text, count integer); CREATE TABLE p1 () INHERITS (p); CREATE FUNCTION lead() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN INSERT INTO p1 VALUES (NEW.*); RETURN NULL; END $$; CREATE TRIGGER lead BEFORE INSERT ON p FOR EACH ROW EXECUTE FUNCTION lead();");
    OK(target.write(CDCRT_WRITE_APPEND, "p", {column("id", CDCRT_TYPE_INT64), kName, kCount}, {{i64(1), str("a"), i64(1)}}));
    CHECK(target.read("p", {kName, kCount}).size() == 1);
  });
}

TEST_CASE("odbc: rows without any value take every default") {
  each_target([](Target& target) {
    OK(target.create("t", {with_default(kName, str("it's")), kCount}));
    OK(target.write(CDCRT_WRITE_APPEND, "t", {}, {{}, {}}));
    CHECK(target.read("t", {kName, kCount}) == Rows{"string:it's|null", "string:it's|null"});
  });
}

TEST_CASE("odbc: upsert and patch find their rows without a unique index") {
  each_target([](Target& target) {
    OK(target.create("t", {column("id", CDCRT_TYPE_INT64), kName, kCount}));
    OK(target.write(CDCRT_WRITE_UPSERT, "t", kAll, {{i64(1), str("a"), i64(1)}, {i64(2), str("b"), i64(2)}}, false));
    OK(target.write(CDCRT_WRITE_UPSERT, "t", kAll, {{i64(2), str("c"), i64(3)}, {i64(3), str("d"), i64(4)}}, false));
    OK(target.write(CDCRT_WRITE_UPSERT, "t", {kId}, {{i64(3)}, {i64(4)}}, false));
    CHECK(target.read("t", kAll) == Rows{"i64:1|string:a|i64:1", "i64:2|string:c|i64:3", "i64:3|string:d|i64:4", "i64:4|null|null"});
    OK(target.write(CDCRT_WRITE_APPEND, "t", kAll, {{i64(1), str("twin"), i64(1)}}));
    OK(target.write(CDCRT_WRITE_PATCH, "t", {kId, kName}, {{i64(1), str("both")}, {i64(9), str("none")}}, false));
    CHECK(target.missing == std::vector<uint64_t>{1});
  });
}

TEST_CASE("odbc: removing from a table without key takes exactly one copy per row asked for") {
  each_target([](Target& target) {
    const cdcrt_column value = column("value", CDCRT_TYPE_JSON);
    const std::vector<cdcrt_column> columns = {column("a", CDCRT_TYPE_INT64), column("b", CDCRT_TYPE_STRING), value,
                                               column("d", CDCRT_TYPE_FLOAT64)};
    OK(target.create("t", columns));
    const Row twin = {i64(1), str("x"), text(CDCRT_JSON, "{\"k\": 1}"), f64(0.1)};
    const Row empty = {i64(1), str(""), null(), null()};
    const Row nothing = {null(), null(), null(), null()};
    OK(target.write(CDCRT_WRITE_APPEND, "t", columns, {twin, twin, twin, twin, empty, nothing, nothing}));
    OK(target.write(CDCRT_WRITE_REMOVE, "t", columns,
                    {twin, nothing, twin, {i64(2), str("x"), null(), null()}, nothing, nothing, {i64(1), null(), null(), null()}}));
    CHECK(target.missing.size() == 3);
    CHECK(target.missing[0] == 3);
    CHECK(target.missing[2] == 6);
    CHECK(target.read("t", columns) ==
          Rows{"i64:1|string:x|json:{\"k\": 1}|f64:0.1", "i64:1|string:x|json:{\"k\": 1}|f64:0.1", "i64:1|string:|null|null"});
  });
}

TEST_CASE("odbc: rows are found and locked by composite and textual keys") {
  each_target([](Target& target) {
    const std::vector<cdcrt_column> columns = {column("b", CDCRT_TYPE_STRING, 2), column("a", CDCRT_TYPE_DATE, 1),
                                               column("v", CDCRT_TYPE_INT16)};
    OK(target.create("t", columns));
    OK(target.write(
        CDCRT_WRITE_UPSERT, "t", columns,
        {{str("x"), moment(CDCRT_DATE, 0), i64(1)}, {str("x"), moment(CDCRT_DATE, 1), i64(2)}, {str("X"), moment(CDCRT_DATE, 0), i64(3)}}));
    OK(target.write(CDCRT_WRITE_UPSERT, "t", columns, {{str("x"), moment(CDCRT_DATE, 1), i64(20)}}));
    const auto described = target.describe("t");
    CHECK(described.find("a")->key == 1);
    CHECK(described.find("b")->key == 2);
    OK(target.begin());
    CHECK(target.read("t", columns, {{str("x"), moment(CDCRT_DATE, 1)}, {str("no"), moment(CDCRT_DATE, 1)}}, CDCRT_LOCK_UPDATE) ==
          Rows{"string:x|date:1|i64:20"});
    CHECK(target.read("t", columns, {{str("X"), moment(CDCRT_DATE, 0)}}, CDCRT_LOCK_SHARE) == Rows{"string:X|date:0|i64:3"});
    OK(target.commit());
  });
}

TEST_CASE("odbc: a NULL key is a bad record and nothing of the write stays") {
  each_target([](Target& target) {
    OK(target.create("t", kAll));
    const Failure failure = target.write(CDCRT_WRITE_UPSERT, "t", kAll, {{i64(1), str("a"), i64(1)}, {null(), str("b"), i64(2)}});
    CHECK(failure.code == CDCRT_BAD_RECORD);
    CHECK(failure.message.find("\"id\"") != std::string::npos);
    CHECK(target.read("t", kAll).empty());
  });
}

TEST_CASE("odbc: a transaction takes back rows and definitions") {
  each_target([](Target& target) {
    OK(target.create("t", kAll));
    OK(target.begin());
    OK(target.create("other", kAll));
    OK(target.add("t", with_default(column("extra", CDCRT_TYPE_STRING), str("x"))));
    OK(target.write(CDCRT_WRITE_APPEND, "t", kAll, {{i64(1), str("a"), i64(1)}}));
    OK(target.write(CDCRT_WRITE_APPEND, "other", kAll, {{i64(1), str("a"), i64(1)}}));
    OK(target.rollback());
    CHECK_FALSE(target.describe("other").exists);
    CHECK(target.describe("t").columns.size() == 3);
    CHECK(target.read("t", kAll).empty());
    OK(target.begin());
    OK(target.write(CDCRT_WRITE_APPEND, "t", kAll, {{i64(1), str("a"), i64(1)}}));
    OK(target.commit());
    CHECK(target.read("t", {kId}) == Rows{"i64:1"});
  });
}

TEST_CASE("odbc: after a failure inside a transaction nothing is written until it is rolled back") {
  each_target([](Target& target) {
    OK(target.create("t", kAll));
    OK(target.begin());
    OK(target.write(CDCRT_WRITE_APPEND, "t", kAll, {{i64(1), str("a"), i64(1)}}));
    CHECK(target.write(CDCRT_WRITE_APPEND, "t", kAll, {{i64(1), str("a"), i64(1)}}).code == CDCRT_BAD_RECORD);
    CHECK(target.write(CDCRT_WRITE_APPEND, "t", kAll, {{i64(2), str("a"), i64(1)}}).code == CDCRT_RETRY);
    CHECK(target.commit().code == CDCRT_RETRY);
    OK(target.rollback());
    CHECK(target.read("t", kAll).empty());
    OK(target.write(CDCRT_WRITE_APPEND, "t", kAll, {{i64(2), str("a"), i64(1)}}));
    CHECK(target.read("t", {kId}) == Rows{"i64:2"});
  });
}

TEST_CASE("odbc: hostile names stay names") {
  each_target([](Target& target) {
    const std::string table = "x\"; drop table y; -- ?{ts '2020'}.'\xF0\x9F\x98\x80";
    const std::vector<cdcrt_column> columns = {
        column("k\"e'y?", CDCRT_TYPE_INT64, 1), column("{d '2020-01-01'}", CDCRT_TYPE_STRING),      column("a.b", CDCRT_TYPE_STRING),
        column("SELECT", CDCRT_TYPE_STRING),    column("\xC3\xA9 \xE6\xBC\xA2", CDCRT_TYPE_STRING), column("c1", CDCRT_TYPE_STRING),
        column("n", CDCRT_TYPE_STRING)};
    const Row row = {i64(1), str("?"), str("{fn now()}"), str("\\"), str("\""), str("'"), str("--")};
    OK(target.create(table, columns));
    for (const auto kind : {CDCRT_WRITE_UPSERT, CDCRT_WRITE_PATCH, CDCRT_WRITE_REPLACE}) OK(target.write(kind, table, columns, {row}));
    CHECK(target.read(table, columns, {{i64(1)}}) == Rows{"i64:1|string:?|string:{fn now()}|string:\\|string:\"|string:'|string:--"});
    CHECK(target.describe(table).find("k\"e'y?")->key == 1);
    OK(target.add(table, with_default(column("new\"?", CDCRT_TYPE_STRING), str("d'e?f{"))));
    OK(target.alter(table, column("a.b", CDCRT_TYPE_STRING), columns[2].type));
    OK(target.drop(table, "{d '2020-01-01'}"));
    CHECK(target.read(table, {columns[0], column("new\"?", CDCRT_TYPE_STRING)}) == Rows{"i64:1|string:d'e?f{"});
    OK(target.write(CDCRT_WRITE_REMOVE, table, {columns[0], columns[2]}, {{i64(1), str("{fn now()}")}}));
    CHECK(target.missing.empty());
    OK(target.write(CDCRT_WRITE_DELETE, table, {columns[0]}, {{i64(1)}}));
  });
}

TEST_CASE("odbc: a name that the target would cut is refused") {
  Target target(postgresql_options());
  const Failure failure = target.create(std::string(64, 'n'), kAll);
  CHECK(failure.code == CDCRT_BAD_CONFIG);
  CHECK(failure.message.find("64 bytes") != std::string::npos);
}

TEST_CASE("odbc: tables of one and of 1,600 columns are made and written") {
  each_target([](Target& target) {
    OK(target.create("one", {kId}));
    OK(target.write(CDCRT_WRITE_UPSERT, "one", {kId}, {{i64(1)}, {i64(2)}}));
    CHECK(target.read("one", {kId}).size() == 2);
    std::vector<std::string> names;
    for (int i = 0; i < 1600; ++i) names.push_back("c" + std::to_string(i));
    std::vector<cdcrt_column> columns;
    Row row;
    for (int i = 0; i < 1600; ++i)
      columns.push_back(column(names[static_cast<std::size_t>(i)], CDCRT_TYPE_INT16, i == 0 ? 1 : 0)), row.push_back(i64(i));
    OK(target.create("wide", columns));
    OK(target.write(CDCRT_WRITE_UPSERT, "wide", columns, {row}));
    OK(target.write(CDCRT_WRITE_PATCH, "wide", columns, {row}));
    CHECK(target.missing.empty());
    CHECK(target.read("wide", {columns[0], columns[1599]}) == Rows{"i64:0|i64:1599"});
  });
}

TEST_CASE("odbc: a write of more rows than one statement takes is complete, and missing rows keep their places") {
  each_target([](Target& target) {
    OK(target.create("t", kAll));
    std::vector<Row> rows;
    for (int i = 0; i < 60'000; ++i) rows.push_back({i64(i), str("row"), i64(i)});
    OK(target.begin());
    OK(target.write(CDCRT_WRITE_UPSERT, "t", kAll, rows));
    OK(target.write(CDCRT_WRITE_DELETE, "t", {kId}, {{i64(5)}, {i64(49'999)}}));
    OK(target.write(CDCRT_WRITE_PATCH, "t", kAll, rows));
    CHECK(target.missing == std::vector<uint64_t>{5, 49'999});
    OK(target.commit());
    CHECK(target.read("t", {kId}).size() == 59'998);
  });
}

TEST_CASE("odbc: a connection goes on working through many failed transactions") {
  each_target([](Target& target) {
    OK(target.create("t", kAll));
    OK(target.write(CDCRT_WRITE_APPEND, "t", kAll, {{i64(1), str("a"), i64(1)}}));
    for (int round = 0; round < 40; ++round) {
      OK(target.begin());
      CHECK(target.describe("t").exists);
      OK(target.add("t", column(round % 2 == 0 ? "x" : "y", CDCRT_TYPE_STRING)));
      OK(target.write(CDCRT_WRITE_UPSERT, "t", kAll, {{i64(2), str("b"), i64(round)}}));
      CHECK(target.write(CDCRT_WRITE_APPEND, "t", {kId, kName}, {{i64(1), str("again")}}).code == CDCRT_BAD_RECORD);
      OK(target.rollback());
      const Rows left = target.read("t", {kId});
      REQUIRE_MESSAGE(left == Rows{"i64:1"}, target.last_read.message, " ", left.size());
      OK(target.write(CDCRT_WRITE_UPSERT, "t", kAll, {{i64(1), str("c"), i64(round)}}));
    }
  });
}
