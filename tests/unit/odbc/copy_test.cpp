// Large sets of rows that may be new: straight into the table by COPY, and all the ways back from it.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "target.hpp"

namespace {

using Rows = std::vector<std::string>;

constexpr int64_t kMany = 300;  // as many as are worth a COPY

const std::vector<cdcrt_column> kPlain = {column("id", CDCRT_TYPE_INT64, 1), column("v", CDCRT_TYPE_STRING)};
const std::vector<cdcrt_column> kKeyless = {column("id", CDCRT_TYPE_INT64), column("v", CDCRT_TYPE_STRING)};
const std::vector<cdcrt_column> kAsked = {column("number", CDCRT_TYPE_INT64), column("text", CDCRT_TYPE_STRING)};

/// A table that notes by which statements rows came.
struct Copies {
  Target target;
  explicit Copies(bool copies = true, const char* table = "id bigint PRIMARY KEY, v text") : target(with(copies)) {
    by_tool(target, std::string("DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE rows (") + table +
                        "); CREATE TABLE asked (number bigserial, text text); "
                        "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO asked (text) "
                        "SELECT CASE WHEN current_query() LIKE '%COPY%' THEN 'copy' ELSE 'insert' END; RETURN NULL; END$$; "
                        "CREATE TRIGGER note AFTER INSERT ON rows FOR EACH STATEMENT EXECUTE FUNCTION note();");
  }
  static Options with(bool copies) {
    Options options = postgresql_options("libpq");
    options.copies = copies;
    return options;
  }
  static std::vector<Row> many(int64_t first, int64_t count = kMany, std::string_view value = "a") {
    std::vector<Row> rows;
    for (int64_t id = first; id < first + count; ++id) rows.push_back({i64(id), str(value)});
    return rows;
  }
  /// Committed by itself.
  Failure write(const std::vector<Row>& rows, cdcrt_write_kind kind = CDCRT_WRITE_UPSERT) {
    return target.write(kind, "rows", kind == CDCRT_WRITE_APPEND ? kKeyless : kPlain, rows);
  }
  /// In the order of the writes.
  std::string asked() {
    std::map<int64_t, std::string> all;
    for (const std::string& row : target.read("asked", kAsked)) all[std::stoll(row.substr(4))] = row.substr(row.rfind(':') + 1) + " ";
    std::string text;
    for (const auto& [number, how] : all) text += how;
    return text;
  }
  std::size_t count() { return target.read("rows", kPlain).size(); }
};

}  // namespace

TEST_CASE("copy: many new rows go straight into the table, few as others do") {
  Copies copies;
  REQUIRE_FALSE(copies.write(Copies::many(1)));
  REQUIRE_FALSE(copies.write(Copies::many(1000, 2)));
  CHECK(copies.asked() == "copy insert ");
  CHECK(copies.count() == kMany + 2);
}

TEST_CASE("copy: nothing is copied where the option says so") {
  Copies copies(false);
  REQUIRE_FALSE(copies.write(Copies::many(1)));
  CHECK(copies.asked() == "insert ");
}

