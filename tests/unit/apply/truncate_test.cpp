#include <doctest/doctest.h>

#include <string>

#include <utility>

#include "apply/orders.hpp"
#include "cdcrt/sdk/source_order.hpp"

using namespace cdcrt;
using namespace cdcrt::rig;

TEST_CASE("truncate: rows before it go, rows after it stay") {
  Rig rig;
  rig.send(insert(1, text("x"), integer(1), "10"));
  REQUIRE(rig.write());
  rig.send_all({insert(2, text("x"), integer(1), "20"), truncate("30"), insert(3, text("x"), integer(1), "40")});
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=3,a='x',b=1");
}

TEST_CASE("truncate: later rows of another partition, written already, come back") {
  Rig rig({}, 2);
  rig.send(insert(1, text("x"), integer(1), "10"), 0);
  rig.send(insert(2, text("x"), integer(1), "20"), 1);
  REQUIRE(rig.write());
  rig.send(insert(3, text("x"), integer(1), "50"), 1);
  REQUIRE(rig.write());
  rig.send(truncate("30"), 0);
  CHECK(rig.partitions[1]->routed_next() == 1);
  REQUIRE(rig.write());
  CHECK(rig.rows() == "");
  CHECK(rig.stored_next(1) == 1);
  rig.follow_rewinds();
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=3,a='x',b=1");
  CHECK(rig.stored_next(1) == 2);
}

TEST_CASE("truncate: a batch read before the rewind is not taken") {
  Rig rig({}, 2);
  rig.send(insert(3, text("x"), integer(1), "50"), 1);
  rig.send(truncate("30"), 0);
  rig.send(insert(4, text("x"), integer(1), "60"), 1);  // generation 0: the rewind reads it again
  REQUIRE(rig.write());
  CHECK(rig.rows() == "");
  rig.follow_rewinds();
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=3,a='x',b=1; id=4,a='x',b=1");
}

TEST_CASE("truncate: a crash between the rewind and what is read again loses nothing") {
  Rig rig({}, 2);
  rig.send(insert(2, text("x"), integer(1), "20"), 1);
  rig.send(insert(3, text("x"), integer(1), "50"), 1);
  REQUIRE(rig.write());
  rig.send(truncate("30"), 0);
  REQUIRE(rig.write());
  rig.restart();
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=3,a='x',b=1");
}

TEST_CASE("truncate: a crash after the DDL of its batch and before its commit empties the table all the same") {
  Rig rig;
  rig.send(insert(1, text("x"), integer(1), "10"));
  REQUIRE(rig.write());
  const std::vector<Column> wide = {{"id", kInt, 1}, {"a", kText}, {"b", kInt}, {"c", kInt}};
  rig.send_all({truncate("30"), {CDCRT_INSERT, wide, {integer(2), text("y"), integer(1), integer(1)}, "40"}});
  // The transaction of the DDL commits; then the process dies.
  memory_sink::Tables survived;
  rig.database.before_commit = [&] {
    if (survived.empty()) survived = rig.database.tables;
  };
  REQUIRE(rig.write());
  rig.database.before_commit = {};
  rig.database.tables = survived;
  rig.restart();
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=2,a='y',b=1,c=1");
}

TEST_CASE("truncate: rows without order that follow it in its partition stay") {
  Rig rig;
  rig.send_all({insert(1, text("x"), integer(1), "10"), truncate("30"), insert(2, text("y"), integer(1))});
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=2,a='y',b=1");
}

TEST_CASE("truncate: without an order among several partitions the table stops and says why") {
  Rig rig({}, 2);
  rig.send(insert(1, text("x"), integer(1), "10"), 0);
  rig.send(insert(2, text("x"), integer(1)), 1);
  rig.send(truncate("30"), 0);
  CHECK(rig.table->stopped().find("no source order") != std::string::npos);
  CHECK(rig.memory == 0);
}

