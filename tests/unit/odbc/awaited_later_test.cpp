// Writes whose answer comes with COMMIT: what ends differently from writes that are waited for is taken back and done again, waited for.
#include <doctest/doctest.h>

#include <functional>
#include <random>

#include "target.hpp"

namespace {

using Rows = std::vector<std::string>;

const std::vector<cdcrt_column> kColumns = {column("id", CDCRT_TYPE_INT64, 1), column("v", CDCRT_TYPE_STRING),
                                            column("n", CDCRT_TYPE_INT64)};

Row row(int64_t id, std::string_view v, int64_t n = 0) { return {i64(id), str(v), i64(n)}; }

struct Later {
  Target target{postgresql_options("libpq")};

  Later() {
    by_tool(target, "DROP SCHEMA public CASCADE; CREATE SCHEMA public;");
    for (const char* table : {"later", "waited"}) REQUIRE_FALSE(target.create(table, kColumns));
    commits();
  }
  /// Only after a COMMIT may statements travel with others.
  void commits() {
    REQUIRE_FALSE(target.begin());
    REQUIRE_FALSE(target.write(CDCRT_WRITE_DELETE, "waited", kColumns, {row(-1, "")}));
    REQUIRE_FALSE(target.commit());
  }
  void begin() {
    REQUIRE_FALSE(target.begin());
    REQUIRE_FALSE(target.expect({"later"}));
  }
  Failure write(cdcrt_write_kind kind, const std::vector<Row>& rows) { return target.write(kind, "later", kColumns, rows); }
};

}  // namespace

TEST_CASE_FIXTURE(Later, "awaited later: rows of an expected table are in it once COMMIT has answered") {
  begin();
  REQUIRE_FALSE(write(CDCRT_WRITE_UPSERT, {row(1, "a"), row(2, "b")}));
  REQUIRE_FALSE(write(CDCRT_WRITE_PATCH, {row(1, "c")}));
  REQUIRE_FALSE(write(CDCRT_WRITE_DELETE, {row(2, "")}));
  REQUIRE_FALSE(target.commit());
  CHECK(target.read("later", kColumns) == Rows{"i64:1|string:c|i64:0"});
}

TEST_CASE_FIXTURE(Later, "awaited later: a refused row fails COMMIT as what is to be done again, and is told by its write then") {
  by_tool(target, "ALTER TABLE later ADD CHECK (v <> 'bad');");
  begin();
  CHECK_FALSE(write(CDCRT_WRITE_UPSERT, {row(1, "good"), row(2, "bad")}));
  CHECK(target.commit().code == CDCRT_STALE_SCHEMA);
  REQUIRE_FALSE(target.rollback());
  CHECK(target.read("later", kColumns).empty());
  begin();
  CHECK(write(CDCRT_WRITE_UPSERT, {row(1, "good"), row(2, "bad")}).code == CDCRT_BAD_RECORD);
  REQUIRE_FALSE(target.rollback());
  // That table is left alone for a while, others are not.
  commits();
  begin();
  CHECK(write(CDCRT_WRITE_UPSERT, {row(2, "bad")}).code == CDCRT_BAD_RECORD);
  REQUIRE_FALSE(target.rollback());
}

TEST_CASE_FIXTURE(Later, "awaited later: it is the host that says so, and within a savepoint every write is waited for") {
  by_tool(target, "ALTER TABLE later ADD CHECK (v <> 'bad');");
  REQUIRE_FALSE(target.begin());
  CHECK(write(CDCRT_WRITE_UPSERT, {row(2, "bad")}).code == CDCRT_BAD_RECORD);
  REQUIRE_FALSE(target.rollback());
  commits();
  begin();
  REQUIRE_FALSE(target.savepoint(CDCRT_SAVEPOINT_SET));
  CHECK(write(CDCRT_WRITE_UPSERT, {row(2, "bad")}).code == CDCRT_BAD_RECORD);
  REQUIRE_FALSE(target.savepoint(CDCRT_SAVEPOINT_ROLL_BACK));
  REQUIRE_FALSE(target.commit());
}

