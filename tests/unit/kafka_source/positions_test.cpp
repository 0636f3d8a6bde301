#include <doctest/doctest.h>

#include "broker_error.hpp"
#include "intake_limit.hpp"
#include "partition_state.hpp"
#include "start_position.hpp"

using namespace cdcrt::kafka_source;
using Verdict = PartitionState::Verdict;

namespace {

StartPosition start_at(const char* text) {
  StartPosition start;
  const auto status = StartPosition::parse(text, start);
  INFO(status.message());
  REQUIRE(status.ok());
  return start;
}

PartitionState reading_from(int64_t offset) {
  PartitionState state;
  state.seek(offset, 1);
  state.positioned();
  return state;
}

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace

TEST_CASE("start: a word or a time says where reading begins") {
  CHECK(start_at("committed").kind == StartPosition::Kind::kCommitted);
  CHECK(start_at("earliest").kind == StartPosition::Kind::kEarliest);
  CHECK(start_at("latest").kind == StartPosition::Kind::kLatest);
  CHECK(start_at("1970-01-01T00:00:01Z").timestamp_ms == 1000);
  CHECK(start_at("2026-01-31T12:00:00+01:00").timestamp_ms == 1769857200000);
  CHECK(start_at("1970-01-01T00:00:00.250Z").timestamp_ms == 250);
}

TEST_CASE("start: a time between two milliseconds begins at the later one") {
  CHECK(start_at("1970-01-01T00:00:00.000001Z").timestamp_ms == 1);
}

TEST_CASE("start: times without zone, infinity and other words are refused") {
  StartPosition start;
  for (const char* text : {"", "yesterday", "2026-01-31", "2026-02-30T00:00:00Z", "infinity", "-1", "Earliest"}) {
    CAPTURE(text);
    CHECK(StartPosition::parse(text, start).code() == CDCRT_BAD_CONFIG);
  }
  const auto status = StartPosition::parse("2026-01-31T12:00:00", start);
  CHECK(status.code() == CDCRT_BAD_CONFIG);
  CHECK(has(status.message(), "no zone"));
}

TEST_CASE("a partition: nothing is taken before the host's seek") {
  PartitionState state;
  CHECK(state.judge(0) == Verdict::kDrop);
  CHECK_FALSE(state.needs_seek());
  state.reposition();
  CHECK_FALSE(state.needs_seek());
  CHECK_FALSE(state.is_read_to(0));
}

TEST_CASE("a partition: nothing is taken between the host's seek and the client's key_insert") {
  PartitionState state;
  state.seek(10, 3);
  CHECK(state.needs_seek());
  CHECK(state.judge(10) == Verdict::kDrop);
  CHECK_FALSE(state.is_read_to(10));
  state.positioned();
  CHECK(state.judge(10) == Verdict::kTake);
  CHECK(state.generation() == 3);
  CHECK(state.next() == 11);
}

TEST_CASE("a partition: messages below the sought offset and those already taken are dropped") {
  auto state = reading_from(10);
  CHECK(state.judge(9) == Verdict::kDrop);
  CHECK(state.judge(10) == Verdict::kTake);
  CHECK(state.judge(12) == Verdict::kTake);
  CHECK(state.judge(12) == Verdict::kDrop);
  CHECK(state.judge(11) == Verdict::kDrop);
  CHECK(state.judge(13) == Verdict::kTake);
}

TEST_CASE("a partition: after a seek backwards, a first message from where reading stood is doubted once") {
  auto state = reading_from(0);
  for (int64_t offset = 0; offset < 100; ++offset) REQUIRE(state.judge(offset) == Verdict::kTake);
  state.seek(40, 2);
  state.positioned();
  CHECK(state.judge(100) == Verdict::kSeekAgain);
  CHECK(state.needs_seek());
  CHECK(state.next() == 40);
  CHECK(state.judge(101) == Verdict::kDrop);
  state.positioned();
  // Everything between may be compacted away: then it is right the second time.
  CHECK(state.judge(100) == Verdict::kTake);
  CHECK(state.next() == 101);
}

TEST_CASE("a partition: after a seek backwards, the sought message is not doubted, nor what follows it") {
  auto state = reading_from(0);
  for (int64_t offset = 0; offset < 100; ++offset) REQUIRE(state.judge(offset) == Verdict::kTake);
  state.seek(40, 2);
  state.positioned();
  CHECK(state.judge(40) == Verdict::kTake);
  CHECK(state.judge(150) == Verdict::kTake);
}

TEST_CASE("a partition: what comes first after the very first seek is doubted when it is not what was sought") {
  // It was assigned at its end, under load: a message of the end may come although the seek was confirmed.
  auto state = reading_from(237);
  CHECK(state.judge(261) == Verdict::kSeekAgain);
  CHECK(state.next() == 237);
  state.positioned();
  CHECK(state.judge(262) == Verdict::kSeekAgain);
  state.positioned();
  CHECK(state.judge(237) == Verdict::kTake);
  CHECK(state.judge(238) == Verdict::kTake);
  CHECK(state.judge(300) == Verdict::kTake);
}

TEST_CASE("a partition: a seek forwards is doubted in the same way") {
  auto state = reading_from(0);
  REQUIRE(state.judge(0) == Verdict::kTake);
  state.seek(50, 2);
  state.positioned();
  CHECK(state.judge(49) == Verdict::kDrop);
  CHECK(state.judge(60) == Verdict::kSeekAgain);
  state.positioned();
  CHECK(state.judge(60) == Verdict::kTake);
}

TEST_CASE("a partition: a rebalance goes back to the next message under the same generation") {
  auto state = reading_from(5);
  REQUIRE(state.judge(5) == Verdict::kTake);
  state.reached(30);
  state.reposition();
  CHECK(state.needs_seek());
  CHECK(state.next() == 6);
  CHECK(state.generation() == 1);
  CHECK(state.judge(6) == Verdict::kDrop);
  state.positioned();
  CHECK(state.judge(6) == Verdict::kTake);
}

TEST_CASE("the end: reached by messages, by what the client tells, or at once where there is nothing") {
  auto state = reading_from(0);
  CHECK(state.is_read_to(0));
  CHECK_FALSE(state.is_read_to(3));
  REQUIRE(state.judge(0) == Verdict::kTake);
  REQUIRE(state.judge(1) == Verdict::kTake);
  CHECK_FALSE(state.is_read_to(3));
  state.reached(3);  // the third is a control record
  CHECK(state.is_read_to(3));
  CHECK(state.position() == 3);
  CHECK(state.next() == 2);
}

TEST_CASE("the end: a seek back undoes it") {
  auto state = reading_from(3);
  state.reached(3);
  REQUIRE(state.is_read_to(3));
  state.seek(0, 2);
  CHECK_FALSE(state.is_read_to(3));
  state.positioned();
  CHECK_FALSE(state.is_read_to(3));
  state.reached(3);  // may be the end from before the seek
  CHECK_FALSE(state.is_read_to(3));
  state.positioned();
  state.reached(3);
  CHECK(state.is_read_to(3));
}

TEST_CASE("the intake limit: holds over time and is not made up for after a pause") {
  using std::chrono::milliseconds;
  IntakeLimit limit(100);
  auto now = IntakeLimit::Time{} + milliseconds(1000);
  uint64_t taken = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto available = limit.available(now);
    taken += available;
    limit.take(available);
    now += milliseconds(1);
  }
  CHECK(taken >= 99);
  CHECK(taken <= 101);
  now += milliseconds(60'000);
  CHECK(limit.available(now) <= 10);
}

TEST_CASE("the intake limit: less than one a second still lets messages through, and none means none") {
  using std::chrono::seconds;
  IntakeLimit slow(1);
  auto now = IntakeLimit::Time{} + seconds(5);
  CHECK(slow.available(now) == 1);
  slow.take(1);
  CHECK(slow.available(now) == 0);
  CHECK(slow.wait() > std::chrono::microseconds(900'000));
  CHECK(slow.available(now + seconds(1)) == 1);
  IntakeLimit none(0);
  CHECK(none.available(now) == UINT64_MAX);
}

TEST_CASE("an offset that is gone: the error names the gap and the choices") {
  const auto status = offset_out_of_range("shop.orders", 3, 10, 500, 1000);
  CHECK(status.code() == CDCRT_FATAL);
  for (const char* part : {"shop.orders[3]", "offset 10", "500 to 1000", "490 offsets are lost"}) {
    CAPTURE(part);
    CHECK(has(status.message(), part));
  }
  CHECK(has(status.hint(), "cdcrt progress rewind --topic shop.orders --to earliest"));
  CHECK(has(status.hint(), "snapshot"));
  CHECK(has(status.hint(), "retention"));
  CHECK(has(offset_out_of_range("t", 0, 499, 500, 1000).message(), "1 offset is lost"));
}

TEST_CASE("an offset beyond the end: the error says that the topic was made again") {
  const auto status = offset_out_of_range("t", 0, 2000, 0, 5);
  CHECK(status.code() == CDCRT_FATAL);
  CHECK(has(status.message(), "beyond the end"));
  CHECK(has(status.hint(), "deleted and made again"));
}

TEST_CASE(
    "a partition: a gap before what comes first is believed the second time, also where the client goes there again for others' sake") {
  PartitionState state = reading_from(10);
  CHECK(state.judge(10) == Verdict::kTake);
  state.seek_again();  // a large message was taken, and the next offset is a transaction's marker
  state.positioned();
  CHECK(state.judge(12) == Verdict::kSeekAgain);
  state.seek_again();  // another partition's large message in between
  state.positioned();
  CHECK(state.judge(12) == Verdict::kTake);
  CHECK(state.next() == 13);
}
