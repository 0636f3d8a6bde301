#include "partition_state.hpp"

namespace cdcrt::kafka_source {

void PartitionState::seek(int64_t offset, uint32_t generation) {
  before_seek_.reset();
  if (is_sought_ && offset < next_) before_seek_ = next_;
  is_sought_ = needs_seek_ = true;
  generation_ = generation;
  next_ = offset < 0 ? 0 : offset;
  reached_ = 0;
}

void PartitionState::reposition() {
  if (!is_sought_) return;
  needs_seek_ = true;
  reached_ = 0;
}

PartitionState::Verdict PartitionState::judge(int64_t offset) {
  if (!is_sought_ || needs_seek_ || offset < next_) return Verdict::kDrop;
  if (before_seek_) {
    const bool may_be_stale = offset >= *before_seek_;
    before_seek_.reset();
    if (may_be_stale) {
      needs_seek_ = true;
      return Verdict::kSeekAgain;
    }
  }
  next_ = offset + 1;
  return Verdict::kTake;
}

void PartitionState::reached(int64_t offset) {
  if (is_sought_ && !needs_seek_ && offset > reached_) reached_ = offset;
}

}  // namespace cdcrt::kafka_source
