// Stretch: the events of a sealed batch, read again from the source and handed out piece by piece in the order in which they
// happened: each partition's own, and across partitions by source order where the events have one.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apply/isolate.hpp"
#include "apply/table.hpp"

namespace cdcrt::apply {

/// One thread. The reader outlives it.
class Stretch {
 public:
  /// At most so much is in memory at a time, of all partitions.
  static constexpr std::size_t kMaxEvents = 1'000;
  static constexpr std::size_t kMaxBytes = 1 << 20;

  Stretch(const Sealed& batch, EventReader& reader);
  ~Stretch();
  Stretch(const Stretch&) = delete;
  Stretch& operator=(const Stretch&) = delete;

  /// Whether reading again finds all that was folded; goes back to the first event. UNSUPPORTED: the source cannot read again.
  Result<bool> is_whole();
  /// How many events is_whole() found.
  [[nodiscard]] std::size_t size() const { return size_; }

  struct Piece {
    std::size_t events = 0;        ///< 0: nothing is left
    std::optional<Sealed> sealed;  ///< nullopt: the events change nothing
    EventCounts counts;
  };
  /// The next events, at most `count`, folded into one batch; the same ones until pass().
  Result<Piece> peek(std::size_t count);
  /// The events of the last peek() are done.
  void pass();

  /// The event of a piece with a single one, as it was produced.
  struct Event {
    progress::Partition* partition = nullptr;
    const cdcrt_message* message = nullptr;
  };
  [[nodiscard]] Event event() const;

  /// Events of several partitions come in source order.
  [[nodiscard]] bool is_ordered() const { return is_ordered_; }
  /// Everything was passed.
  [[nodiscard]] bool ended() const;
  /// Where each partition stands after what was passed; folds are empty.
  [[nodiscard]] std::vector<SealedPartition> positions() const;
  /// Goes back to what positions() answered then.
  void go_back(const std::vector<SealedPartition>& positions);
  /// The partition is not ours any more.
  void drop(const progress::Partition& partition);

 private:
  struct Reading;
  class Folding;
  Result<void> load(Reading& reading);
  Result<Reading*> next_reading(bool streams, Folding& folding);

  const Sealed& batch_;
  EventReader& reader_;
  std::vector<std::unique_ptr<Reading>> readings_;
  bool is_ordered_ = false;
  std::size_t size_ = 0;
};

}  // namespace cdcrt::apply