TEST_CASE("truncate: two rewinds of one partition read from where the one that is further back needs it") {
  std::vector<std::pair<int64_t, uint32_t>> seeks;
  progress::Partition partition("s", "t", 0, [&](auto&, int64_t offset, uint32_t generation) { seeks.emplace_back(offset, generation); });
  partition.routed(0, 100);
  CHECK(partition.rewind(50) == 1);
  partition.routed(1, 60);
  CHECK(partition.rewind(70) == 2);
  CHECK(seeks == std::vector<std::pair<int64_t, uint32_t>>{{50, 1}, {60, 2}});
}

TEST_CASE("truncate: one of another process leaves rows that were written after it where they are") {
  Rig rig({}, 2);
  rig.send(insert(1, text("x"), integer(1), "10"), 1);
  REQUIRE(rig.write());
  rig.send(insert(2, text("x"), integer(1), "40"), 1);
  REQUIRE(rig.write());
  rig.send(insert(3, text("x"), integer(1), "50"), 1);
  auto sealed = rig.table->seal();
  REQUIRE(sealed);
  progress::StoredTable stored = rig.table->kept().row();
  stored.floor = "30";
  ++stored.version;
  rig.table->merge(stored, *sealed);
  // Only what was not durable is read again.
  CHECK(sealed->partitions.empty());
  CHECK(rig.partitions[1]->routed_next() == 2);
  CHECK(rig.table->first_unapplied(*rig.partitions[1]) == 2);
  rig.table->complete(*sealed);
  // Nothing that is read again may be for this table: it does not hold the rest back for ever.
  CHECK(rig.table->ready());
  rig.follow_rewinds();
  sealed = rig.table->seal();
  REQUIRE(sealed);
  REQUIRE(sealed->partitions.size() == 1);
  CHECK(sealed->partitions[0].next_offset == 3);
  CHECK(sealed->partitions[0].fold.entries().size() == 1);
}

TEST_CASE("truncate: one that is given up before it is written takes nothing back in other partitions") {
  Rig rig({}, 2);
  rig.send(insert(1, text("x"), integer(1), "20"), 1);
  rig.send(insert(2, text("x"), integer(1), "40"), 1);
  REQUIRE(rig.write());
  rig.send(insert(3, text("x"), integer(1), "50"), 1);
  rig.send(truncate("30"), 0);
  rig.partitions[0]->give_up();
  rig.table->forget(*rig.partitions[0]);
  rig.follow_rewinds();
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,a='x',b=1; id=2,a='x',b=1; id=3,a='x',b=1");
  CHECK(rig.stored_next(1) == 3);
}

TEST_CASE("truncate: one that is given up while it is written takes along what it sent back") {
  Rig rig({}, 2);
  rig.send(insert(1, text("x"), integer(1), "40"), 1);
  REQUIRE(rig.write());
  rig.send(truncate("30"), 0);
  auto sealed = rig.table->seal();
  REQUIRE(sealed);
  REQUIRE(sealed->clear);
  rig.partitions[0]->give_up();
  const auto stranded = sealed->drop_lost();
  CHECK_FALSE(sealed->clear);
  CHECK(stranded == std::vector<const progress::Partition*>{rig.partitions[1].get()});
}

TEST_CASE("truncate: a place asked for between giving up and taking is read from") {
  std::vector<int64_t> seeks;
  progress::Partition partition(
      "s", "t", 0, [&](auto&, int64_t offset, uint32_t) { seeks.push_back(offset); }, true);
  partition.rewind(3);
  partition.take(9, {});
  partition.give_up();
  partition.take(9, {});
  CHECK(seeks == std::vector<int64_t>{3, 9});
}

TEST_CASE("truncate: rows from before it that come while it is written go too, when its partition is given up meanwhile") {
  Rig rig({}, 2);
  rig.send(insert(1, text("x"), integer(1), "10"), 0);
  REQUIRE(rig.write());
  rig.send_all({truncate("30"), insert(2, text("x"), integer(1), "40")}, 0);
  bool given_up = false;
  rig.database.before_commit = [&] {
    if (std::exchange(given_up, true)) return;
    rig.table->forget(*rig.partitions[0]);
    rig.send(insert(3, text("x"), integer(1), "20"), 1);
  };
  REQUIRE(rig.write());
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=2,a='x',b=1");
}

