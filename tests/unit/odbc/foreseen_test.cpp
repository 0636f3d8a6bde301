// Rows of the host's own that a committed transaction had locked are told to the next one before the server is asked, which proves them.
#include <doctest/doctest.h>

#include <map>
#include <random>

#include "target.hpp"

namespace {

using Rows = std::vector<std::string>;

cdcrt_column of_host(cdcrt_column made) {
  made.flags |= CDCRT_COLUMN_OF_HOST;
  return made;
}

const std::vector<cdcrt_column> kPlain = {column("id", CDCRT_TYPE_INT64, 1), column("v", CDCRT_TYPE_STRING)};
const std::vector<cdcrt_column> kLeases = {of_host(column("topic", CDCRT_TYPE_STRING, 1)), of_host(column("number", CDCRT_TYPE_INT64, 2)),
                                           of_host(column("epoch", CDCRT_TYPE_INT64)), of_host(column("owner", CDCRT_TYPE_STRING))};

struct Foreseen {
  Target target{postgresql_options("libpq")};

  Foreseen() {
    by_tool(target, "DROP SCHEMA public CASCADE; CREATE SCHEMA public;");
    REQUIRE_FALSE(target.create("rows", kPlain));
    REQUIRE_FALSE(target.create("leases", kLeases));
    by_tool(target, "INSERT INTO leases VALUES ('t', 0, 1, 'a'), ('t', 1, 1, ''), ('t', 2, 1, NULL);");
    // Only after a COMMIT may statements travel with others; then one transaction to learn from.
    for (int i = 0; i < 2; ++i) CHECK_FALSE(transaction(0));
  }
  Rows locked(const std::vector<Row>& keys = {{str("t"), i64(0)}}) { return target.read("leases", kLeases, keys, CDCRT_LOCK_SHARE); }
  /// Reads the lease, and writes a row.
  Failure transaction(int64_t id) {
    REQUIRE_FALSE(target.begin());
    seen = locked();
    Failure failure = target.last_read;
    if (!failure) failure = target.write(CDCRT_WRITE_UPSERT, "rows", kPlain, {{i64(id), str("x")}});
    if (!failure) failure = target.commit();
    if (failure) REQUIRE_FALSE(target.rollback());
    return failure;
  }
  Rows seen;
};

}  // namespace

TEST_CASE_FIXTURE(
    Foreseen, "foreseen: what another session changed fails the transaction that was told the old row, and the next is told the new one") {
  by_tool(target, "UPDATE leases SET epoch = 2, owner = 'b' WHERE number = 0;");
  CHECK(transaction(7).code == CDCRT_BUSY);
  CHECK(seen == Rows{"string:t|i64:0|i64:1|string:a"});  // before the server was asked
  CHECK(target.read("rows", kPlain, {{i64(7)}}).empty());
  CHECK_FALSE(transaction(7));
  CHECK(seen == Rows{"string:t|i64:0|i64:2|string:b"});
  by_tool(target, "DELETE FROM leases WHERE number = 0;");
  CHECK(transaction(8).code == CDCRT_BUSY);
  CHECK_FALSE(transaction(8));
  CHECK(seen.empty());
}

TEST_CASE_FIXTURE(Foreseen, "foreseen: COMMIT alone proves it, also where nothing is written") {
  by_tool(target, "UPDATE leases SET epoch = 2 WHERE number = 0;");
  REQUIRE_FALSE(target.begin());
  CHECK(locked() == Rows{"string:t|i64:0|i64:1|string:a"});
  CHECK(target.commit().code == CDCRT_BUSY);
  REQUIRE_FALSE(target.rollback());
}

TEST_CASE_FIXTURE(Foreseen, "foreseen: asked again in its transaction the server answers") {
  REQUIRE_FALSE(target.begin());
  const Rows first = locked();
  CHECK(locked() == first);
  REQUIRE_FALSE(target.commit());
  by_tool(target, "UPDATE leases SET epoch = 2 WHERE number = 0;");
  REQUIRE_FALSE(target.begin());
  CHECK(locked() == first);
  CHECK(locked().empty());
  CHECK(target.last_read.code == CDCRT_BUSY);
  REQUIRE_FALSE(target.rollback());
}