TEST_CASE("copy: where one row is there already all of them are written as others, and the table is left alone for a while") {
  Copies copies;
  REQUIRE_FALSE(copies.write(Copies::many(1)));
  REQUIRE_FALSE(copies.write(Copies::many(kMany, kMany, "b")));
  const Rows rows = copies.target.read("rows", kPlain);
  CHECK(rows.size() == 2 * kMany - 1);
  CHECK(std::count(rows.begin(), rows.end(), "i64:" + std::to_string(kMany) + "|string:b") == 1);
  // The COPY that failed left nothing, also not in the notes.
  CHECK(copies.asked() == "copy insert ");
  REQUIRE_FALSE(copies.write(Copies::many(10'000)));
  CHECK(copies.asked() == "copy insert insert ");
  for (int64_t i = 0; i < 15; ++i) REQUIRE_FALSE(copies.write(Copies::many(20'000 + 1'000 * i)));
  REQUIRE_FALSE(copies.write(Copies::many(90'000)));
  CHECK(copies.asked().ends_with("insert copy "));
}

TEST_CASE("copy: what other statements of its transaction did stays, whether rows could be copied or not, and goes with it") {
  for (const bool is_there : {false, true}) {
    CAPTURE(is_there);
    Copies copies;
    if (is_there) {
      REQUIRE_FALSE(copies.write({{i64(150), str("old")}}));
    }
    const std::size_t before = copies.count();
    for (const bool commits : {false, true}) {
      REQUIRE_FALSE(copies.target.begin());
      REQUIRE_FALSE(copies.target.write(CDCRT_WRITE_UPSERT, "rows", kPlain, {{i64(5000), str("first")}}));
      REQUIRE_FALSE(copies.target.write(CDCRT_WRITE_UPSERT, "rows", kPlain, Copies::many(1)));
      REQUIRE_FALSE(copies.target.write(CDCRT_WRITE_UPSERT, "rows", kPlain, Copies::many(6000)));
      REQUIRE_FALSE(copies.target.write(CDCRT_WRITE_DELETE, "rows", {kPlain[0]}, {{i64(1)}}));
      const Failure ended = commits ? copies.target.commit() : copies.target.rollback();
      REQUIRE_FALSE(ended);
      CHECK(copies.count() == (commits ? 2 * kMany : before));
    }
  }
}

TEST_CASE("copy: a row that the target refuses is told as it is without a copy") {
  auto rows = Copies::many(1);
  rows[100][1] = str("bad");
  const auto refused = [&](bool copied) {
    Copies copies(copied, "id bigint PRIMARY KEY, v text CHECK (v <> 'bad')");
    Failure failure = copies.write(rows);
    CHECK(copies.count() == 0);
    REQUIRE_FALSE(copies.write(Copies::many(1)));
    CHECK(copies.count() == kMany);
    return failure;
  };
  const Failure copied = refused(true), written = refused(false);
  CHECK(copied.code == CDCRT_BAD_RECORD);
  CHECK(copied.code == written.code);
  CHECK(copied.message == written.message);
}

TEST_CASE("copy: rows that a trigger swallows are noticed") {
  Copies copies;
  by_tool(copies.target,
          "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.id = 7 THEN RETURN NULL; END IF; RETURN NEW; END'; "
          "CREATE TRIGGER swallow BEFORE INSERT ON rows FOR EACH ROW EXECUTE FUNCTION swallow();");
  CHECK(copies.write(Copies::many(1)).code == CDCRT_UNSUPPORTED);
  CHECK(copies.count() == 0);
}

TEST_CASE("copy: rows of a table with a rule are never copied") {
  Copies ruled(true, "id bigint, v text");
  by_tool(
      ruled.target,
      "CREATE TABLE other (id bigint, v text); CREATE RULE away AS ON INSERT TO rows DO ALSO INSERT INTO other VALUES (NEW.id, NEW.v);");
  REQUIRE_FALSE(ruled.write(Copies::many(1), CDCRT_WRITE_APPEND));
  CHECK(ruled.target.read("other", kKeyless).size() == kMany);
}

TEST_CASE("copy: a key that somebody took away while it ran makes no row twice") {
  Copies copies;
  REQUIRE_FALSE(copies.write(Copies::many(1)));
  by_tool(copies.target, "ALTER TABLE rows DROP CONSTRAINT rows_pkey");
  // Whoever sends it describes the table anew and comes again.
  CHECK(copies.write(Copies::many(1, kMany, "b")).code == CDCRT_STALE_SCHEMA);
  CHECK(copies.count() == kMany);
  CHECK(copies.asked() == "copy ");
}

TEST_CASE("copy: a column whose type somebody changed while it ran has the values that were sent") {
  const std::vector<cdcrt_column> columns = {column("id", CDCRT_TYPE_INT64, 1), column("n", CDCRT_TYPE_INT64)};
  const auto rows = [](int64_t first) {
    std::vector<Row> made;
    for (int64_t id = first; id < first + kMany; ++id) made.push_back({i64(id), i64(id)});
    return made;
  };
  for (const char* type : {"double precision", "numeric", "text"}) {
    CAPTURE(type);
    Copies copies(true, "id bigint PRIMARY KEY, n bigint");
    REQUIRE_FALSE(copies.target.write(CDCRT_WRITE_UPSERT, "rows", columns, rows(1)));
    by_tool(copies.target, std::string("ALTER TABLE rows ALTER n TYPE ") + type);
    static_cast<void>(copies.target.write(CDCRT_WRITE_UPSERT, "rows", columns, rows(1000)));
    by_tool(copies.target, "INSERT INTO asked (text) SELECT 'wrong' FROM rows WHERE n::text <> id::text LIMIT 1");
    CHECK(copies.asked().find("wrong") == std::string::npos);
    CHECK(copies.asked().starts_with("copy "));
  }
}

TEST_CASE("copy: a rule that somebody made while it ran is followed") {
  Copies copies(true, "id bigint, v text");
  REQUIRE_FALSE(copies.write(Copies::many(1), CDCRT_WRITE_APPEND));
  by_tool(
      copies.target,
      "CREATE TABLE other (id bigint, v text); CREATE RULE away AS ON INSERT TO rows DO ALSO INSERT INTO other VALUES (NEW.id, NEW.v);");
  static_cast<void>(copies.write(Copies::many(1000), CDCRT_WRITE_APPEND));
  CHECK(copies.target.read("other", kKeyless).size() == copies.target.read("rows", kKeyless).size() - kMany);
}

TEST_CASE("copy: rows without a key are appended, the same again as well") {
  Copies copies(true, "id bigint, v text");
  REQUIRE_FALSE(copies.write(Copies::many(1), CDCRT_WRITE_APPEND));
  REQUIRE_FALSE(copies.write(Copies::many(1), CDCRT_WRITE_APPEND));
  CHECK(copies.asked() == "copy copy ");
  CHECK(copies.count() == 2 * kMany);
}

TEST_CASE("copy: a column that the write lacks takes its default, an identity the value given, a generated one none") {
  Copies copies(
      true, "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text, d text DEFAULT 'x', g bigint GENERATED ALWAYS AS (id + 1) STORED");
  REQUIRE_FALSE(copies.write(Copies::many(5)));
  CHECK(copies.asked() == "copy ");
  const Rows rows =
      copies.target.read("rows", {column("id", CDCRT_TYPE_INT64, 1), column("d", CDCRT_TYPE_STRING), column("g", CDCRT_TYPE_INT64)});
  CHECK(rows.size() == kMany);
  CHECK(std::count(rows.begin(), rows.end(), "i64:5|string:x|i64:6") == 1);
}

TEST_CASE("copy: a value that only its text can tell takes all rows the other way") {
  Copies copies(true, "id bigint PRIMARY KEY, v numeric");
  const std::vector<cdcrt_column> columns = {column("id", CDCRT_TYPE_INT64, 1), column("v", CDCRT_TYPE_DECIMAL)};
  std::vector<Row> rows;
  for (int64_t id = 1; id <= kMany; ++id) rows.push_back({i64(id), text(CDCRT_DECIMAL, id == 200 ? "NaN" : "12.50")});
  REQUIRE_FALSE(copies.target.write(CDCRT_WRITE_UPSERT, "rows", columns, rows));
  CHECK(copies.asked() == "insert ");
  CHECK(copies.count() == kMany);
}

TEST_CASE("copy: a connection that is lost in the middle of one fails, and another one goes on") {
  Copies copies;
  by_tool(copies.target,
          "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.id = 200 AND NEW.v = ''cut'' THEN PERFORM "
          "pg_terminate_backend(pg_backend_pid()); END IF; RETURN NEW; END'; "
          "CREATE TRIGGER cut BEFORE INSERT ON rows FOR EACH ROW EXECUTE FUNCTION cut();");
  const Failure failure = copies.write(Copies::many(1, kMany, "cut"));
  CHECK((failure.code == CDCRT_UNREACHABLE || failure.code == CDCRT_RETRY));
  copies.target.switch_connection();
  CHECK(copies.count() == 0);
  REQUIRE_FALSE(copies.write(Copies::many(1)));
  CHECK(copies.count() == kMany);
}

TEST_CASE("copy: random writes leave the same rows as without copies") {
  const std::vector<cdcrt_column> columns = {
      column("id", CDCRT_TYPE_INT64, 1),   column("b", CDCRT_TYPE_BOOL), column("n", CDCRT_TYPE_DECIMAL, 0, 12, 2),
      column("t", CDCRT_TYPE_TIMESTAMPTZ), column("j", CDCRT_TYPE_JSON), column("s", CDCRT_TYPE_STRING),
      column("y", CDCRT_TYPE_BYTES)};
  std::mt19937 chance(11);
  std::vector<std::pair<cdcrt_write_kind, std::vector<Row>>> writes;
  std::vector<std::unique_ptr<std::string>> kept;
  const auto keep = [&](std::string text) -> std::string_view {
    return *kept.emplace_back(std::make_unique<std::string>(std::move(text)));
  };
  for (int i = 0; i < 30; ++i) {
    const auto kind = std::vector{CDCRT_WRITE_UPSERT, CDCRT_WRITE_UPSERT, CDCRT_WRITE_REPLACE, CDCRT_WRITE_DELETE}[chance() % 4];
    const auto first = static_cast<int64_t>(chance() % 3 == 0 ? chance() % 20'000 : 100'000 + i * 1'000);
    std::vector<Row> rows;
    for (int64_t id = first; id < first + 400; ++id) {
      if (kind == CDCRT_WRITE_DELETE) {
        rows.push_back({i64(id)});
        continue;
      }
      const auto maybe = [&](cdcrt_cell cell) { return chance() % 8 == 0 ? null() : cell; };
      rows.push_back(
          {i64(id), maybe(boolean(chance() % 2 == 0)), maybe(text(CDCRT_DECIMAL, keep(std::to_string(chance() % 10'000) + ".25"))),
           maybe(moment(CDCRT_TIMESTAMPTZ, static_cast<int64_t>(chance()) * 1'000)), maybe(text(CDCRT_JSON, R"({"a": [1, "ü"]})")),
           maybe(str(keep(std::string(chance() % 50, 'x') + "é\t\\N"))), maybe(text(CDCRT_BYTES, keep(std::string("\0\xff", 2))))});
    }
    writes.emplace_back(kind, std::move(rows));
  }
  const auto rows_of = [&](bool copied) {
    Target target(Copies::with(copied));
    by_tool(target, "DROP SCHEMA public CASCADE; CREATE SCHEMA public;");
    REQUIRE_FALSE(target.create("all_types", columns));
    for (const auto& [kind, rows] : writes) {
      const auto given = kind == CDCRT_WRITE_DELETE ? std::vector{columns[0]} : columns;
      REQUIRE_FALSE(target.write(kind, "all_types", given, rows));
    }
    return target.read("all_types", columns);
  };
  const Rows copied = rows_of(true);
  CHECK(copied.size() > 1'000);
  CHECK(copied == rows_of(false));
}
