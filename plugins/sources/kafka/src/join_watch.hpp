// JoinWatch: whether a member of a group is being given its place anew.
#pragma once

#include <atomic>
#include <cstdint>

namespace cdcrt::kafka_source {

/// Between a member's request to join and the group's answer the broker takes no offsets of the generation before, and librdkafka before
/// 2.10 gives all partitions up where a commit is refused for that (https://github.com/confluentinc/librdkafka/issues/4059): they would be
/// read again from where the target has them. So nothing is committed meanwhile. Told by the requests themselves; any thread.
class JoinWatch {
 public:
  static constexpr int16_t kJoinGroup = 11, kSyncGroup = 14;  // of the protocol's requests

  /// A request is on its way to the broker.
  void sent(int16_t request) {
    if (request == kJoinGroup) is_joining_ = true;
  }
  /// Its answer came, whatever it says: where it is no place, another request to join follows.
  void answered(int16_t request) {
    if (request == kSyncGroup) is_joining_ = false;
  }
  [[nodiscard]] bool is_joining() const { return is_joining_; }

 private:
  std::atomic<bool> is_joining_{false};
};

}  // namespace cdcrt::kafka_source
