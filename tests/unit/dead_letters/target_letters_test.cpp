#include <doctest/doctest.h>

#include <thread>

#include "dead_letters/dead_letters.hpp"
#include "dead_letters/target_letters.hpp"
#include "progress/store.hpp"
#include "progress/target.hpp"

using namespace cdcrt;
using test::Target;

TEST_CASE("letters: of two transactions that pass the same ones only the first takes them along") {
  Target target;
  progress::Store store("shop", "db", "cdcrt", CDCRT_SINK_SCHEMAS, "here");
  REQUIRE(store.prepare(target.connection));
  REQUIRE(dead_letters::TargetLetters(store).prepare(target.connection));

  dead_letters::DeadLetters letters(nullptr, dead_letters::Budget({}, 0));
  letters.keep_in_targets({"db"}, "db", "the target");
  dead_letters::DeadLetter letter;
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

TEST_CASE("letters: those in the target are written once and keep that they were replayed") {
  Target target;
  progress::Store store("shop", "db", "cdcrt", CDCRT_SINK_SCHEMAS, "one");
  REQUIRE(store.prepare(target.connection));
  const dead_letters::TargetLetters letters(store);
  CHECK(!*letters.exist(target.connection));
  REQUIRE(letters.prepare(target.connection));
  REQUIRE(letters.prepare(target.connection));
  dead_letters::StoredDeadLetter letter;
  letter.id = "a";
  letter.reason = "undecodable";
  letter.has_raw = true;
  letter.value = std::string("\0\xff", 2);
  for (int i = 0; i < 2; ++i) {
    REQUIRE(target.connection.begin());
    REQUIRE(letters.save(target.connection, {letter}));
    if (i == 0) REQUIRE(letters.mark_replayed(target.connection, {"a"}));
    REQUIRE(target.connection.commit());
    const auto read = letters.read(target.connection);
    REQUIRE(read);
    REQUIRE(read->size() == 1);
    CHECK(read->front().value == letter.value);
    CHECK(read->front().replayed);
  }
}
