// What the sink on libpq does in its own way: statements that travel with others, statements that the server keeps, its connection's keys.
#include <doctest/doctest.h>

#include "target.hpp"

namespace {

using Rows = std::vector<std::string>;

cdcrt_column of_host(cdcrt_column made) {
  made.flags |= CDCRT_COLUMN_OF_HOST;
  return made;
}

const std::vector<cdcrt_column> kPlain = {column("id", CDCRT_TYPE_INT64, 1), column("v", CDCRT_TYPE_STRING)};
const std::vector<cdcrt_column> kOfHost = {of_host(column("id", CDCRT_TYPE_INT64, 1)), of_host(column("v", CDCRT_TYPE_STRING))};

void start_empty(Target& target) {
  by_tool(target, "DROP SCHEMA public CASCADE; CREATE SCHEMA public;");
  REQUIRE_FALSE(target.create("rows", kPlain));
  REQUIRE_FALSE(target.create("progress", kOfHost));
}

Failure open_with(std::vector<std::pair<std::string, std::string>> connection) {
  return Target::try_open(Options{std::move(connection), {}, "auto", "postgresql"});
}

}  // namespace

TEST_CASE("libpq: progress that a trigger swallows fails the transaction before it is committed, and is told when it is tried again") {
  Target target(postgresql_options("libpq"));
  start_empty(target);
  by_tool(target,
          "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; "
          "CREATE TRIGGER swallow BEFORE INSERT ON progress FOR EACH ROW EXECUTE FUNCTION swallow();");
  REQUIRE_FALSE(target.begin());
  REQUIRE_FALSE(target.write(CDCRT_WRITE_UPSERT, "rows", kPlain, {{i64(1), str("a")}}));
  CHECK_FALSE(target.write(CDCRT_WRITE_UPSERT, "progress", kOfHost, {{i64(1), str("10")}}));  // it is on its way
  CHECK(target.commit().code == CDCRT_BUSY);
  REQUIRE_FALSE(target.rollback());
  CHECK(target.read("rows", kPlain).empty());

  REQUIRE_FALSE(target.begin());
  CHECK(target.write(CDCRT_WRITE_UPSERT, "progress", kOfHost, {{i64(1), str("10")}}).code == CDCRT_UNSUPPORTED);
  REQUIRE_FALSE(target.rollback());

  by_tool(target, "DROP TRIGGER swallow ON progress;");
  for (int round = 0; round < 2; ++round) {
    REQUIRE_FALSE(target.begin());
    REQUIRE_FALSE(target.write(CDCRT_WRITE_UPSERT, "rows", kPlain, {{i64(1), str("a")}}));
    REQUIRE_FALSE(target.write(CDCRT_WRITE_UPSERT, "progress", kOfHost, {{i64(1), str(round == 0 ? "10" : "11")}}));
    REQUIRE_FALSE(target.commit());
  }
  CHECK(target.read("rows", kPlain) == Rows{"i64:1|string:a"});
  CHECK(target.read("progress", kOfHost) == Rows{"i64:1|string:11"});
}

TEST_CASE("libpq: what is refused on its way with others leaves nothing behind, and the connection goes on") {
  Target target(postgresql_options("libpq"));
  start_empty(target);
  by_tool(target, "ALTER TABLE progress ADD CHECK (v <> 'bad');");
  REQUIRE_FALSE(target.begin());
  REQUIRE_FALSE(target.write(CDCRT_WRITE_UPSERT, "progress", kOfHost, {{i64(1), str("bad")}}));
  // Whoever is waited for next is not to blame.
  CHECK(target.write(CDCRT_WRITE_UPSERT, "rows", kPlain, {{i64(1), str("a")}}).code == CDCRT_BUSY);
  REQUIRE_FALSE(target.rollback());
  REQUIRE_FALSE(target.begin());
  CHECK(target.write(CDCRT_WRITE_UPSERT, "progress", kOfHost, {{i64(1), str("bad")}}).code == CDCRT_BAD_RECORD);
  REQUIRE_FALSE(target.rollback());
  REQUIRE_FALSE(target.begin());
  REQUIRE_FALSE(target.write(CDCRT_WRITE_UPSERT, "progress", kOfHost, {{i64(1), str("good")}}));
  REQUIRE_FALSE(target.rollback());
  CHECK(target.read("progress", kOfHost).empty());
}

