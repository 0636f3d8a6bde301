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
    limit.measure(received, true);
  }
  CHECK(limit.bytes() == kMax);
}

TEST_CASE("answers that unpack to a thousand times their size are asked for one batch at a time") {
  FetchLimit limit(kRoom, kMax);
  limit.taken(20'000'000);
  limit.measure(2'000, true);
  CHECK(limit.bytes() == FetchLimit::kMinBytes);
}

TEST_CASE("the limit falls at once when answers unpack to more, and rises slowly again") {
  FetchLimit limit(kRoom, kMax);
  uint64_t received = 0;
  const auto answer = [&](uint64_t bytes, uint64_t unpacked) {
    received += bytes;
    limit.taken(unpacked);
    limit.measure(received, true);
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
  CHECK_FALSE(limit.measure(1'000'000, true));
  limit.taken(500);
  limit.measure(1'000'500, true);
  CHECK(limit.bytes() > FetchLimit::kMinBytes);
}
