// PartitionFold: the changes of one partition for one table, folded until they are written, and how far the table has read the partition.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "apply/fold.hpp"
#include "apply/sealed.hpp"
#include "progress/partition.hpp"

namespace cdcrt::apply {

/// kLive: rows are folded to be written. kAside: a second time beside the table (isolation, replay); then the source is never asked to
/// rewind.
enum class Folding : uint8_t { kLive, kAside };

/// What folding remembers from one row to the next.
struct RowMemory {
  int64_t append_offset = -1;          ///< mode append: offset of the last row
  int64_t append_ordinal = 0;          ///< mode append: its place among the rows of its message
  std::vector<uint32_t> unplaced;      ///< columns first seen in rows without source order, since the last row that had one
  uint32_t other_keys = 0;             ///< number of messages, one after the other, whose key is not the table's
  uint32_t source = 0;                 ///< of the last row, as Entry::source
  uint64_t source_shape = UINT64_MAX;  ///< the shape that `source` belongs to
};

/// The table's lock guards it.
class PartitionFold {
 public:
  PartitionFold(progress::Partition& partition, Folding folding, bool is_detached);

  [[nodiscard]] progress::Partition& partition() const { return *partition_; }
  [[nodiscard]] Fold& fold() { return fold_; }
  [[nodiscard]] const Fold& fold() const { return fold_; }
  void drop_fold() { fold_ = Fold(); }
  [[nodiscard]] RowMemory& memory() { return memory_; }

  /// Asks for the memory that folding one more row touches.
  void fetch_rows() const;

  // How far the table has come.

  /// Everything below `next_offset` is in the target.
  void restore(int64_t next_offset, const std::string& order);
  /// Restored with offset 0 ("from the beginning"): the log really begins at `first`.
  void begin_at(int64_t first);
  /// The partition was given up: forgets everything.
  void begin_again(bool is_detached);
  /// False: the messages were read before a rewind, or were taken already.
  [[nodiscard]] bool takes(uint32_t generation, int64_t next_offset) const { return generation >= min_generation_ && next_offset > next_; }
  /// Rows are about to be folded, the first of them of the message at `offset`.
  void receive(int64_t offset);
  /// Detached: rows below `next_offset` were left out, to be read back later.
  void miss(int64_t next_offset) { missed_next_ = std::max(missed_next_, next_offset); }
  struct Place {
    uint32_t generation;
    int64_t next;
    bool operator==(const Place&) const = default;
  };
  /// Where reading goes on; changes when a truncate sends the partition back.
  [[nodiscard]] Place place() const { return {min_generation_, next_}; }
  [[nodiscard]] int64_t next() const { return next_; }
  /// Everything below `next_offset` is folded, `rows` more rows.
  void reach(int64_t next_offset, std::size_t rows);
  /// Everything is durable, and nothing is being written.
  [[nodiscard]] bool is_stored() const { return next_ == stored_next_ && !sealed_next_; }
  [[nodiscard]] bool is_durable() const { return next_ == stored_next_; }
  /// A truncate sent it back to before what is durable.
  [[nodiscard]] bool is_behind() const { return next_ < stored_next_; }
  [[nodiscard]] int64_t stored_next() const { return stored_next_; }
  [[nodiscard]] std::optional<int64_t> first_unapplied() const;

  // Source order.

  void read_order(std::string_view order) { last_order_.assign(order); }
  void read_row_order(std::string_view order) { row_order_.assign(order); }
  /// Notes the source order of a row that was routed to the table.
  void raise_order(std::string_view order) {
    if (order > max_order_) max_order_.assign(order);
  }
  [[nodiscard]] const std::string& last_order() const { return last_order_; }  ///< source order of the last row that had one
  [[nodiscard]] const std::string& row_order() const { return row_order_; }    ///< source order of the last row; empty: it had none
  [[nodiscard]] const std::string& max_order() const { return max_order_; }    ///< greatest source order of the rows below next()
  /// A truncate in another partition sent it back to the beginning of its log, wherever that is by now, and no row came since.
  [[nodiscard]] bool is_at_beginning() const;
  void note_unordered();
  [[nodiscard]] bool is_unordered() const { return is_unordered_; }  ///< it had rows before any order was seen

