#include <doctest/doctest.h>

#include "apply/orders.hpp"

using namespace cdcrt;
using namespace cdcrt::rig;

TEST_CASE("outage: of one table it is told once, also when a batch that failed with it got through meanwhile") {
  for (const char* table : {"shop.orders", "shop.items"}) {
    CAPTURE(table);
    Rig rig({}, 2);
    rig.add_neighbour();
    rig.send(insert(1, text("x"), integer(1)), 0);
    rig.send(insert(2, text("y"), integer(1)), 1);
    rig.database.unreachable[table] = 4;
    REQUIRE(rig.write());
    CHECK(rig.warnings == std::vector<std::string>{"waiting for the target: the disk is full", "the target answers again"});
    CHECK(rig.rows() == "id=1,a='x',b=1");
    CHECK(rig.database.show("shop.items") == "id=2,a='y',b=1");
  }
}

TEST_CASE("outage: a lost connection is no outage where a new one works") {
  for (const int dead : {1, 2}) {
    CAPTURE(dead);
    Rig rig;
    rig.send(insert(1, text("x"), integer(1)));
    REQUIRE(rig.write());
    rig.send(insert(2, text("y"), integer(1)));
    rig.database.dead_connections = dead;
    REQUIRE(rig.write());
    CHECK(rig.rows() == "id=1,a='x',b=1; id=2,a='y',b=1");
    CHECK(rig.warnings.size() == (dead == 1 ? 0U : 2U));
  }
}
