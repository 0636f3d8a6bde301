#include "runtime/flow.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

using namespace cdcrt::runtime;

namespace {

std::vector<std::string> names_of(const Flows& flows) {
  std::vector<std::string> names;
  for (const Flow* flow : flows.all()) names.push_back(flow->partition.name());
  return names;
}

/// Messages of `offsets`, read after that many rewinds, of one byte each.
cdcrt::plugin::Messages batch_of(const std::vector<int64_t>& offsets, uint32_t generation = 0) {
  auto all = std::make_unique<std::vector<cdcrt_message>>(offsets.size());
  for (std::size_t i = 0; i < all->size(); ++i) (*all)[i].offset = offsets[i];
  cdcrt::plugin::Messages made;
  cdcrt_messages& out = *made.out();
  out.topic = {"t", 1};
  out.messages = all->data();
  out.count = static_cast<uint32_t>(all->size());
  out.message_size = sizeof(cdcrt_message);
  out.owner = all.release();
  out.release = [](cdcrt_messages* given) { delete static_cast<std::vector<cdcrt_message>*>(given->owner); };
  out.generation = generation;
  out.bytes = offsets.size();
  REQUIRE(made.take());
  return made;
}

/// The batches that are taken at once, by the offset of their first messages.
std::vector<int64_t> taken(Flows& flows, uint64_t most_bytes) {
  std::vector<cdcrt::plugin::Messages> batches;
  Flow* const flow = flows.take(batches, most_bytes);
  std::vector<int64_t> first;
  uint64_t bytes = 0;
  for (const auto& batch : batches) {
    first.push_back(batch.get().messages[0].offset);
    bytes += batch.get().bytes;
  }
  if (flow != nullptr) flows.done(*flow, bytes);
  return first;
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

TEST_CASE("flows: batches that wait behind each other are taken together, as far as bytes allow") {
  Monitor monitor;
  Flows flows(monitor);
  Flow& flow = flows.find_or_add(0, "s", "t", 0, {}, false);
  for (const int64_t first : {0, 10, 20, 30}) flows.push(flow, batch_of({first, first + 1}));
  CHECK(taken(flows, 5) == std::vector<int64_t>{0, 10});
  CHECK(monitor.message_bytes == 4);
  CHECK(taken(flows, 0) == std::vector<int64_t>{20});  // one is always taken
  CHECK(taken(flows, 100) == std::vector<int64_t>{30});
  CHECK(monitor.message_bytes == 0);
  CHECK(taken(flows, 100).empty());
  CHECK(flows.idle());
}

TEST_CASE("flows: what was read before a rewind is not taken together with what was read after it") {
  Monitor monitor;
  Flows flows(monitor);
  Flow& flow = flows.find_or_add(0, "s", "t", 0, {}, false);
  flows.push(flow, batch_of({7, 8}));
  flows.push(flow, batch_of({9}));
  flows.push(flow, batch_of({12}, 1));
  flows.push(flow, batch_of({13}, 1));
  CHECK(taken(flows, 100) == std::vector<int64_t>{7, 9});
  CHECK(taken(flows, 100) == std::vector<int64_t>{12, 13});
}
