#include "runtime/flow.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace cdcrt::runtime;

namespace {

std::vector<std::string> names_of(const Flows& flows) {
  std::vector<std::string> names;
  for (const Flow* flow : flows.all()) names.push_back(flow->partition.name());
  return names;
}

}  // namespace

TEST_CASE("flows: a partition has one, they are told in one order, and the partitions of a topic share its number") {
  Monitor monitor;
  Flows flows(monitor);
  const auto find = [&](std::size_t source, const std::string& topic, int32_t number) -> Flow& {
    return flows.find_or_add(source, "s" + std::to_string(source), topic, number, {}, false);
  };
  Flow& second = find(0, "b", 10);
  find(0, "b", 9);
  CHECK(names_of(flows) == std::vector<std::string>{find(0, "b", 9).partition.name(), second.partition.name()});
  Flow& first = find(0, "a", 3);
  Flow& other = find(1, "a", 3);
  CHECK(&find(0, "b", 10) == &second);
  CHECK(names_of(flows) == std::vector<std::string>{first.partition.name(), find(0, "b", 9).partition.name(), second.partition.name(),
                                                    other.partition.name()});
  CHECK(find(0, "b", 9).topic == second.topic);
  CHECK(first.topic != second.topic);
  CHECK(first.topic != other.topic);
}
