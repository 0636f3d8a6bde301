#include <doctest/doctest.h>

#include <filesystem>

#include "target.hpp"

namespace {

const cdcrt_column kId = column("id", CDCRT_TYPE_INT64, 1);

bool mentions(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

Options changed(Options options, const std::string& key, const std::string& value) {
  for (auto& pair : options.connection) {
    if (pair.first == key) pair.second = value;
  }
  return options;
}

}  // namespace

TEST_CASE("odbc: a missing driver is answered with those installed and the package to install") {
  const Failure failure = Target::try_open(Options{{{"Driver", "No Such Driver"}, {"PWD", "hunter22"}}, {}, "auto"});
  CHECK(failure.code == CDCRT_UNREACHABLE);
  CHECK(mentions(failure.message, "No Such Driver"));
  CHECK(mentions(failure.message, "SQLite3"));
  CHECK(mentions(failure.hint, "odbc-postgresql"));
  CHECK(mentions(failure.hint, "libsqliteodbc"));
}

TEST_CASE("odbc: settings that cannot be right are refused with the key at fault") {
  CHECK(Target::try_open(Options{}).config_key == "connection");
  CHECK(Target::try_open(Options{{{"Database", "x"}}, {}, "auto"}).config_key == "connection");
  CHECK(Target::try_open(Options{{{"Driver", "SQLite3"}, {"Data;base", "x"}}, {}, "auto"}).config_key == "connection");
  CHECK(Target::try_open(Options{{{"Driver", "SQLite3"}, {"driver", "x"}}, {}, "auto"}).config_key == "connection.driver");
  CHECK(Target::try_open(Options{{{"Driver", "SQLite3"}, {"Database", "a;b"}}, {}, "auto"}).config_key == "connection.Database");
  CHECK(Target::try_open(Options{{{"Driver", "SQLite3"}}, "both", "auto"}).config_key == "dsn");
  Options other = changed(postgresql_options(), "PWD", "plain");
  other.dialect = "sqlite";
  CHECK(Target::try_open(other).config_key == "dialect");
}

TEST_CASE("odbc: servers, users and databases that are not there have classes of their own, and no secret is told") {
  const auto refused = Target::try_open(changed(postgresql_options(), "Port", "1"));
  CHECK(refused.code == CDCRT_UNREACHABLE);
  const auto user = Target::try_open(changed(postgresql_options(), "UID", "nobody_here"));
  CHECK(user.code == CDCRT_AUTH);
  const auto database = Target::try_open(changed(postgresql_options(), "Database", "nothing_here"));
  CHECK(database.code == CDCRT_BAD_CONFIG);
  CHECK(database.config_key == "connection");
  for (const auto& failure : {refused, user, database}) CHECK_FALSE(mentions(failure.message + failure.hint, "s3cr3t"));
  CHECK(Target::try_open(sqlite_options("/nonexistent/folder/x.db")).code == CDCRT_UNREACHABLE);
}

TEST_CASE("odbc: a password with quotes and semicolons reaches the driver and leaves nothing behind") {
  // Trust authentication takes any password: that it connects shows that the string around it was not torn.
  Options options = postgresql_options();
  CHECK_FALSE(Target::try_open(changed(options, "PWD", "a;Server=elsewhere;{b}}c'\"")));
}

TEST_CASE("odbc: tables and columns that are not there mean a stale schema, on every path") {
  each_target([](Target& target) {
    REQUIRE_FALSE(target.create("t", {kId}));
    const cdcrt_column other = column("other", CDCRT_TYPE_STRING);
    const cdcrt_column other_key = column("other", CDCRT_TYPE_STRING, 1);
    REQUIRE_FALSE(target.write(CDCRT_WRITE_APPEND, "t", {kId}, {{i64(1)}}));
    for (const auto kind : {CDCRT_WRITE_APPEND, CDCRT_WRITE_UPSERT, CDCRT_WRITE_PATCH, CDCRT_WRITE_REPLACE, CDCRT_WRITE_REMOVE}) {
      CAPTURE(kind);
      CHECK(target.write(kind, "t", {kId, other}, {{i64(1), str("x")}}).code == CDCRT_STALE_SCHEMA);
      CHECK(target.write(kind, "nothing", {kId}, {{i64(1)}}).code == CDCRT_STALE_SCHEMA);
    }
    // A name that SQLite could take for a text constant must not become one: every row would match.
    CHECK(target.write(CDCRT_WRITE_DELETE, "t", {other_key}, {{str("other")}}).code == CDCRT_STALE_SCHEMA);
    CHECK(target.write(CDCRT_WRITE_CLEAR, "nothing", {}, {}).code == CDCRT_STALE_SCHEMA);
    target.read("t", {kId, other});
    CHECK(target.last_read.code == CDCRT_STALE_SCHEMA);
    CHECK(target.read("t", {kId}).size() == 1);
  });
}

TEST_CASE("odbc: constraints of the target make bad records") {
  each_target([](Target& target) {
    by_tool(target, "CREATE TABLE t (id bigint PRIMARY KEY, v bigint NOT NULL CHECK (v > 0));");
    const std::vector<cdcrt_column> columns = {kId, column("v", CDCRT_TYPE_INT64)};
    CHECK(target.write(CDCRT_WRITE_UPSERT, "t", columns, {{i64(1), null()}}).code == CDCRT_BAD_RECORD);
    CHECK(target.write(CDCRT_WRITE_UPSERT, "t", columns, {{i64(1), i64(-1)}}).code == CDCRT_BAD_RECORD);
    CHECK(target.read("t", columns).empty());
  });
}

TEST_CASE("odbc: a column that was widened by someone else is a stale schema, not a bad record") {
  Target target(postgresql_options());
  by_tool(target, "DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE t (id bigint PRIMARY KEY, v smallint);");
  const std::vector<cdcrt_column> columns = {kId, column("v", CDCRT_TYPE_INT64)};
  REQUIRE_FALSE(target.write(CDCRT_WRITE_UPSERT, "t", columns, {{i64(1), i64(1)}}));
  CHECK(target.write(CDCRT_WRITE_UPSERT, "t", columns, {{i64(1), i64(70'000)}}).code == CDCRT_BAD_RECORD);
  REQUIRE_FALSE(target.write(CDCRT_WRITE_UPSERT, "t", columns, {{i64(1), i64(1)}}));
  by_tool(target, "ALTER TABLE t ALTER v TYPE bigint;");
  CHECK(target.write(CDCRT_WRITE_UPSERT, "t", columns, {{i64(1), i64(70'000)}}).code == CDCRT_STALE_SCHEMA);
  CHECK_FALSE(target.write(CDCRT_WRITE_UPSERT, "t", columns, {{i64(1), i64(70'000)}}));
}

TEST_CASE("odbc: a lost connection is retried, also when it is noticed at commit") {
  Target target(postgresql_options());
  by_tool(target, "DROP SCHEMA public CASCADE; CREATE SCHEMA public;");
  REQUIRE_FALSE(target.create("t", {kId}));
  REQUIRE_FALSE(target.begin());
  REQUIRE_FALSE(target.write(CDCRT_WRITE_APPEND, "t", {kId}, {{i64(1)}}));
  by_tool(target, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cdcrt';");
  CHECK(target.commit().code == CDCRT_RETRY);
  CHECK(target.begin().code != CDCRT_OK);
  Target other(postgresql_options());
  REQUIRE_FALSE(other.begin());
  by_tool(other, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cdcrt';");
  CHECK(other.write(CDCRT_WRITE_APPEND, "t", {kId}, {{i64(1)}}).code == CDCRT_RETRY);
}

TEST_CASE("odbc: a missing right is the configuration's fault, and the hint says which") {
  Target target(postgresql_options());
  by_tool(
      target,
      "DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE t (id bigint PRIMARY KEY); DROP ROLE IF EXISTS reader; CREATE ROLE reader LOGIN; GRANT USAGE ON SCHEMA public TO reader;");
  Target reader(changed(postgresql_options(), "UID", "reader"));
  const Failure failure = reader.write(CDCRT_WRITE_APPEND, "t", {kId}, {{i64(1)}});
  CHECK(failure.code == CDCRT_BAD_CONFIG);
  CHECK(mentions(failure.hint, "permission denied for table t"));
  CHECK(reader.create("u", {kId}).code == CDCRT_BAD_CONFIG);
}

TEST_CASE("odbc: sqlite has one writer, and the other waits and is then retried") {
  const std::string file = "/tmp/cdcrt-one-writer.db";
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(file + suffix);
  Options options = sqlite_options(file);
  options.connection.emplace_back("Timeout", "100");
  {
    Target first(options);
    Target second(options);
    CHECK(first.limits().writers == 1);
    REQUIRE_FALSE(first.create("t", {kId}));
    REQUIRE_FALSE(first.begin());
    CHECK(second.begin().code == CDCRT_BUSY);
    REQUIRE_FALSE(first.commit());
    REQUIRE_FALSE(second.begin());
    REQUIRE_FALSE(second.rollback());
  }
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(file + suffix);
}

TEST_CASE("odbc: two sessions that create the same at once both succeed") {
  Target first(postgresql_options("PostgreSQL Unicode"));
  Target second(postgresql_options("PostgreSQL ANSI"));
  by_tool(first, "DROP SCHEMA public CASCADE; CREATE SCHEMA public;");
  REQUIRE_FALSE(first.create("t", {kId}));
  REQUIRE_FALSE(second.describe("t").columns.empty());
  REQUIRE_FALSE(first.add("t", column("x", CDCRT_TYPE_STRING)));
  REQUIRE_FALSE(second.add("t", column("x", CDCRT_TYPE_STRING)));
  REQUIRE_FALSE(second.create("t", {kId}));
}

TEST_CASE("odbc: the plugin describes itself") {
  const cdcrt_plugin& plugin = Target::plugin();
  CHECK(std::string(plugin.name) == "odbc");
  CHECK(plugin.kind == CDCRT_SINK);
  CHECK(std::string(plugin.notes).find("DECIMAL_TEXT({p},{s})") != std::string::npos);
  CHECK(std::string(plugin.notes).find("numeric(20,0)") != std::string::npos);
  for (uint32_t i = 0; i < plugin.option_count; ++i) CHECK(plugin.options[i].size == sizeof(cdcrt_option));
}
