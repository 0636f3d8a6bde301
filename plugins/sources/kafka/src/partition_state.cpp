#include "partition_state.hpp"

namespace cdcrt::kafka_source {

void PartitionState::seek(int64_t offset, uint32_t generation) {
  is_sought_ = needs_seek_ = is_first_ = true;
  gap_.reset();
  generation_ = generation;
  next_ = offset < 0 ? 0 : offset;
  reached_ = 0;
}

void PartitionState::reposition() {
  if (!is_sought_) return;
  needs_seek_ = is_first_ = true;
  gap_.reset();
  reached_ = 0;
}

void PartitionState::seek_again() {
  if (!is_sought_) return;
  needs_seek_ = is_first_ = true;
  reached_ = 0;
}

// What comes first after a seek and is not what was sought (a compacted log, or a position that librdkafka took from elsewhere) is
// sought once more before it is believed.
bool PartitionState::is_believed(int64_t offset) {
  if (!is_first_ || offset == next_) return true;
  if (gap_ == offset) return true;
  gap_ = offset;
  needs_seek_ = true;
  return false;
}

PartitionState::Verdict PartitionState::judge(int64_t offset) {
  if (!is_sought_ || needs_seek_ || offset < next_) return Verdict::kDrop;
  if (!is_believed(offset)) return Verdict::kSeekAgain;
  is_first_ = false;
  gap_.reset();
  next_ = offset + 1;
  return Verdict::kTake;
}

void PartitionState::reached(int64_t offset) {
  if (is_sought_ && !needs_seek_ && offset > reached_ && is_believed(offset)) reached_ = offset;
}

}  // namespace cdcrt::kafka_source
