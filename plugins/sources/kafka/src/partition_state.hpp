// PartitionState: how far one assigned partition was read. No librdkafka in it, so that its rules can be tested alone.
#pragma once

#include <cstdint>
#include <optional>

namespace cdcrt::kafka_source {

/// One thread.
class PartitionState {
 public:
  enum class Verdict { kTake, kDrop, kSeekAgain };

  /// The host's seek. Nothing is taken until the client has gone there (positioned).
  void seek(int64_t offset, uint32_t generation);
  /// The client must go to `next()` again for a reason of its own; the host's generation stays.
  void reposition();
  /// The same, where the log is as it was: what was sought once more already is believed when it comes again.
  void seek_again();
  /// The client confirmed that it reads from `next()`.
  void positioned() { needs_seek_ = false; }
  /// What to do with a message that came. kTake moves `next`. kSeekAgain: the first message after a seek is not the one that was
  /// sought. It may be from before the seek (a partition that was just assigned, under load): go to `next()` once more. When the
  /// same one comes again, there is nothing in between.
  Verdict judge(int64_t offset);
  /// The client read up to `offset`, with nothing for the application in between (control records, compaction).
  void reached(int64_t offset);

  [[nodiscard]] bool is_sought() const { return is_sought_; }
  /// Sought by the host, but the client is not there yet.
  [[nodiscard]] bool needs_seek() const { return is_sought_ && needs_seek_; }
  [[nodiscard]] int64_t next() const { return next_; }
  /// `next()`, or further where the client told so.
  [[nodiscard]] int64_t position() const { return reached_ > next_ ? reached_ : next_; }
  [[nodiscard]] uint32_t generation() const { return generation_; }
  /// Read up to `end`?
  [[nodiscard]] bool is_read_to(int64_t end) const { return is_sought_ && !needs_seek_ && position() >= end; }

 private:
  bool is_believed(int64_t offset);

  bool is_sought_ = false, needs_seek_ = false;
  uint32_t generation_ = 0;
  int64_t next_ = 0;  // lowest offset that may be handed out
  int64_t reached_ = 0;
  bool is_first_ = false;       // nothing was taken since the last seek
  std::optional<int64_t> gap_;  // what came first after the last seek, beyond what was sought
};

}  // namespace cdcrt::kafka_source