TEST_CASE_FIXTURE(Later, "awaited later: what the host tells of one transaction does not hold for the next") {
  by_tool(target, "ALTER TABLE later ADD CHECK (v <> 'bad');");
  begin();
  REQUIRE_FALSE(target.commit());
  REQUIRE_FALSE(target.begin());
  CHECK(write(CDCRT_WRITE_UPSERT, {row(2, "bad")}).code == CDCRT_BAD_RECORD);
  REQUIRE_FALSE(target.rollback());
}

TEST_CASE_FIXTURE(
    Later, "awaited later: nothing is run before somebody waits for it, so that the server takes a process that is frozen then for idle") {
  const std::string value(2000, 'x');
  begin();
  bool is_any_run = false;
  for (int64_t id = 0; id < 12; ++id) {
    REQUIRE_FALSE(write(CDCRT_WRITE_UPSERT, {row(id, value)}));
    CHECK(by_tool(target,
                  "SELECT pg_sleep(0.02); SELECT count(*) FROM pg_stat_activity WHERE application_name = 'cdcrt' AND state = 'active';") ==
          "\n0\n");
    is_any_run = is_any_run || by_tool(target, "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction';") == "1\n";
  }
  CHECK(is_any_run);
  REQUIRE_FALSE(target.commit());
  CHECK(target.read("later", kColumns).size() == 12);
}

TEST_CASE_FIXTURE(Later, "awaited later: rows that a trigger swallows fail COMMIT before anything is committed") {
  by_tool(target,
          "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; "
          "CREATE TRIGGER swallow BEFORE INSERT ON later FOR EACH ROW EXECUTE FUNCTION swallow();");
  begin();
  REQUIRE_FALSE(target.write(CDCRT_WRITE_UPSERT, "waited", kColumns, {row(1, "a")}));
  CHECK_FALSE(write(CDCRT_WRITE_UPSERT, {row(1, "a")}));
  CHECK(target.commit().code == CDCRT_STALE_SCHEMA);
  REQUIRE_FALSE(target.rollback());
  CHECK(target.read("waited", kColumns).empty());
  begin();
  CHECK(write(CDCRT_WRITE_UPSERT, {row(1, "a")}).code == CDCRT_UNSUPPORTED);
  REQUIRE_FALSE(target.rollback());
}

TEST_CASE_FIXTURE(Later, "awaited later: a partial change that finds no row is told by its write when it is done again") {
  begin();
  CHECK_FALSE(write(CDCRT_WRITE_PATCH, {row(1, "a")}));
  CHECK(target.commit().code == CDCRT_STALE_SCHEMA);
  REQUIRE_FALSE(target.rollback());
  begin();
  CHECK_FALSE(write(CDCRT_WRITE_PATCH, {row(1, "a")}));
  CHECK(target.missing == std::vector<uint64_t>{0});
  REQUIRE_FALSE(target.rollback());
}

TEST_CASE_FIXTURE(Later, "awaited later: what comes behind a write that failed on the way is told that all of it is done again, COPY too") {
  for (const int64_t count : {2, 300}) {
    std::vector<Row> rows;
    for (int64_t id = 1; id <= count; ++id) rows.push_back(row(id, "a"));
    commits();
    REQUIRE_FALSE(target.begin());
    REQUIRE_FALSE(target.expect({"later"}));
    REQUIRE_FALSE(write(CDCRT_WRITE_DELETE, {row(-5, "")}));  // which is not there
    Failure failure = target.write(CDCRT_WRITE_UPSERT, "waited", kColumns, rows);
    if (!failure) failure = target.commit();
    CHECK(failure.code == CDCRT_STALE_SCHEMA);
    REQUIRE_FALSE(target.rollback());
    for (int i = 0; i < 40; ++i) {  // until that table is tried again
      begin();
      REQUIRE_FALSE(target.commit());
    }
  }
}

