#include <doctest/doctest.h>

#include <thread>

#include "dead_letters/dead_letters.hpp"
#include "progress/store.hpp"
#include "progress/target.hpp"

using namespace cdcrt;
using test::Target;

TEST_CASE("letters: of two transactions that pass the same ones only the first takes them along") {
  Target target;
  progress::Store store("shop", "db", "cdcrt", CDCRT_SINK_SCHEMAS, "here");
  REQUIRE(store.prepare(target.connection));
  REQUIRE(store.prepare_letters(target.connection));

  dead_letters::DeadLetters letters(nullptr, dead_letters::Budget({}, 0));
  letters.keep_in_targets({"db"}, "db", "the target");
  dead_letters::Letter letter;
  letter.reason = "value_refused";
  letter.source = "s";
  letter.topic = "t";
  letter.sink = "db";
  letter.table = "shop.orders";
  letters.add(letter);

  auto first = letters.flush({&target.connection, &store});
  REQUIRE(first);
  CHECK(first->mark == 1);
  // It asks while the first transaction is open, and may only answer once that has ended.
  uint64_t second_mark = 99;
  std::thread second([&] {
    auto flushed = letters.flush({&target.connection, &store});
    if (flushed) second_mark = flushed->mark;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  letters.committed(store, *first);
  first->turn.unlock();
  second.join();
  CHECK(second_mark == 0);
}
