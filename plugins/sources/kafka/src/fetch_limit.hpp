// FetchLimit: how much may be asked for at once, so that what it unpacks to fits into the memory.
#pragma once

#include <algorithm>
#include <cstdint>

namespace cdcrt::kafka_source {

/// An answer is bounded by its bytes on the wire, and unpacked as a whole before any bound of a queue is looked at: 20 KB of zstd may be
/// 20 MB of message. So the limit follows what answers have unpacked to. It begins with the minimum, which is one batch of one
/// partition; a broker always gives that. One thread.
class FetchLimit {
 public:
  static constexpr uint64_t kMinBytes = 1000;

  /// `room`: what an answer may unpack to; `max`: of an answer on the wire.
  FetchLimit(uint64_t room, uint64_t max) : room_(room), max_(std::max(max, kMinBytes)) {}
  [[nodiscard]] uint64_t bytes() const { return bytes_; }
  /// From now on as the constructor says. What is asked for grows to it as it did then.
  void bound(uint64_t room, uint64_t max) {
    room_ = room;
    max_ = std::max(max, kMinBytes);
    bytes_ = std::min(bytes_, max_);
  }
  /// Messages of so many bytes were taken.
  void taken(uint64_t bytes) { taken_ += bytes; }
  /// `received`: bytes of all answers so far. `waiting`: of what they unpacked to, about so many bytes were not taken yet. True: the limit
  /// is another one.
  bool measure(uint64_t received, uint64_t waiting) {
    const uint64_t arrived = received - received_;
    if (taken_ < (waiting == 0 ? std::min(kTellsEnough, room_) : room_)) return false;
    // What is taken while nothing arrives, because the queue was full, came with earlier answers.
    if (arrived == 0) return false;
    const uint64_t now = taken_ + waiting;
    const uint64_t unpacked = now > waiting_ ? now - waiting_ : 0;
    received_ = received;
    waiting_ = waiting;
    taken_ = 0;
    const double ratio = static_cast<double>(unpacked) / static_cast<double>(arrived);
    // Up at once, down slowly: what is packed well comes again.
    ratio_ = std::max({ratio, ratio_ * 0.9, 1.0});
    const auto fits = static_cast<uint64_t>(static_cast<double>(room_) / ratio_);
    const uint64_t next = std::clamp(std::min(fits, 8 * bytes_), kMinBytes, max_);
    if (next == bytes_ || (next > bytes_ && next < max_ && next < bytes_ + bytes_ / 4)) return false;
    bytes_ = next;
    return true;
  }

 private:
  // Of less, the frame of the answer would be measured.
  static constexpr uint64_t kTellsEnough = 64 << 10;

  uint64_t room_, max_;
  uint64_t bytes_ = kMinBytes;
  uint64_t received_ = 0, taken_ = 0, waiting_ = 0;
  double ratio_ = 1;
};

}  // namespace cdcrt::kafka_source
