#include <doctest/doctest.h>

#include "apply/orders.hpp"

using namespace cdcrt;
using namespace cdcrt::rig;

namespace {

route::Route append_only() {
  route::Route route;
  route.mode = route::Mode::kAppend;
  route.metadata = {{route::Metadata::kOperation, "_op"}, {route::Metadata::kOffset, "_offset"}};
  return route;
}

}  // namespace

TEST_CASE("append: every change is a row more, also a delete, whatever the batches") {
  for (const bool apart : {false, true}) {
    Rig rig(append_only());
    for (const Event& event :
         {insert(1, text("x"), integer(1)), update(1, text("y"), integer(2)), update(1, text("y"), integer(2)), remove(1)}) {
      rig.send(event);
      if (apart) REQUIRE(rig.write());
    }
    REQUIRE(rig.write());
    CHECK(
        rig.rows() ==
        "id=1,a='x',b=1,_op='c',_offset=0; id=1,a='y',b=2,_op='u',_offset=1; id=1,a='y',b=2,_op='u',_offset=2; id=1,a=NULL,b=NULL,_op='d',_offset=3");
    CHECK(rig.written_dead_letters().empty());
  }
}

TEST_CASE("append: what is read again is not doubled, and metadata columns stay what they are") {
  Rig rig(append_only());
  rig.send_all({insert(1, text("x"), integer(1)), update(1, text("y"), null())});
  REQUIRE(rig.write());
  const std::string before = rig.rows();
  rig.restart();
  REQUIRE(rig.write());
  CHECK(rig.rows() == before);
  rig.send(insert(2, text("z"), null()));
  REQUIRE(rig.write());
  CHECK(rig.rows() == before + "; id=2,a='z',b=NULL,_op='c',_offset=2");
}

TEST_CASE("append: rows of several partitions meet, and a truncate takes none away") {
  Rig rig(append_only(), 2);
  rig.send(insert(1, text("x"), null()), 0);
  rig.send(update(1, text("y"), null()), 1);
  rig.send(truncate("9"), 0);
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,a='x',b=NULL,_op='c',_offset=0; id=1,a='y',b=NULL,_op='u',_offset=0");
}

TEST_CASE("append: a refused change is one dead letter, the others are written") {
  Rig rig(append_only());
  rig.database.refuses = [](const memory_sink::Row& row) { return row.contains("a") && row.at("a").find("bad") != std::string::npos; };
  rig.send_all({insert(1, text("x"), null()), update(1, text("bad"), null()), update(1, text("y"), null())});
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,a='x',b=NULL,_op='c',_offset=0; id=1,a='y',b=NULL,_op='u',_offset=2");
  CHECK(rig.written_dead_letters().size() == 1);
}

TEST_CASE("append: a truncate that is read before the first row of a snapshot without order stops no table") {
  route::Route route = append_only();
  route.primary_key = {"b"};
  Rig rig(route, 2);
  rig.send(truncate("03"), 0);
  rig.send({CDCRT_SNAPSHOT, orders(), {integer(1), text("old"), integer(1)}, {}}, 1);
  rig.send(insert(2, text("new"), integer(2), "05"), 1);
  CHECK(rig.table->stopped() == "");
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,a='old',b=1,_op='r',_offset=0; id=2,a='new',b=2,_op='c',_offset=1");
}
