// A partition of a source as the host follows it: how far it was read and routed, and requests to read it again.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>

namespace cdcrt::progress {

/// Thread-safe.
class Partition {
 public:
  using SeekRequest = std::function<void(Partition& partition, int64_t offset, uint32_t generation)>;
  Partition(std::string source, std::string topic, int32_t number, SeekRequest seek)
      : source_(std::move(source)), topic_(std::move(topic)), number_(number), seek_(std::move(seek)) {}

  [[nodiscard]] const std::string& source() const { return source_; }
  [[nodiscard]] const std::string& topic() const { return topic_; }
  [[nodiscard]] int32_t number() const { return number_; }
  /// "topic[3]"
  [[nodiscard]] std::string name() const { return topic_ + "[" + std::to_string(number_) + "]"; }

  /// Everything below was handed to the tables, in the generation read now.
  [[nodiscard]] int64_t routed_next() const {
    const std::lock_guard lock(mutex_);
    return routed_next_;
  }
  void start_at(int64_t offset) {
    const std::lock_guard lock(mutex_);
    routed_next_ = offset;
  }
  void routed(uint32_t generation, int64_t next) {
    const std::lock_guard lock(mutex_);
    if (generation == generation_ && next > routed_next_) routed_next_ = next;
  }
  /// Reads again from `offset`, or from an earlier place that another rewind still needs; answers the generation that the
  /// batches read after it carry. `seek` is called in the order of the generations, and must not call back.
  uint32_t rewind(int64_t offset) {
    const std::lock_guard lock(mutex_);
    if (offset < routed_next_) routed_next_ = offset;
    ++generation_;
    seek_(*this, routed_next_, generation_);
    return generation_;
  }

 private:
  const std::string source_, topic_;
  const int32_t number_;
  const SeekRequest seek_;
  mutable std::mutex mutex_;
  int64_t routed_next_ = 0;
  uint32_t generation_ = 0;
};

}  // namespace cdcrt::progress
