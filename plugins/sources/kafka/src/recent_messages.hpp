// RecentMessages: what was taken last of a partition, to be found there again.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
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

  static Message of(const cdcrt_message& message) {
    uint64_t hash = 14695981039346656037ull;  // FNV-1a
    const auto mix = [&](cdcrt_string text) {
      hash = (hash ^ (text.data == nullptr ? UINT64_MAX : text.size)) * 1099511628211ull;
      for (std::size_t i = 0; i < text.size; ++i) hash = (hash ^ static_cast<unsigned char>(text.data[i])) * 1099511628211ull;
    };
    mix(message.key);
    mix(message.value);
    return {message.offset, message.timestamp_ms, hash};
  }

 private:
  std::array<Message, kMax> messages_{};
  std::size_t count_ = 0;
};

}  // namespace cdcrt::kafka_source
