// QueueWatch: whether librdkafka may have stopped fetching at a full queue that has room again.
#pragma once

#include <cstdint>

namespace cdcrt::kafka_source {

/// One thread.
class QueueWatch {
 public:
  struct Amount {
    uint64_t messages = 0, bytes = 0;
  };
  /// `full`: the queue takes nothing more from either of these.
  explicit QueueWatch(Amount full) : full_(full) {}
  /// So much was taken, and about so much still waits. True: the queue may have been full since the last time, and a fourth of it was
  /// taken: whoever stopped has to look again. From full to empty this is true three times, so that the next answer comes before the
  /// queue is empty.
  bool taken(Amount taken, Amount waiting) {
    taken_.messages += taken.messages;
    taken_.bytes += taken.bytes;
    if (taken_.messages < full_.messages / 4 && taken_.bytes < full_.bytes / 4) return false;
    // It never held more than what was taken since and what is left. Half of it counts as full: bytes that wait are estimated.
    const bool was_full = taken_.messages + waiting.messages >= full_.messages / 2 || taken_.bytes + waiting.bytes >= full_.bytes / 2;
    taken_ = {};
    return was_full;
  }

 private:
  Amount full_;
  Amount taken_;
};

}  // namespace cdcrt::kafka_source