  // A batch.

  /// Hands out what was folded; nullopt: there is nothing to write.
  std::optional<SealedPartition> seal();
  void written(const SealedPartition& part);
  void written_in_part(const SealedPartition& part);
  /// The batch will not be written: its rows are read again.
  void give_back(const SealedPartition& part);
  /// The table stops: goes back to what is durable.
  void stop();

  // Rows that are dropped here and read again from the source.

  /// Drops rows that are neither durable nor being written. True: the source was asked to read them again.
  bool drop_unstored();
  /// The same with what is being written; the caller takes this partition out of the batch.
  bool drop_sealed();
  /// A truncate at `order` was read in another partition: rows after it that were folded or written already are read again.
  void rewind_past(std::string_view order);
  /// The table is detached: rows are not folded now but read back later.
  void detach(bool is_skipped);
  [[nodiscard]] bool is_detached() const { return is_detached_; }
  void reattach();
  void skip();
  [[nodiscard]] bool is_missing() const { return next_ < missed_next_; }
  [[nodiscard]] int64_t missed_next() const { return missed_next_; }
  /// Reading back from `from` continues exactly where the table stands.
  [[nodiscard]] bool goes_on_at(int64_t from) const {
    return is_detached_ && session_ == partition_->session() && next_ == from && is_missing();
  }
  /// No more rows of the table are below `next_offset`. False: it stands there already.
  bool read_back_to(int64_t next_offset);

  // Columns that rows lack, of tables whose definitions come from another topic.

  /// The table waits for the definitions that are in the logs by now.
  void await_definitions() { awaited_next_ = std::max(missed_next_, next_); }
  /// Those are read: what rows lack that had been met until then is gone.
  void definitions_are_read() { drops_below_ = std::max(drops_below_, awaited_next_); }
  [[nodiscard]] bool may_drop_columns(int64_t offset) const { return offset < drops_below_; }

 private:
  void mark(std::size_t rows);
  void back_to(int64_t next, const std::string& order);
  void stand_at(std::string_view order);
  uint32_t rewind(int64_t from) { return folding_ == Folding::kLive ? partition_->rewind(from) : min_generation_ + 1; }

  progress::Partition* partition_;
  Folding folding_;
  Fold fold_;
  RowMemory memory_;
  int64_t next_ = 0;                            ///< rows below are folded or durable
  int64_t stored_next_ = 0;                     ///< durable
  std::string stored_order_;                    ///< max_order_ of what is durable
  int64_t first_buffered_ = -1;                 ///< offset of the first row in the fold; -1: none
  int64_t first_sealed_ = -1;                   ///< the same of what is being written
  std::optional<int64_t> sealed_next_;          ///< what is being written reaches up to there
  std::optional<std::string> sent_back_order_;  ///< max_order_ below the place a truncate sent it back to, until it is sealed
  std::string sealed_order_;                    ///< its max_order_
  uint32_t min_generation_ = 0;                 ///< older batches were read before a rewind
  uint32_t session_ = 0;                        ///< of the partition
  std::string last_order_, row_order_, max_order_;
  bool is_unordered_ = false;
  bool is_fresh_ = true;               ///< had no row yet
  bool is_from_beginning_ = false;     ///< restored with offset 0
  bool is_sent_to_beginning_ = false;  ///< by a truncate, now or before a start
  bool is_detached_ = false;
  int64_t missed_next_ = 0;  ///< detached: rows were left out up to there
  int64_t awaited_next_ = 0, drops_below_ = 0;
  std::vector<std::pair<std::string, int64_t>> marks_;  ///< (max_order_, next_) after a batch, ascending, not all of them
  std::size_t marked_rows_ = kMarkedForGood;            ///< between the last two of them
  static constexpr std::size_t kMarkedForGood = 8;      ///< with fewer rows than that the last mark moves on
};

}  // namespace cdcrt::apply
