// RenamedTable: shapes and a table's knowledge for tests of columns that get another name.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "evolution/table_knowledge.hpp"
#include "types/type.hpp"

namespace cdcrt::test {

using evolution::ShapeMap;
using evolution::TableKnowledge;

struct NamedColumn {
  const char* name;
  const char* former = "";
};

inline event::Shape row_shape(uint32_t id, std::vector<const char*> names, const char* key = "id") {
  event::Shape made;
  made.id = id;
  made.declared = made.keyed = made.key_in_one_partition = true;
  for (const char* name : names)
    made.columns.push_back({name, types::type_of(CDCRT_TYPE_INT32), 0, std::string(name) == key ? 1U : 0U, {}, {}});
  return made;
}

inline event::Shape definition_of(uint32_t id, std::vector<NamedColumn> columns) {
  event::Shape made;
  made.id = id;
  made.declared = true;
  for (const NamedColumn& column : columns) made.columns.push_back({column.name, {}, 0, 0, {}, column.former});
  return made;
}

/// With types and key: such definitions may come in any partition, so that a later one is read first.
inline event::Shape typed_definition(uint32_t id, const std::vector<NamedColumn>& columns) {
  event::Shape made = row_shape(id, {});
  for (const NamedColumn& column : columns)
    made.columns.push_back(
        {column.name, types::type_of(CDCRT_TYPE_INT32), 0, std::string(column.name) == "id" ? 1U : 0U, {}, column.former});
  return made;
}

/// A table id, a that a definition made known.
struct RenamedTable {
  route::Route route;
  TableKnowledge knowledge{route};
  event::Shape before = row_shape(1, {"id", "a"}), after = row_shape(2, {"id", "b"});

  RenamedTable() {
    define(definition_of(10, {{"id"}, {"a"}}), "0");
    REQUIRE(knowledge.observe(before, "1", true));
  }
  void define(const event::Shape& shape, const char* order) {
    knowledge.expect_definitions();
    REQUIRE(knowledge.rename(shape, order));
    REQUIRE(knowledge.observe(shape, order, true, false, true));
  }
  ShapeMap row(const event::Shape& shape, const char* order) {
    auto map = knowledge.observe(shape, order, true);
    REQUIRE(map);
    return **map;
  }
  const evolution::Column& column(uint32_t slot) { return knowledge.columns().at(slot); }
  uint32_t active() {
    uint32_t count = 0;
    for (const auto& each : knowledge.columns()) count += each.active ? 1 : 0;
    return count;
  }
};

using Slots = std::vector<int32_t>;

}  // namespace cdcrt::test