TEST_CASE_FIXTURE(Foreseen, "foreseen: what a connection of the sink changed is known to the others at once") {
  target.switch_connection();
  for (int64_t epoch = 2; epoch < 5; ++epoch) {
    REQUIRE_FALSE(target.begin());
    REQUIRE_FALSE(target.write(CDCRT_WRITE_UPSERT, "leases", kLeases, {{str("t"), i64(0), i64(epoch), str("c")}}));
    REQUIRE_FALSE(target.commit());
    target.switch_connection();
    CHECK_FALSE(transaction(epoch));
    CHECK(seen == Rows{"string:t|i64:0|i64:" + std::to_string(epoch) + "|string:c"});
  }
}

TEST_CASE_FIXTURE(Foreseen, "foreseen: nothing is learned from a transaction that was given up") {
  by_tool(target, "UPDATE leases SET epoch = 2 WHERE number = 0;");
  CHECK(transaction(1));
  REQUIRE_FALSE(target.begin());
  CHECK(locked() == Rows{"string:t|i64:0|i64:2|string:a"});
  REQUIRE_FALSE(target.rollback());
  by_tool(target, "UPDATE leases SET epoch = 3 WHERE number = 0;");
  CHECK_FALSE(transaction(1));
  CHECK(seen == Rows{"string:t|i64:0|i64:3|string:a"});
}

TEST_CASE_FIXTURE(Foreseen, "foreseen: whoever changes the row waits for the transaction that it was proven in") {
  REQUIRE_FALSE(target.begin());
  CHECK(locked().size() == 1);
  REQUIRE_FALSE(target.write(CDCRT_WRITE_UPSERT, "rows", kPlain, {{i64(1), str("y")}}));  // by now the server has the lock
  CHECK(by_tool(target, "SET lock_timeout = '100ms'; UPDATE leases SET epoch = 9 WHERE number = 0;").find("lock timeout") !=
        std::string::npos);
  REQUIRE_FALSE(target.commit());
}

TEST_CASE_FIXTURE(Foreseen, "foreseen: every transaction that is committed was told what the table held, whoever changed it") {
  std::mt19937 random(1);
  const auto chance = [&](unsigned percent) { return random() % 100 < percent; };
  const std::vector<std::string> owners = {"'a'", "''", "NULL", "'(b,\"c|)'", "'(\\\\d'"};
  uint64_t failed = 0, foreseen = 0;
  for (int64_t round = 0; round < 150; ++round) {
    if (chance(20)) {
      const std::string number = std::to_string(random() % 4);
      if (chance(20))
        by_tool(target, "DELETE FROM leases WHERE number = " + number + ";");
      else
        by_tool(target, "INSERT INTO leases VALUES ('t', " + number + ", " + std::to_string(round) + ", " +
                            owners[random() % owners.size()] +
                            ") ON CONFLICT (topic, number) DO UPDATE SET epoch = EXCLUDED.epoch, owner = EXCLUDED.owner;");
    }
    if (chance(20)) target.switch_connection();
    std::vector<Row> keys;
    for (int64_t number = 0; number < 4; ++number) {
      if (chance(60)) keys.push_back({str("t"), i64(number)});
    }
    if (keys.empty()) continue;
    const Rows held = target.read("leases", kLeases, keys);
    REQUIRE_FALSE(target.begin());
    const Rows told = locked(keys);
    Failure failure = target.last_read;
    const bool writes_lease = chance(10);
    if (!failure && writes_lease)
      failure = target.write(CDCRT_WRITE_UPSERT, "leases", kLeases, {{keys[0][0], keys[0][1], i64(1000 + round), str("w")}});
    if (!failure && chance(90)) failure = target.write(CDCRT_WRITE_UPSERT, "rows", kPlain, {{i64(round), str("x")}});
    if (!failure && chance(90))
      failure = target.commit();
    else if (!failure)
      failure.code = -1;  // given up
    if (failure.code > 0) {
      CHECK(failure.code == CDCRT_BUSY);
      CHECK(told != held);
      ++failed;
    } else {
      CHECK((failure || told == held));
      ++foreseen;
    }
    if (failure) REQUIRE_FALSE(target.rollback());
  }
  CHECK(failed > 5);
  CHECK(foreseen > 50);
}
