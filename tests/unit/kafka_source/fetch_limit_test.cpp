#include "fetch_limit.hpp"

#include <doctest/doctest.h>

using cdcrt::kafka_source::FetchLimit;

namespace {
constexpr uint64_t kRoom = 4 << 20, kMax = 2 << 20;
}

TEST_CASE("the first answer is one batch, and the limit grows with answers that are packed little") {
  FetchLimit limit(kRoom, kMax);
  CHECK(limit.bytes() == FetchLimit::kMinBytes);
  uint64_t received = 0;
  for (int i = 0; i < 20; ++i) {
    received += 20'000;
    limit.taken(20'000);
    limit.measure(received, 0);
  }
  CHECK(limit.bytes() == kMax);
}

TEST_CASE("answers that unpack to a thousand times their size are asked for one batch at a time") {
  FetchLimit limit(kRoom, kMax);
  limit.taken(20'000'000);
  limit.measure(2'000, 0);
  CHECK(limit.bytes() == FetchLimit::kMinBytes);
}

TEST_CASE("the limit falls at once when answers unpack to more, and rises slowly again") {
  FetchLimit limit(kRoom, kMax);
  uint64_t received = 0;
  const auto answer = [&](uint64_t bytes, uint64_t unpacked) {
    received += bytes;
    limit.taken(unpacked);
    limit.measure(received, 0);
  };
  for (int i = 0; i < 20; ++i) answer(100'000, 100'000);
  answer(100'000, 10'000'000);
  const uint64_t low = limit.bytes();
  CHECK(low <= kRoom / 100);
  answer(100'000, 100'000);
  CHECK(limit.bytes() < 2 * low);
  for (int i = 0; i < 100; ++i) answer(100'000, 100'000);
  CHECK(limit.bytes() == kMax);
}

TEST_CASE("answers without messages say nothing") {
  FetchLimit limit(kRoom, kMax);
  CHECK_FALSE(limit.measure(1'000'000, 0));
  limit.taken(70'000);
  limit.measure(1'070'000, 0);
  CHECK(limit.bytes() > FetchLimit::kMinBytes);
}

TEST_CASE("what is taken of a full queue while nothing arrives says nothing of how well answers are packed") {
  FetchLimit limit(kRoom, kMax);
  uint64_t received = 0;
  for (int i = 0; i < 20; ++i) {
    received += 100'000;
    limit.taken(100'000);
    limit.measure(received, 0);
  }
  REQUIRE(limit.bytes() == kMax);
  // Two answers arrive before anything is taken of them.
  received += 2 * kMax;
  for (int i = 0; i < 4; ++i) {
    limit.taken(kMax / 2);
    limit.measure(received, 2 * kMax - (i + 1) * kMax / 2);
    CHECK(limit.bytes() == kMax);
  }
  limit.taken(kRoom);
  CHECK_FALSE(limit.measure(received, kMax));
  CHECK(limit.bytes() == kMax);
}

TEST_CASE("what waits counts as unpacked when it arrives, and not again when it is taken") {
  FetchLimit limit(kRoom, kMax);
  uint64_t received = 0;
  // Answers unpack to four times their size, and twice the room waits all the time.
  for (int i = 0; i < 30; ++i) {
    received += kRoom / 4;
    limit.taken(kRoom);
    limit.measure(received + 2 * kRoom / 4, 2 * kRoom);
  }
  CHECK(limit.bytes() >= kRoom / 5);
  CHECK(limit.bytes() <= kRoom / 4 + kRoom / 16);
}

TEST_CASE("a limit whose bound is another one is within it at once, and grows to it as at the beginning") {
  FetchLimit limit(kRoom, kMax);
  uint64_t received = 0;
  const auto take = [&] {
    for (int i = 0; i < 20; ++i) {
      received += 100'000;
      limit.taken(100'000);
      limit.measure(received, 0);
    }
  };
  take();
  REQUIRE(limit.bytes() == kMax);
  limit.bound(kRoom / 8, kMax / 8);
  CHECK(limit.bytes() == kMax / 8);
  take();
  CHECK(limit.bytes() == kMax / 8);
  limit.bound(kRoom, kMax);
  CHECK(limit.bytes() == kMax / 8);
  take();
  CHECK(limit.bytes() == kMax);
}