TEST_CASE_FIXTURE(Later, "awaited later: a transaction of very many writes is waited for as a whole when it comes again") {
  std::vector<Row> rows;
  for (int64_t id = 0; id < 100; ++id) rows.push_back(row(id, "a"));
  begin();
  REQUIRE_FALSE(write(CDCRT_WRITE_UPSERT, rows));
  REQUIRE_FALSE(target.commit());
  int again = 0;
  for (bool is_told = false; !is_told; ++again) {
    REQUIRE(again < 2);
    begin();
    Failure failure;
    for (int64_t id = 0; id < 80 && !failure; ++id) failure = write(CDCRT_WRITE_PATCH, {row(id, "b", id)});
    if (!failure) failure = write(CDCRT_WRITE_PATCH, {row(1000, "b")});  // which is not there
    is_told = !target.missing.empty();
    if (!failure) failure = target.commit();
    CHECK(failure.code == (is_told ? CDCRT_OK : CDCRT_STALE_SCHEMA));
    if (failure) REQUIRE_FALSE(target.rollback());
    commits();  // the host looks at the table, in a transaction of its own
  }
}

TEST_CASE_FIXTURE(Later, "awaited later: whatever becomes of a transaction, it is what becomes of one in which every write is waited for") {
  for (const char* table : {"later", "waited"}) {
    const std::string name = table;
    by_tool(target,
            "ALTER TABLE " + name + " ADD CHECK (v <> 'bad'); ALTER TABLE " + name +
                " ADD UNIQUE (n) DEFERRABLE INITIALLY DEFERRED; CREATE FUNCTION fate_of_" + name +
                "() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.v = 'swallowed' THEN RETURN NULL; END IF; "
                "IF NEW.v = 'zero' THEN NEW.n := 1 / (NEW.n - NEW.n); END IF; RETURN NEW; END $$; CREATE TRIGGER fate BEFORE INSERT OR "
                "UPDATE ON " +
                name + " FOR EACH ROW EXECUTE FUNCTION fate_of_" + name + "();");
  }
  std::mt19937 random(7);
  const auto below = [&](unsigned count) { return static_cast<int64_t>(random() % count); };
  const std::vector<std::string> values = {"a", "b", "c", "d", "a", "b", "c", "d", "a", "b", "bad", "swallowed", "zero"};
  struct Write {
    cdcrt_write_kind kind;
    std::vector<Row> rows;
  };
  struct End {
    int32_t code;
    std::string sqlstate;
    std::vector<std::vector<uint64_t>> missing;
    bool operator==(const End&) const = default;
  };
  int again = 0, committed = 0;
  const auto run = [&](const std::string& table, const std::vector<Write>& writes) {
    for (int attempt = 0;; ++attempt) {
      End end{};
      REQUIRE_FALSE(target.begin());
      if (table == "later") REQUIRE_FALSE(target.expect({table}));
      Failure failure;
      for (const Write& each : writes) {
        failure = target.write(each.kind, table, kColumns, each.rows);
        if (failure) break;
        end.missing.push_back(target.missing);
      }
      if (!failure) failure = target.commit();
      if (failure) REQUIRE_FALSE(target.rollback());
      end.code = failure.code;
      end.sqlstate = failure.sqlstate;
      if (failure.code == CDCRT_STALE_SCHEMA && attempt < 2) {
        ++again;
        continue;
      }
      return end;
    }
  };
  for (int round = 0; round < 400; ++round) {
    std::vector<Write> writes;
    for (int64_t count = 1 + below(3); count > 0; --count) {
      static constexpr cdcrt_write_kind kKinds[] = {CDCRT_WRITE_UPSERT, CDCRT_WRITE_UPSERT, CDCRT_WRITE_PATCH,
                                                    CDCRT_WRITE_DELETE, CDCRT_WRITE_APPEND, CDCRT_WRITE_REPLACE};
      Write write{kKinds[below(6)], {}};
      for (int64_t id = below(4); id < 20 && write.rows.size() < 4; id += 1 + below(8))
        write.rows.push_back(
            row(id, values[static_cast<std::size_t>(below(round % 3 == 0 ? 13 : 4))], below(3) == 0 ? below(30) : 100 + 50 * round + id));
      writes.push_back(std::move(write));
    }
    const End later = run("later", writes), waited = run("waited", writes);
    CHECK(later.code == waited.code);
    CHECK(later.sqlstate == waited.sqlstate);
    if (later.code == CDCRT_OK) {
      ++committed;
      CHECK(later.missing == waited.missing);
    }
    REQUIRE(target.read("later", kColumns) == target.read("waited", kColumns));
  }
  CHECK(again > 3);
  CHECK(committed > 100);
}
