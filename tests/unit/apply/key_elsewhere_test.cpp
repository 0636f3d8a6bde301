// Rows of tables whose events do not tell the key: never applied before it is known.
#include <doctest/doctest.h>

#include "apply/orders.hpp"

using namespace cdcrt;
using namespace cdcrt::rig;

namespace {

std::vector<Column> columns() { return {{"id", kInt}, {"a", kText}, {"b", kInt}}; }

Event row(uint8_t operation, int64_t id, cdcrt_cell a, std::string order) {
  Event event{operation, columns(), {integer(id), a, integer(0)}, std::move(order)};
  event.key_elsewhere = true;
  return event;
}

Event definition(std::string order, std::vector<Column> of = orders()) {
  Event event{CDCRT_DEFINITION, std::move(of), {}, std::move(order)};
  event.keyed = true;
  return event;
}

}  // namespace

TEST_CASE(
    "key elsewhere: rows wait, without memory and without holding others up, and are read in order once another partition tells the key") {
  Rig rig({}, 3);
  rig.send_all({row(CDCRT_INSERT, 1, text("one"), "1"), row(CDCRT_UPDATE, 1, text("three"), "3")});
  rig.send(row(CDCRT_UPDATE, 1, text("two"), "2"), 1);
  CHECK(rig.table->detached().find("its key is not known") == 0);
  CHECK(rig.table->detached().find("primary_keys = { \"shop.orders\" = [\"id\"] }") != std::string::npos);
  CHECK(rig.table->waits_for_key());
  CHECK(rig.memory == 0);
  CHECK_FALSE(rig.read_back());
  REQUIRE(rig.write());
  CHECK(rig.stored_next(0) == -1);
  rig.send(definition("4"), 2);
  CHECK_FALSE(rig.table->waits_for_key());
  CHECK(rig.read_back());
  CHECK(rig.rows() == "id=1,a='three',b=0");
  CHECK(rig.stored_next(0) == 2);
  CHECK(rig.stored_next(2) == 1);
  rig.send(row(CDCRT_UPDATE, 1, text("five"), "5"), 1);
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,a='five',b=0");
  CHECK(rig.written_dead_letters().empty());
}

TEST_CASE("key elsewhere: rows wait for a definition that comes after them, in the same batch or a later one of the same partition") {
  for (const bool together : {true, false}) {
    CAPTURE(together);
    Rig rig;
    if (together) {
      rig.send_all({row(CDCRT_INSERT, 1, text("one"), "1"), definition("2"), row(CDCRT_UPDATE, 1, text("three"), "3")});
    } else {
      rig.send(row(CDCRT_INSERT, 1, text("one"), "1"));
      rig.send(definition("2"));
      rig.send(row(CDCRT_UPDATE, 1, text("three"), "3"));
    }
    CHECK(rig.table->is_detached() != together);
    REQUIRE(rig.write());
    CHECK(rig.read_back());
    CHECK(rig.rows() == "id=1,a='three',b=0");
  }
}

TEST_CASE("key elsewhere: a definition holds after a restart, one that says that there is no key too") {
  for (const bool has_key : {true, false}) {
    CAPTURE(has_key);
    Rig rig({}, 2);
    rig.send(definition("1", has_key ? orders() : columns()), has_key ? 1 : 0);
    REQUIRE(rig.write());
    rig.restart();
    rig.send(row(CDCRT_INSERT, 1, text("twin"), "2"));
    rig.send(row(CDCRT_INSERT, 1, text("twin"), "3"));
    CHECK_FALSE(rig.table->is_detached());
    REQUIRE(rig.write());
    CHECK(rig.rows() == (has_key ? "id=1,a='twin',b=0" : "id=1,a='twin',b=0; id=1,a='twin',b=0"));
    rig.restart();
    rig.send(row(CDCRT_INSERT, 2, text("other"), "4"));
    REQUIRE(rig.write());
    CHECK(rig.rows().find("id=2,a='other',b=0") != std::string::npos);
  }
}

TEST_CASE("key elsewhere: after a restart rows and their definition are read again") {
  Rig rig({}, 2);
  rig.send(row(CDCRT_INSERT, 1, text("one"), "1"));
  rig.send(definition("2"), 1);
  rig.restart();
  REQUIRE(rig.write());
  CHECK(rig.read_back());
  CHECK(rig.rows() == "id=1,a='one',b=0");
}

TEST_CASE("key elsewhere: a batch that is being written when a row without its key comes is finished first") {
  Rig rig({}, 2);
  // A definition that says nothing of the key.
  Event silent{CDCRT_DEFINITION, columns(), {}, "1"};
  silent.key_elsewhere = true;
  rig.send(silent);
  auto sealed = rig.seal();
  REQUIRE(sealed);
  rig.send(row(CDCRT_INSERT, 1, text("one"), "2"));
  rig.send(row(CDCRT_INSERT, 2, text("two"), "3"), 1);
  CHECK_FALSE(rig.table->is_detached());
  REQUIRE(rig.write(std::move(*sealed)));
  CHECK(rig.table->waits_for_key());
  CHECK(rig.stored_next(0) == 1);
  rig.send(definition("4"), 1);
  CHECK(rig.read_back());
  CHECK(rig.rows() == "id=1,a='one',b=0; id=2,a='two',b=0");
}

