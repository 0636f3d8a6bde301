#include <doctest/doctest.h>

#include "apply/orders.hpp"

using namespace cdcrt;
using namespace cdcrt::rig;

TEST_CASE("commit: a lost answer doubles nothing, whether it happened or not, whoever writes") {
  for (const auto& [happened, waits] : {std::pair(false, true), {true, true}, {false, false}, {true, false}}) {
    Rig rig;
    if (!waits) rig.start_writer(std::chrono::seconds(0));
    rig.send(append(text("x"), integer(1)));
    REQUIRE(rig.write());
    rig.send_all({append(text("x"), integer(1)), append(text("y"), integer(1))});
    (happened ? rig.database.lost_after_commit : rig.database.lost_before_commit) = 1;
    REQUIRE(rig.write());
    CHECK(rig.rows() == "a='x',b=1; a='x',b=1; a='y',b=1");
    CHECK(rig.stored_next(0) == 3);
    CHECK(rig.table->applied().inserted == 3);
    CHECK(rig.memory == 0);
  }
}

TEST_CASE("commit: a deadlock is tried again") {
  Rig rig;
  rig.database.deadlocks = 2;
  rig.send(insert(1, text("x"), integer(1)));
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,a='x',b=1");
  CHECK(rig.warnings == std::vector<std::string>{"waiting for the target: deadlock", "the target answers again"});
}

TEST_CASE("commit: a restart reads the log again and changes nothing") {
  Rig rig({}, 2);
  rig.send_all({append(text("x"), integer(1)), append(text("x"), integer(1))}, 0);
  REQUIRE(rig.write());
  rig.send(append(text("y"), integer(1)), 0);
  rig.restart();
  REQUIRE(rig.write());
  rig.restart();
  REQUIRE(rig.write());
  CHECK(rig.rows() == "a='x',b=1; a='x',b=1; a='y',b=1");
}

TEST_CASE("commit: a fenced process writes nothing, not even definitions") {
  Rig rig;
  rig.send(insert(1, text("x"), integer(1)));
  REQUIRE(rig.write());
  progress::Store other("shop", "db", "cdcrt", CDCRT_SINK_SCHEMAS, "there");
  auto sink = plugin::Sink::create(memory_sink::component(rig.database));
  REQUIRE(sink);
  auto connection = sink->open();
  REQUIRE(connection);
  REQUIRE(other.claim(*connection, {{"source", "topic", 0}}));
  const std::vector<Column> wide = {{"id", kInt, 1}, {"a", kText}, {"b", kInt}, {"c", kInt}};
  rig.send({CDCRT_INSERT, wide, {integer(2), text("y"), integer(1), integer(1)}});
  const auto written = rig.write();
  REQUIRE(!written);
  CHECK(written.error().code == CDCRT_FATAL);
  CHECK(rig.rows() == "id=1,a='x',b=1");
}

TEST_CASE("commit: a table that stops gives its memory back and keeps its progress") {
  Rig rig;
  rig.send(insert(1, text("x"), integer(1)));
  REQUIRE(rig.write());
  rig.send(insert(2, text("x"), integer(1)));
  rig.table->stop("told to", nullptr);
  rig.send(insert(3, text("x"), integer(1)));
  CHECK(rig.memory == 0);
  CHECK(!rig.table->ready());
  CHECK(rig.table->first_unapplied(*rig.partitions[0]) == 1);
}

TEST_CASE("commit: what is being written holds the low watermark until it is committed") {
  Rig rig;
  rig.send(insert(1, text("x"), integer(1)));
  REQUIRE(rig.write());
  rig.send_all({insert(2, text("x"), integer(1)), insert(3, text("x"), integer(1))});
  std::optional<int64_t> held;
  rig.database.before_commit = [&] { held = rig.table->first_unapplied(*rig.partitions[0]); };
  REQUIRE(rig.write());
  CHECK(held == 1);
  CHECK(!rig.table->first_unapplied(*rig.partitions[0]));
}

TEST_CASE("commit: a dead letter is there before the progress that passes its message") {
  Rig rig;
  Event bad = insert(1, text("x"), integer(1));
  bad.cells[0] = null();
  rig.send(bad);
  bool told = false;
  rig.database.before_commit = [&] { told = std::filesystem::exists(rig.dead_letters->path()); };
  REQUIRE(rig.write());
  CHECK(told);
}

TEST_CASE("commit: tables that are new are made in one transaction") {
  unsigned commits[2] = {};
  for (const bool has_neighbour : {false, true}) {
    Rig rig({}, 2);
    if (has_neighbour) rig.add_neighbour();
    rig.send(insert(1, text("x"), integer(1)), 0);
    if (has_neighbour) rig.send(insert(2, text("y"), integer(1)), 1);
    REQUIRE(rig.write());
    CHECK(rig.rows() == "id=1,a='x',b=1");
    CHECK(rig.database.show("shop.items") == (has_neighbour ? "id=2,a='y',b=1" : "(none)"));
    commits[has_neighbour ? 1 : 0] = rig.database.commits;
  }
  CHECK(commits[0] == commits[1]);
}

TEST_CASE("commit: a new table that is refused keeps no other one from being made") {
  Rig rig({}, 2);
  rig.add_neighbour();
  // Rows that somebody else wrote, in a table without a key: ours would be added to them.
  memory_sink::Table& there = rig.database.tables["shop.items"];
  there.columns = {{"a", kText, 0, ""}, {"b", kInt, 0, ""}};
  types::append_text(there.rows.emplace_back()["a"], text("old"));
  types::append_text(there.rows.back()["b"], integer(7));
  rig.send(insert(1, text("x"), integer(1)), 0);
  rig.send(append(text("y"), integer(1)), 1);
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,a='x',b=1");
  CHECK(rig.table->detached().empty());
  CHECK(rig.database.show("shop.items") == "a='old',b=7");
  CHECK(rig.neighbour->detached().find("has rows") != std::string::npos);
}

TEST_CASE("commit: where a batch deletes rows that it brought, the answer of its write is waited for") {
  for (const bool is_there : {false, true}) {
    Rig rig;
    if (is_there) rig.send(insert(1, text("x"), integer(1)));
    rig.send(insert(2, text("x"), integer(1)));
    REQUIRE(rig.write());
    rig.send_all({is_there ? update(1, text("y"), integer(1)) : insert(1, text("y"), integer(1)), remove(1)});
    rig.send(update(2, text("z"), integer(1)));
    auto sealed = rig.seal();
    REQUIRE(sealed);
    CHECK(apply::takes_back_rows(*sealed) != is_there);
    REQUIRE(rig.write(std::move(*sealed)));
    CHECK(rig.rows() == "id=2,a='z',b=1");
  }
}
