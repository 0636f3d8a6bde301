#include <doctest/doctest.h>

#include <algorithm>

#include "apply/rig.hpp"

using namespace cdcrt;
using namespace cdcrt::rig;

namespace {

const std::vector<Column> kColumns = {{"id", kInt, 1}, {"v", kText}};

route::Route append_route() {
  route::Route route;
  route.mode = route::Mode::kAppend;
  return route;
}

// What an operator's command does in its own process.
void accept_loss(Rig& rig) {
  for (auto& row : rig.database.tables.at("cdcrt.tables").rows) {
    row["accepts_loss"] = "i1:1";
    row["version"] = "i2:99";
  }
}

void forget_progress(Rig& rig) {
  std::erase_if(rig.database.tables, [](const auto& table) { return table.first.rfind("cdcrt.", 0) == 0; });
}

std::string trouble(const Rig& rig) { return rig.table->stopped() + rig.table->detached(); }

}  // namespace

TEST_CASE("loss: a table that is gone from the target is not made again without a word, also after a restart") {
  for (const bool restarts : {false, true}) {
    Rig rig;
    rig.send({CDCRT_INSERT, kColumns, {integer(1), text("a")}, "10"});
    REQUIRE(rig.write());
    rig.database.tables.erase("shop.orders");
    if (restarts) rig.restart();
    rig.send({CDCRT_INSERT, kColumns, {integer(2), text("b")}, "20"});
    (void)rig.write();
    CHECK(rig.rows() == "(none)");
    CHECK(trouble(rig).find("is not in the target any more") != std::string::npos);
    CHECK(trouble(rig).find("--empty") != std::string::npos);
    accept_loss(rig);
    rig.restart();
    REQUIRE(rig.write());
    CHECK(rig.rows() == "id=2,v='b'");
    CHECK(trouble(rig) == "");
    // That was said once.
    rig.database.tables.erase("shop.orders");
    rig.restart();
    rig.send({CDCRT_INSERT, kColumns, {integer(3), text("c")}, "30"});
    (void)rig.write();
    CHECK(rig.rows() == "(none)");
  }
}

TEST_CASE("loss: a column that is gone from the target is named, and added again only when that is accepted") {
  Rig rig;
  rig.send({CDCRT_INSERT, kColumns, {integer(1), text("a")}, "10"});
  REQUIRE(rig.write());
  auto& table = rig.database.tables.at("shop.orders");
  std::erase_if(table.columns, [](const auto& column) { return column.name == "v"; });
  for (auto& row : table.rows) row.erase("v");
  rig.restart();
  rig.send({CDCRT_INSERT, kColumns, {integer(2), text("b")}, "20"});
  (void)rig.write();
  CHECK(rig.rows() == "id=1");
  CHECK(trouble(rig).find("column 'v'") != std::string::npos);
  accept_loss(rig);
  rig.restart();
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,v=NULL; id=2,v='b'");
}

TEST_CASE("loss: a column that the source dropped is no loss") {
  Rig rig;
  rig.send({CDCRT_INSERT, kColumns, {integer(1), text("a")}, "10"});
  REQUIRE(rig.write());
  rig.send({CDCRT_INSERT, {{"id", kInt, 1}}, {integer(2)}, "20"});
  REQUIRE(rig.write());
  rig.restart();
  rig.send({CDCRT_INSERT, {{"id", kInt, 1}}, {integer(3)}, "30"});
  REQUIRE(rig.write());
  CHECK(trouble(rig) == "");
  CHECK(rig.rows() == "id=1; id=2; id=3");
}

TEST_CASE("loss: rows of an append table are not doubled where the progress is gone") {
  Rig rig(append_route());
  rig.send({CDCRT_INSERT, kColumns, {integer(1), text("a")}, "10"});
  rig.send({CDCRT_INSERT, kColumns, {integer(2), text("b")}, "20"});
  REQUIRE(rig.write());
  const std::string rows = rig.rows();
  forget_progress(rig);
  rig.restart();
  (void)rig.write();
  CHECK(rig.rows() == rows);
  CHECK(trouble(rig).find("no progress is kept of it") != std::string::npos);
  // The operator can name it now, and say so.
  accept_loss(rig);
  rig.restart();
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,v='a'; id=1,v='a'; id=2,v='b'; id=2,v='b'");
}

TEST_CASE("loss: an empty append table, and a table with a key, are taken as they are") {
  Rig rig(append_route());
  rig.database.tables["shop.orders"].columns = {{"id", kInt, 0, {}}, {"v", kText, 0, {}}};
  rig.send({CDCRT_INSERT, kColumns, {integer(1), text("a")}, "10"});
  REQUIRE(rig.write());
  CHECK(rig.rows() == "id=1,v='a'");
  Rig keyed;
  keyed.send({CDCRT_INSERT, kColumns, {integer(1), text("a")}, "10"});
  REQUIRE(keyed.write());
  forget_progress(keyed);
  keyed.restart();
  REQUIRE(keyed.write());
  CHECK(keyed.rows() == "id=1,v='a'");
}
