#include <doctest/doctest.h>

#include <string>

#include "evolution/table_knowledge.hpp"
#include "types/type.hpp"

using namespace cdcrt;

namespace {

event::Shape shape(uint32_t id, const std::vector<std::string>& names, bool declared) {
  event::Shape made;
  made.id = id;
  made.declared = declared;
  for (const auto& name : names) made.columns.push_back({name, types::type_of(CDCRT_TYPE_INT32), 0, 0, {}});
  return made;
}

}  // namespace

TEST_CASE("evolution: after a thousand other shapes it is still known when a column was seen last") {
  const auto is_dropped_at = [](const char* order) {
    route::Route route;
    evolution::TableKnowledge knowledge(route);
    REQUIRE(knowledge.observe(shape(0, {"id", "late"}, true), "5", true));
    REQUIRE(knowledge.observe(shape(0, {"id", "late"}, true), "7", true));
    for (uint32_t i = 1; i <= 1000; ++i) REQUIRE(knowledge.observe(shape(i, {"id", "c" + std::to_string(i % 40)}, false), "3", true));
    REQUIRE(knowledge.observe(shape(2000, {"id"}, true), order, true));
    return !knowledge.columns()[1].active;
  };
  CHECK(!is_dropped_at("6"));
  CHECK(!is_dropped_at("7"));
  CHECK(is_dropped_at("8"));
}
