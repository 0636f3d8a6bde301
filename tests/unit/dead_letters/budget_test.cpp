#include "dead_letters/budget.hpp"

#include <doctest/doctest.h>

using namespace cdcrt;
using dead_letters::Budget;

namespace {

dead_letters::DeadLetter dead_letter(const std::string& reason) {
  dead_letters::DeadLetter made;
  made.reason = reason;
  made.message = "why";
  made.topic = "t";
  made.offset = 7;
  return made;
}

}  // namespace

TEST_CASE("budget: without bounds nothing is too much") {
  Budget budget({}, 0);
  for (int i = 0; i < 100'000; ++i) budget.add(dead_letter("undecodable"));
  CHECK(!budget.exceeded());
}

TEST_CASE("budget: a ratio of 1 is never exceeded, however large the batches are") {
  Budget budget({}, 1.0);
  for (int i = 0; i < 100; ++i) {
    budget.read(997);
    for (int k = 0; k < 997; ++k) budget.add(dead_letter("undecodable"));
    CHECK(!budget.exceeded());
  }
}

TEST_CASE("budget: one more than max_count stops the run, and says how many, of what, and where the first was") {
  Budget budget(2, 0);
  budget.add(dead_letter("undecodable"));
  budget.add(dead_letter("value_refused"));
  CHECK(!budget.exceeded());
  budget.add(dead_letter("value_refused"));
  const auto why = budget.exceeded();
  REQUIRE(why);
  CHECK(why->code == CDCRT_FATAL);
  CHECK(why->message.find("3 dead letters") != std::string::npos);
  CHECK(why->message.find("max_count = 2") != std::string::npos);
  CHECK(why->message.find("1 undecodable") != std::string::npos);
  CHECK(why->message.find("2 value_refused, first t[0] offset 7") != std::string::npos);
}

TEST_CASE("budget: max_count 0 allows none") {
  Budget budget(0, 0);
  budget.add(dead_letter("undecodable"));
  CHECK(budget.exceeded());
}

TEST_CASE("budget: max_ratio looks at the last ten thousand messages, not at all of them") {
  Budget slow({}, 0.01), fast({}, 0.01);
  for (int i = 0; i < 300; ++i) {
    slow.read(500);
    slow.add(dead_letter("undecodable"));  // 20 in a window
  }
  CHECK(!slow.exceeded());
  for (int i = 0; i < 101; ++i) {
    fast.read(90);
    fast.add(dead_letter("undecodable"));
  }
  CHECK(fast.exceeded());
}

TEST_CASE("budget: the first bad message of a run does not exceed max_ratio by itself") {
  Budget budget({}, 0.01);
  budget.read(1);
  budget.add(dead_letter("undecodable"));
  CHECK(!budget.exceeded());
}
