// Values that come without a type, of columns that a definition has declared.
#include <doctest/doctest.h>

#include "apply/orders.hpp"

using namespace cdcrt;
using namespace cdcrt::rig;

namespace {

Event definition(std::vector<Column> columns, std::string order) { return {CDCRT_DEFINITION, std::move(columns), {}, std::move(order)}; }

Event row(std::vector<Column> columns, std::vector<cdcrt_cell> cells, std::string order) {
  Event event{CDCRT_INSERT, std::move(columns), std::move(cells), std::move(order)};
  event.declared = false;
  return event;
}

}  // namespace

TEST_CASE("declared values: texts and numbers become what the definition declares") {
  Rig rig;
  rig.send(definition({{"id", kInt, 1},
                       {"d", types::type_of(CDCRT_TYPE_DATE)},
                       {"t", types::type_of(CDCRT_TYPE_TIMESTAMP)},
                       {"b", types::type_of(CDCRT_TYPE_BOOL)},
                       {"n", types::decimal_type(0, 0)},
                       {"i", types::type_of(CDCRT_TYPE_INT32)},
                       {"f", types::type_of(CDCRT_TYPE_FLOAT64)}},
                      "10"));
  rig.send(row({{"id", {}, 1}, {"d"}, {"t"}, {"b"}, {"n"}, {"i"}, {"f"}},
               {integer(1), text("1999-12-31"), text("2020-01-09T04:13:38Z"), text("true"), integer(5), text("42"),
                types::text_cell(CDCRT_DECIMAL, "1.25")},
               "20"));
  REQUIRE(rig.write());
  CHECK(rig.table->stopped() == "");
  CHECK(rig.written_dead_letters().empty());
  CHECK(rig.rows() == "id=1,d=1999-12-31,t=2020-01-09T04:13:38,b=true,n=5,i=42,f=1.25");
}

TEST_CASE("declared values: what is too long or too large widens the column, and what is of another kind is a dead letter") {
  Rig rig;
  rig.send(definition(
      {{"id", kInt, 1}, {"s", types::string_type(3)}, {"i", types::type_of(CDCRT_TYPE_INT32)}, {"d", types::type_of(CDCRT_TYPE_DATE)}},
      "10"));
  rig.send(row({{"id", {}, 1}, {"s"}, {"i"}, {"d"}}, {integer(1), text("longer"), integer(3'000'000'000), null()}, "20"));
  rig.send(row({{"id", {}, 1}, {"s"}, {"i"}, {"d"}}, {integer(2), text("x"), integer(1), text("0000-00-00")}, "30"));
  REQUIRE(rig.write());
  CHECK(rig.written_dead_letters().size() == 1);
  CHECK(rig.rows() == "id=1,s='longer',i=3000000000,d=NULL");
}

TEST_CASE("declared values: a number that is spelled as a text and too large widens the column as a number does") {
  Rig rig;
  rig.send(definition({{"id", kInt, 1},
                       {"i", types::type_of(CDCRT_TYPE_INT32)},
                       {"u", types::type_of(CDCRT_TYPE_INT64)},
                       {"n", types::decimal_type(4, 2)},
                       {"w", types::type_of(CDCRT_TYPE_INT16)}},
                      "10"));
  rig.send(row({{"id", {}, 1}, {"i"}, {"u"}, {"n"}, {"w"}},
               {integer(1), text("3000000000"), text("18446744073709551615"), text("12345.678"), text("7")}, "20"));
  rig.send(row({{"id", {}, 1}, {"i"}, {"u"}, {"n"}, {"w"}}, {integer(2), text("1"), text("2"), text("3"), text("many")}, "30"));
  REQUIRE(rig.write());
  CHECK(rig.written_dead_letters().size() == 1);
  CHECK(rig.rows() == "id=1,i=3000000000,u=18446744073709551615,n=12345.678,w=7");
}