TEST_CASE(
    "truncate: a batch that is being written is dropped when another process has emptied the table since, also when we have read that truncate") {
  Rig rig({}, 2);
  rig.send(insert(1, text("x"), integer(1), "10"), 0);
  REQUIRE(rig.write());
  rig.send(insert(2, text("x"), integer(1), "20"), 1);
  bool emptied = false, came_back = false;
  rig.database.before_commit = [&] {
    if (std::exchange(emptied, true)) {
      came_back = came_back || rig.rows().find("id=2") != std::string::npos;
      return;
    }
    rig.database.lost_before_commit = 1;
    rig.send(truncate("30"), 0);
  };
  // The other process, once this transaction is gone.
  rig.database.after_lost = [&] {
    auto& row = rig.database.tables.at("cdcrt.tables").rows.front();
    row.at("floor") = "!x4:MzA=";
    row.at("version") = "i1:9";
    rig.database.tables.at("shop.orders").rows.clear();
  };
  const auto written = rig.write();
  REQUIRE_MESSAGE(written, explain(written.error()));
  CHECK(!came_back);
  CHECK(rig.rows() == "");
}

TEST_CASE("truncate: a partition that is claimed while one waits to be written reads again what it had written after it") {
  Rig rig({}, 2);
  rig.send(insert(1, text("old"), integer(1), "01"), 0);
  rig.send(insert(2, text("later"), integer(1), "05"), 1);
  REQUIRE(rig.write());
  rig.table->forget(*rig.partitions[1]);
  rig.send(truncate("03"), 0);
  rig.claim(1, 1, "05");
  REQUIRE(rig.write());
  rig.follow_rewinds();
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=2,a='later',b=1");
}

TEST_CASE("truncate: a partition that one sends back while it is claimed is read from there, and not from where the claim begins") {
  Rig rig({}, 2);
  rig.send(insert(1, text("old"), integer(1), "01"), 0);
  rig.send(insert(2, text("later"), integer(1), "05"), 1);
  REQUIRE(rig.write());
  rig.table->forget(*rig.partitions[1]);
  rig.send(truncate("03"), 0);
  rig.claim(1, 1, "05");
  rig.table->begin_at(rig.partitions[1]->key(), 1);
  REQUIRE(rig.write());
  rig.follow_rewinds();
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=2,a='later',b=1");
}

TEST_CASE("truncate: a partition that one sends back while it is claimed is read from there, also where that is stored at once") {
  Rig rig({}, 2);
  rig.send(insert(1, text("old"), integer(1), "01"), 0);
  rig.send(insert(2, text("later"), integer(1), "05"), 1);
  REQUIRE(rig.write());
  rig.table->forget(*rig.partitions[1]);
  rig.send(truncate("03"), 0);
  rig.claim(1, 1, "05");
  REQUIRE(rig.write());
  CHECK(rig.stored_next(1) == 0);
  rig.table->begin_at(rig.partitions[1]->key(), 1);
  rig.follow_rewinds();
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=2,a='later',b=1");
}

TEST_CASE("truncate: a partition that one sends back to before its first row has no rows without order, also after a start") {
  Rig rig({}, 2);
  rig.send({CDCRT_DEFINITION, orders(), {}, {}}, 1);
  rig.send(insert(1, text("later"), integer(1), "05"), 1);
  rig.send(insert(2, text("old"), integer(1), "01"), 0);
  REQUIRE(rig.write());
  rig.send(truncate("03"), 0);
  REQUIRE(rig.write());
  CHECK(rig.stored_next(1) == 1);
  // The place is known: that the log begins there is no gap.
  rig.partitions[1]->log_begins_at(1);
  rig.follow_rewinds();
  CHECK(rig.table->stopped() == "");
  rig.restart();
  rig.send(truncate("07"), 0);
  rig.send(insert(3, text("last"), integer(1), "09"), 1);
  CHECK(rig.table->stopped() == "");
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=3,a='last',b=1");
}

TEST_CASE("truncate: of rows without order it is not known after a start either whether one came after them") {
  Rig rig({}, 2);
  rig.send(insert(1, text("x"), integer(1), ""), 1);
  rig.send(insert(2, text("x"), integer(1), "01"), 0);
  REQUIRE(rig.write());
  rig.restart();
  rig.send(truncate("03"), 0);
  CHECK(rig.table->stopped().find("carry no source order") != std::string::npos);
}