TEST_CASE("key elsewhere: what another process stored of the key is taken over") {
  Rig rig;
  rig.send(row(CDCRT_INSERT, 1, text("one"), "1"));
  REQUIRE(rig.table->waits_for_key());
  progress::StoredTable stored;
  stored.version = 1;
  stored.key_known = true;
  evolution::Column id;
  id.source_name = id.target_name = "id";
  id.type = kInt;
  id.key_ordinal = 1;
  stored.columns = {id};
  rig.table->learn(stored);
  CHECK_FALSE(rig.table->waits_for_key());
  CHECK(rig.read_back());
  CHECK(rig.rows() == "id=1,a='one',b=0");
}

TEST_CASE("key elsewhere: a definition that is a dead letter tells its key to other processes too") {
  const std::string too_long(300, 'x');
  for (const bool is_unkeyable : {false, true}) {
    CAPTURE(is_unkeyable);
    Rig rig({}, 2);
    rig.limits.emplace().name_bytes = 100;
    rig.limits->unkeyable_types = is_unkeyable ? 1U << CDCRT_TYPE_JSON : 0;
    rig.restart();
    std::vector<Column> of = orders();
    if (is_unkeyable) {
      of[0].type = types::type_of(CDCRT_TYPE_JSON);
    } else {
      of.push_back({too_long.c_str(), kText});
    }
    rig.send(definition("1", of), 1);
    REQUIRE(rig.write());
    CHECK(rig.written_dead_letters().size() == 1);
    // What another process finds in the target.
    rig.restart();
    rig.send(row(CDCRT_INSERT, 1, text("one"), "2"));
    CHECK_FALSE(rig.table->waits_for_key());
    REQUIRE(rig.write());
    CHECK(rig.rows() == "id=1,a='one',b=0");
  }
}

TEST_CASE("key elsewhere: the manifest's key is enough, and rows of an append-only table need none") {
  route::Route by_rule;
  by_rule.fallback_key = {"id"};
  route::Route append;
  append.mode = route::Mode::kAppend;
  for (const auto& route : {by_rule, append}) {
    Rig rig(route);
    rig.send(row(CDCRT_INSERT, 1, text("one"), "1"));
    rig.send(row(CDCRT_UPDATE, 1, text("two"), "2"));
    CHECK_FALSE(rig.table->is_detached());
    REQUIRE(rig.write());
    CHECK(rig.rows().find("id=1,a='two',b=0") != std::string::npos);
  }
}

TEST_CASE("key elsewhere: a row without a column of the told key is a dead letter, not a row without key") {
  Rig rig;
  rig.send_all({row(CDCRT_INSERT, 1, text("one"), "1"), definition("2", {{"id", kInt}, {"line", kInt, 1}})});
  REQUIRE(rig.write());
  REQUIRE(rig.written_dead_letters().size() == 1);
  CHECK(rig.written_dead_letters()[0].find("key_missing") != std::string::npos);
}

TEST_CASE("key elsewhere: a definition from before a truncate, read after it, is kept over a restart") {
  Rig rig({}, 2);
  rig.send(truncate("30"), 0);
  REQUIRE(rig.write());
  rig.send(definition("10"), 1);
  REQUIRE(rig.write());
  rig.restart();
  rig.send(row(CDCRT_INSERT, 1, text("x"), "40"), 0);
  CHECK_FALSE(rig.table->is_detached());
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,a='x',b=0");
}

TEST_CASE("key elsewhere: a delete of a table without key that has a part of the columns takes no row that merely shares it") {
  for (const bool absent_is_null : {false, true}) {
    CAPTURE(absent_is_null);
    Rig rig;
    rig.send(definition("1", columns()));
    rig.send(row(CDCRT_INSERT, 1, text("x"), "2"));
    rig.send({CDCRT_INSERT, columns(), {integer(1), null(), null()}, "3"});
    Event part{CDCRT_DELETE, {{"id", kInt}}, {integer(1)}, "4"};
    part.declared = false;
    part.key_elsewhere = true;
    part.absent_is_null = absent_is_null;
    rig.send(part);
    REQUIRE(rig.write());
    CHECK(rig.rows() == (absent_is_null ? "id=1,a='x',b=0" : "id=1,a='x',b=0; id=1,a=NULL,b=NULL"));
    CHECK(rig.written_dead_letters().size() == (absent_is_null ? 0 : 1));
  }
}
