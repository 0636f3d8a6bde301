#include "wide_lanes.hpp"

#include <doctest/doctest.h>

#include <vector>

using cdcrt::kafka_source::WideLanes;
using Change = WideLanes::Change;
using Changes = std::vector<Change>;
using namespace std::chrono_literals;

namespace {
constexpr uint64_t kMuch = WideLanes::kTellsBacklog;
const WideLanes::Clock::time_point kBegin(1h);
}  // namespace

TEST_CASE("wide lanes: one that has a backlog may ask for much, one that has a trickle may not") {
  WideLanes lanes;
  CHECK(lanes.taken(3, kMuch - 1, kBegin).empty());
  CHECK(lanes.taken(3, kMuch, kBegin) == Changes{{3, true}});
  CHECK(lanes.taken(3, kMuch, kBegin).empty());
}

TEST_CASE("wide lanes: no more than some at once, and the next one when another's turn is over") {
  WideLanes lanes;
  for (std::size_t lane = 0; lane < WideLanes::kMost; ++lane) CHECK(lanes.taken(lane, kMuch, kBegin) == Changes{{lane, true}});
  CHECK(lanes.taken(9, kMuch, kBegin).empty());
  CHECK(lanes.taken(1, WideLanes::kTurn - 1, kBegin).empty());
  CHECK(lanes.taken(1, 1, kBegin) == Changes{{1, false}});
  CHECK(lanes.taken(9, kMuch, kBegin) == Changes{{9, true}});
  CHECK(lanes.taken(1, kMuch, kBegin).empty());
}

TEST_CASE("wide lanes: those that have nothing any more make room, those that go on do not") {
  WideLanes lanes;
  for (std::size_t lane = 0; lane < WideLanes::kMost; ++lane) lanes.taken(lane, kMuch, kBegin);
  const auto later = kBegin + WideLanes::kRest;
  lanes.taken(0, 1, later);
  lanes.taken(2, 0, later);  // looked at, and empty
  CHECK(lanes.taken(8, kMuch, later) == Changes{{1, false}, {2, false}, {3, false}, {8, true}});
  CHECK(lanes.taken(0, 1, later).empty());
}
