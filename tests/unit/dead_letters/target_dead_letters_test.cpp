#include <doctest/doctest.h>

#include <thread>

#include "dead_letters/dead_letters.hpp"
#include "dead_letters/target_dead_letters.hpp"
#include "progress/store.hpp"
#include "progress/target.hpp"

using namespace cdcrt;
using test::Target;

TEST_CASE("dead letters: of two transactions that pass the same ones only the first takes them along") {
  Target target;
  progress::Store store("shop", "db", "cdcrt", CDCRT_SINK_SCHEMAS, "here");
  REQUIRE(store.prepare(target.connection));
  REQUIRE(dead_letters::TargetDeadLetters(store).prepare(target.connection));

  dead_letters::DeadLetters dead_letters(nullptr, dead_letters::Budget({}, 0));
  dead_letters.keep_in_targets({"db"}, "db", "the target");
  dead_letters::DeadLetter dead_letter;
  dead_letter.reason = "value_refused";
  dead_letter.source = "s";
  dead_letter.topic = "t";
  dead_letter.sink = "db";
  dead_letter.table = "shop.orders";
  dead_letters.add(dead_letter);

  auto first = dead_letters.flush({&target.connection, &store});
  REQUIRE(first);
  CHECK(first->mark == 1);
  // It asks while the first transaction is open, and may only answer once that has ended.
  uint64_t second_mark = 99;
  std::thread second([&] {
    auto flushed = dead_letters.flush({&target.connection, &store});
    if (flushed) second_mark = flushed->mark;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  dead_letters.committed(store, *first);
  first->turn.unlock();
  second.join();
  CHECK(second_mark == 0);
}

TEST_CASE("dead letters: those in the target are written once and keep that they were replayed") {
  Target target;
  progress::Store store("shop", "db", "cdcrt", CDCRT_SINK_SCHEMAS, "one");
  REQUIRE(store.prepare(target.connection));
  const dead_letters::TargetDeadLetters dead_letters(store);
  CHECK(!*dead_letters.exist(target.connection));
  REQUIRE(dead_letters.prepare(target.connection));
  REQUIRE(dead_letters.prepare(target.connection));
  dead_letters::StoredDeadLetter dead_letter;
  dead_letter.id = "a";
  dead_letter.reason = "undecodable";
  dead_letter.has_raw = true;
  dead_letter.value = std::string("\0\xff", 2);
  for (int i = 0; i < 2; ++i) {
    REQUIRE(target.connection.begin());
    REQUIRE(dead_letters.save(target.connection, {dead_letter}));
    if (i == 0) REQUIRE(dead_letters.mark_replayed(target.connection, {"a"}));
    REQUIRE(target.connection.commit());
    const auto read = dead_letters.read(target.connection);
    REQUIRE(read);
    REQUIRE(read->size() == 1);
    CHECK(read->front().value == dead_letter.value);
    CHECK(read->front().replayed);
  }
}