TEST_CASE("truncate: rows of a snapshot without order are older than one that is read first, where the table's key crosses partitions") {
  route::Route route;
  route.primary_key = {"b"};
  Rig rig(route, 2);
  rig.send(truncate("03"), 0);
  rig.send({CDCRT_SNAPSHOT, orders(), {integer(1), text("old"), integer(1)}, {}}, 1);
  rig.send(insert(2, text("new"), integer(2), "05"), 1);
  CHECK(rig.table->stopped() == "");
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=2,a='new',b=2");
}

// What was written before a restart is read again from the beginning of the log, which retention has moved meanwhile.
static void after_retention(Rig& rig, const char* kept) {
  rig.send(insert(1, text("x"), integer(1), "20"), 1);
  rig.send(insert(2, text("x"), integer(1), kept), 1);
  rig.send(insert(3, text("x"), integer(1), "50"), 1);
  REQUIRE(rig.write());
  rig.restart();
  rig.send(truncate("30"), 0);
  CHECK(rig.partitions[1]->routed_next() == 0);
  REQUIRE(rig.write());
  CHECK(rig.rows() == "");
  rig.partitions[1]->log_begins_at(1);
  rig.replay(1, 1, rig.partitions[1]->generation());
  REQUIRE(rig.write());
}

TEST_CASE("truncate: rows after it come back when the log begins later, but not after it") {
  Rig rig({}, 2);
  after_retention(rig, "25");
  CHECK(rig.table->stopped() == "");
  CHECK(rig.rows() == "id=3,a='x',b=1");
}

TEST_CASE("truncate: when the log begins after it, rows may be missing, and the table stops with the choices") {
  Rig rig({}, 2);
  after_retention(rig, "40");
  CHECK(rig.table->stopped().find("may have been deleted by retention") != std::string::npos);
  CHECK(rig.table->stopped().find("--empty") != std::string::npos);
}

TEST_CASE("truncate: changes of a log that began anew stop the table and are not taken for older ones") {
  const auto order = [](uint64_t file, uint64_t time) {
    std::string out;
    sdk::append_order(out, file);
    sdk::append_order(out, uint64_t{4});
    sdk::append_log(out, {time, time, "7", "binlog", {}, 0});
    return out;
  };
  Rig rig({}, 2);
  rig.send(truncate(order(1000, 1000)), 0);
  REQUIRE(rig.write());
  rig.send(insert(1, text("x"), integer(1), order(1, 5000)), 1);
  CHECK(rig.table->stopped().find("the log began anew") != std::string::npos);
  // In the truncate's own partition what follows it came after it, whatever its place in the log.
  Rig one({}, 1);
  one.send(truncate(order(1000, 1000)), 0);
  REQUIRE(one.write());
  one.send(insert(1, text("x"), integer(1), order(1, 5000)), 0);
  CHECK(one.table->stopped().empty());
  REQUIRE(one.write());
  CHECK(one.rows() == "id=1,a='x',b=1");
}

TEST_CASE("truncate: older truncates that are read again beside a refused row empty nothing") {
  const auto note = [](const char* word, int64_t number, const char* order) {
    Event event = append(text(word), integer(number));
    event.order = order;
    return event;
  };
  Rig rig({}, 2);
  rig.send_all({note("old", 1, "10"), truncate("20"), note("two", 2, "40"), note("bad", 3, "50")}, 0);
  REQUIRE(rig.write());
  rig.restart();  // of what partition 0 has read only its end is known
  rig.send_all({truncate("30"), note("one", 4, "35")}, 1);
  rig.database.refuses = [](const memory_sink::Row& row) { return row.contains("a") && row.at("a").find("bad") != std::string::npos; };
  rig.follow_rewinds();
  REQUIRE(rig.write());
  rig.follow_rewinds();
  REQUIRE(rig.write());
  CHECK(rig.rows() == "a='one',b=4; a='two',b=2");
  CHECK(rig.written_dead_letters().size() == 1);
}
