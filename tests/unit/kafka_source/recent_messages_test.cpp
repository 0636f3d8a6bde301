#include "recent_messages.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "cdcrt/sdk/status.hpp"

using cdcrt::kafka_source::RecentMessages;

namespace {

cdcrt_message message_at(int64_t offset, const char* value, int64_t timestamp = 1) {
  cdcrt_message message{};
  message.offset = offset;
  message.timestamp_ms = timestamp;
  message.value = cdcrt::sdk::borrow(value);
  return message;
}

void add(RecentMessages& recent, const std::vector<cdcrt_message>& messages) {
  cdcrt_messages batch{};
  batch.messages = messages.data();
  batch.count = static_cast<uint32_t>(messages.size());
  recent.add(batch);
}

}  // namespace

TEST_CASE("the last messages are known, the newest first, also of batches of one") {
  RecentMessages recent;
  CHECK(recent.empty());
  add(recent, {message_at(0, "a")});
  add(recent, {message_at(1, "b"), message_at(3, "c")});
  REQUIRE(recent.size() == 3);
  CHECK(recent[0].offset == 3);
  CHECK(recent[2].offset == 0);
  add(recent, {message_at(4, "d"), message_at(5, "e"), message_at(6, "f"), message_at(7, "g"), message_at(8, "h")});
  REQUIRE(recent.size() == RecentMessages::kMax);
  CHECK(recent[0].offset == 8);
  CHECK(recent[3].offset == 5);
}

TEST_CASE("key and value, and an absent and an empty value, are told apart") {
  cdcrt_message a = message_at(0, "ab"), b = message_at(0, "b");
  b.key = cdcrt::sdk::borrow("a");
  CHECK(RecentMessages::of(a).hash != RecentMessages::of(b).hash);
  cdcrt_message none = message_at(0, "");
  none.value = {nullptr, 0};
  CHECK(RecentMessages::of(none).hash != RecentMessages::of(message_at(0, "")).hash);
}

TEST_CASE("every byte of a message counts, wherever it stands") {
  for (std::size_t size = 1; size < 40; ++size) {
    std::string text(size, 'x');
    const uint64_t before = RecentMessages::of(message_at(0, text.c_str())).hash;
    for (std::size_t i = 0; i < size; ++i) {
      std::string other = text;
      other[i] = 'y';
      CHECK(RecentMessages::of(message_at(0, other.c_str())).hash != before);
    }
  }
}
