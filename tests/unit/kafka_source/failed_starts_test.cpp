#include "failed_starts.hpp"

#include <doctest/doctest.h>

using cdcrt::kafka_source::FailedStarts;
using Clock = FailedStarts::Clock;
using namespace std::chrono_literals;

namespace {
const Clock::time_point kBegin(1h);
const FailedStarts::Key kOrders{"orders", 3}, kPeople{"people", 0};
}  // namespace

TEST_CASE("failed starts: each partition is tried again after ever longer, up to a bound, and anew once it was begun") {
  FailedStarts starts;
  Clock::duration last{};
  for (int i = 0; i < 40; ++i) {
    const auto distance = starts.failed(kOrders, "no memory", kBegin) - kBegin;
    CHECK(distance >= last);
    CHECK((distance == FailedStarts::kMost || distance > last));
    last = distance;
  }
  CHECK(last == FailedStarts::kMost);
  CHECK(starts.failed(kPeople, "no memory", kBegin) - kBegin == FailedStarts::kFirst);
  starts.over(kOrders);
  CHECK(starts.failed(kOrders, "no memory", kBegin) - kBegin == FailedStarts::kFirst);
}

TEST_CASE("failed starts: which partition it is, how many more and why is said, until all were begun") {
  FailedStarts starts;
  CHECK(starts.empty());
  starts.failed(kPeople, "invalid topic", kBegin);
  CHECK(starts.text() == "cannot begin to read people[0]: invalid topic");
  starts.failed(kOrders, "no memory", kBegin);
  CHECK(starts.text() == "cannot begin to read orders[3] and 1 more: no memory");
  starts.over(kOrders);
  starts.over(kOrders);
  CHECK(starts.text() == "cannot begin to read people[0]: invalid topic");
  starts.over(kPeople);
  CHECK(starts.empty());
  CHECK(starts.text().empty());
}
