#include <doctest/doctest.h>

#include <cstdint>
#include <functional>

#include "partitions.hpp"

using cdcrt::file_source::Mark;
using cdcrt::file_source::Marks;

namespace {

constexpr int64_t kMessages = 20'000;

void take(Marks& marks, const std::function<Mark(int64_t)>& place_of) {
  for (int64_t offset = 0; offset < kMessages; ++offset) {
    const Mark mark = place_of(offset);
    if (marks.is_due(mark))
      marks.note(mark);
    else
      marks.skip(mark);
  }
}

}  // namespace

TEST_CASE("marks: messages that stand far apart are found from as near at the beginning as at the end") {
  Marks marks{128, 256};
  const uint64_t apart = 300 << 10;
  const auto place_of = [&](int64_t offset) {
    return Mark{offset, 0, static_cast<uint64_t>(offset) * apart, static_cast<uint64_t>(offset) + 1};
  };
  take(marks, place_of);
  for (int64_t offset = 0; offset < kMessages; offset += 7) {
    CAPTURE(offset);
    // 64 to 128 marks over all of it, one of which may be gone.
    CHECK(place_of(offset).byte - marks.before(offset).byte <= 4 * static_cast<uint64_t>(kMessages) * apart / 64);
  }
}

TEST_CASE("marks: nor do many files lose where the first of them begin") {
  Marks marks{128, 256};
  const auto place_of = [](int64_t offset) { return Mark{offset, static_cast<size_t>(offset), 0, 1}; };
  take(marks, place_of);
  for (int64_t offset = 0; offset < kMessages; offset += 7) {
    CAPTURE(offset);
    CHECK(static_cast<size_t>(offset) - marks.before(offset).file <= 4 * static_cast<size_t>(kMessages) / 64);
  }
}
