// RecentMessages: what was taken last of a partition, to be found there again.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "cdcrt/abi/format.h"

namespace cdcrt::kafka_source {

/// One thread.
class RecentMessages {
 public:
  struct Message {
    int64_t offset = -1, timestamp_ms = -1;
    uint64_t hash = 0;
  };
  /// Several, because the last one may be compacted away, and another log may have a transaction's marker in its place.
  static constexpr std::size_t kMax = 4;

  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] std::size_t size() const { return count_; }
  /// The newest first.
  [[nodiscard]] const Message& operator[](std::size_t index) const { return messages_[index]; }
  /// The last ones of a batch.
  void add(const cdcrt_messages& batch) {
    const uint32_t from = batch.count > kMax ? batch.count - static_cast<uint32_t>(kMax) : 0;
    for (uint32_t i = from; i < batch.count; ++i) {
      for (std::size_t place = kMax - 1; place > 0; --place) messages_[place] = messages_[place - 1];
      messages_[0] = of(batch.messages[i]);
      if (count_ < kMax) ++count_;
    }
  }
  void clear() { count_ = 0; }

  /// The hash is this process's own, eight bytes at a time: it is taken of each batch's last messages, which may be the whole batch.
  static Message of(const cdcrt_message& message) {
    uint64_t hash = kFirst;
    const auto mix = [&hash](uint64_t word) {
      hash = (hash ^ word) * kFactor;
      hash ^= hash >> 32;
    };
    for (const cdcrt_string text : {message.key, message.value}) {
      mix(text.data == nullptr ? UINT64_MAX : text.size);
      for (std::size_t i = 0; i < text.size; i += sizeof(uint64_t)) {
        uint64_t word = 0;
        std::memcpy(&word, text.data + i, std::min(sizeof word, text.size - i));
        mix(word);
      }
    }
    return {message.offset, message.timestamp_ms, hash};
  }

 private:
  static constexpr uint64_t kFirst = 14695981039346656037ULL, kFactor = 0x9E3779B97F4A7C15ULL;

  std::array<Message, kMax> messages_{};
  std::size_t count_ = 0;
};

}  // namespace cdcrt::kafka_source
