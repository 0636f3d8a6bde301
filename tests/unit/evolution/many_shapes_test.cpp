#include <doctest/doctest.h>

#include <random>
#include <string>

#include "cdcrt/sdk/status.hpp"
#include "event/row_batch.hpp"
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

uint32_t intern(event::RowBatch& batch, const std::vector<std::string>& names, const std::string& table = "t") {
  std::vector<cdcrt_column> columns(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) columns[i].name = sdk::borrow(names[i]);
  cdcrt_shape shape{};
  shape.size = sizeof shape;
  shape.table = sdk::borrow(table);
  shape.columns = columns.data();
  shape.column_count = static_cast<uint32_t>(columns.size());
  shape.column_size = sizeof(cdcrt_column);
  return batch.abi()->intern(batch.abi(), &shape);
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

TEST_CASE("shapes: of ever new sets of columns only the last are kept, and those of rows that are still there") {
  std::mt19937 chance(1);
  std::vector<std::string> all;
  for (int i = 0; i < 300; ++i) all.push_back("column_" + std::to_string(i));
  event::ShapeRegistry registry;
  event::RowBatch kept(registry), batch(registry);
  const uint32_t id = intern(kept, all);
  CHECK(intern(kept, all) == id);
  CHECK(intern(batch, all) == id);
  std::size_t renewals = 0;
  uint64_t last = 0;
  for (int i = 0; i < 6000; ++i) {
    const uint64_t known = batch.shape_generation();
    if (batch.renew_shapes() != known) ++renewals;
    std::vector<std::string> some;
    for (const auto& name : all) {
      if (chance() % 2 == 0) some.push_back(name);
    }
    const event::Shape& shape = registry.get(intern(batch, some));
    REQUIRE(shape.columns.size() == some.size());
    REQUIRE(shape.id > last);
    last = shape.id;
    REQUIRE(registry.bytes() < 3 * event::ShapeRegistry::kMaximumBytes);
  }
  CHECK(renewals > 2);
  REQUIRE(registry.find(id) != nullptr);
  CHECK(registry.get(id).columns.size() == 300);
  event::RowBatch copy(registry);
  copy.keep_shapes_of(kept);
  kept.give_up_shapes();
  CHECK(registry.find(id) != nullptr);
  copy.clear();
  CHECK(registry.find(id) == nullptr);
  CHECK(registry.bytes() < 2 * event::ShapeRegistry::kMaximumBytes);
}

TEST_CASE("shapes: very many tables are no reason to begin anew, all of them are known again") {
  std::vector<std::string> names;
  for (int i = 0; i < 60; ++i) names.push_back("column_" + std::to_string(i));
  event::ShapeRegistry registry;
  event::RowBatch batch(registry);
  const uint64_t generation = batch.shape_generation();
  std::vector<uint32_t> ids;
  const auto intern_all = [&](const auto& take) {
    for (int table = 0; table < 4000; ++table) {
      REQUIRE(batch.renew_shapes() == generation);
      take(intern(batch, names, "t" + std::to_string(table)));
    }
  };
  intern_all([&](uint32_t id) { ids.push_back(id); });
  REQUIRE(registry.bytes() > event::ShapeRegistry::kMaximumBytes);
  std::size_t next = 0;
  intern_all([&](uint32_t id) { REQUIRE(id == ids[next++]); });
}
