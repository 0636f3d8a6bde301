#include "queue_watch.hpp"

#include <doctest/doctest.h>

using cdcrt::kafka_source::QueueWatch;

namespace {

constexpr QueueWatch::Amount kFull{1'000, 800'000};

/// The fetcher of librdkafka, which stands still once it met a full queue until somebody wakes it.
struct Fetcher {
  QueueWatch::Amount waiting;

  void look(QueueWatch::Amount answer) {
    while (waiting.messages < kFull.messages && waiting.bytes < kFull.bytes) {
      waiting.messages += answer.messages;
      waiting.bytes += answer.bytes;
    }
  }
};

/// Takes everything that is there, in small steps; how often nothing waited while the fetcher slept.
int starved(QueueWatch::Amount answer, QueueWatch::Amount step, int steps) {
  QueueWatch watch(kFull);
  Fetcher fetcher;
  fetcher.look(answer);
  int empty = 0;
  for (int i = 0; i < steps; ++i) {
    if (fetcher.waiting.messages < step.messages) {
      ++empty;
      fetcher.look(answer);
      continue;
    }
    fetcher.waiting.messages -= step.messages;
    fetcher.waiting.bytes -= step.bytes;
    if (watch.taken(step, fetcher.waiting)) fetcher.look(answer);
  }
  return empty;
}

}  // namespace

TEST_CASE("a fetcher that stopped at a full queue is woken before the queue is empty") {
  CHECK(starved({100, 80'000}, {1, 800}, 10'000) == 0);
  CHECK(starved({1'000, 800'000}, {1, 800}, 10'000) == 0);
  // One answer is more than the queue may hold, and many are taken at once.
  CHECK(starved({5'000, 4'000'000}, {100, 80'000}, 10'000) == 0);
  // Full by messages, not by bytes, and the other way round.
  CHECK(starved({100, 100}, {1, 1}, 10'000) == 0);
  CHECK(starved({10, 400'000}, {1, 40'000}, 10'000) == 0);
}

TEST_CASE("nobody is woken while the queue is far from full") {
  QueueWatch watch(kFull);
  for (int i = 0; i < 10'000; ++i) CHECK_FALSE(watch.taken({1, 800}, {i % 50u, (i % 50u) * 800u}));
}

TEST_CASE("from full to empty somebody is woken three or four times, and not for each message") {
  QueueWatch watch(kFull);
  int woken = 0;
  for (uint64_t left = kFull.messages; left > 0; --left) woken += watch.taken({1, 800}, {left - 1, (left - 1) * 800}) ? 1 : 0;
  CHECK(woken >= 3);
  CHECK(woken <= 4);
}
