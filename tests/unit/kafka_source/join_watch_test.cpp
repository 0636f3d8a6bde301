#include "join_watch.hpp"

#include <doctest/doctest.h>

using cdcrt::kafka_source::JoinWatch;

TEST_CASE("joining: from the request to join until the group's answer, through as many rounds as it takes") {
  constexpr int16_t kHeartbeat = 12, kOffsetCommit = 8;
  JoinWatch watch;
  CHECK_FALSE(watch.is_joining());
  watch.sent(kHeartbeat);
  watch.answered(kHeartbeat);
  CHECK_FALSE(watch.is_joining());
  watch.sent(JoinWatch::kJoinGroup);
  CHECK(watch.is_joining());
  watch.answered(JoinWatch::kJoinGroup);  // who it is, and of which generation; not yet its partitions
  CHECK(watch.is_joining());
  watch.sent(kOffsetCommit);
  watch.answered(kOffsetCommit);
  CHECK(watch.is_joining());
  watch.sent(JoinWatch::kJoinGroup);
  watch.answered(JoinWatch::kJoinGroup);
  watch.sent(JoinWatch::kSyncGroup);
  CHECK(watch.is_joining());
  watch.answered(JoinWatch::kSyncGroup);
  CHECK_FALSE(watch.is_joining());
}