TEST_CASE("libpq: what the server cannot prepare on its way with others is not the fault of who is waited for next") {
  Target target(postgresql_options("libpq"));
  // Nothing was committed through the connection before, so that the first write of progress is waited for.
  by_tool(target,
          "DROP SCHEMA public CASCADE; CREATE SCHEMA public; "
          "CREATE TABLE rows (id bigint PRIMARY KEY, v text); CREATE TABLE progress (id bigint PRIMARY KEY, v text);");
  const auto write_progress = [&] { return target.write(CDCRT_WRITE_UPSERT, "progress", kOfHost, {{i64(1), str("10")}}); };
  const auto write_row = [&] { return target.write(CDCRT_WRITE_UPSERT, "rows", kPlain, {{i64(1), str("a")}}); };
  REQUIRE_FALSE(target.begin());
  REQUIRE_FALSE(write_progress());
  REQUIRE_FALSE(write_row());
  REQUIRE_FALSE(target.commit());
  by_tool(target, "ALTER TABLE progress RENAME TO elsewhere;");
  REQUIRE_FALSE(target.begin());
  REQUIRE_FALSE(write_progress());
  CHECK(write_row().code == CDCRT_BUSY);
  REQUIRE_FALSE(target.rollback());
  REQUIRE_FALSE(target.begin());
  const Failure failure = write_progress();
  CHECK((failure && failure.code != CDCRT_BUSY));
  REQUIRE_FALSE(target.rollback());
  by_tool(target, "ALTER TABLE elsewhere RENAME TO progress;");
  for (int round = 0; round < 2; ++round) {
    REQUIRE_FALSE(target.begin());
    REQUIRE_FALSE(write_progress());
    REQUIRE_FALSE(write_row());
    REQUIRE_FALSE(target.commit());
  }
  CHECK(target.read("progress", kOfHost) == Rows{"i64:1|string:10"});
}

TEST_CASE("libpq: statements that run often give the same as the first time, whatever became of the table meanwhile") {
  Target target(postgresql_options("libpq"));
  start_empty(target);
  for (int64_t i = 0; i < 14; ++i) {
    if (i == 7) by_tool(target, "ALTER TABLE rows ADD COLUMN more text; ALTER TABLE rows ALTER COLUMN v TYPE varchar(40);");
    REQUIRE_FALSE(target.begin());
    REQUIRE_FALSE(target.write(CDCRT_WRITE_UPSERT, "rows", kPlain, {{i64(i), str("a")}, {i64(100), str("b")}}));
    REQUIRE_FALSE(target.write(CDCRT_WRITE_PATCH, "rows", kPlain, {{i64(100), str("c")}}));
    REQUIRE_FALSE(target.write(CDCRT_WRITE_DELETE, "rows", kPlain, {{i64(i), null()}}));
    REQUIRE_FALSE(target.commit());
    CHECK(target.read("rows", kPlain, {{i64(100)}}) == Rows{"i64:100|string:c"});
  }
  CHECK(target.read("rows", kPlain).size() == 1);
}

TEST_CASE("libpq: keys of the connection that it does not know are refused with the one that is meant, and passwords are not told") {
  const Failure other = open_with({{"Server", "db"}});
  CHECK(other.code == CDCRT_BAD_CONFIG);
  CHECK(other.config_key == "connection.Server");
  CHECK(other.hint.find("host") != std::string::npos);
  CHECK(open_with({{"hots", "db"}}).config_key == "connection.hots");
  const Failure away = open_with({{"host", "127.0.0.1"}, {"port", "1"}, {"user", "postgres"}, {"password", "hunter22"}});
  CHECK(away.code == CDCRT_UNREACHABLE);
  CHECK(away.message.find("hunter22") == std::string::npos);
  Options options = postgresql_options("libpq");
  for (auto& [key, value] : options.connection) {
    if (key == "dbname") value = "nothing_here";
  }
  CHECK(Target::try_open(options).code == CDCRT_BAD_CONFIG);
}
