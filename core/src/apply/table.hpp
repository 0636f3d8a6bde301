// Table: one target table. Takes rows of all partitions, folds them, and hands out what is ready to be written.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "apply/key_order.hpp"
#include "apply/sealed.hpp"
#include "apply/table_identity.hpp"
#include "apply/table_observer.hpp"
#include "cdcrt/abi/sink.h"
#include "event/row_batch.hpp"
#include "evolution/table_knowledge.hpp"
#include "progress/store.hpp"

namespace cdcrt::apply {

/// A message that this table cannot take, with the reason code of its dead letter.
struct Refusal {
  uint32_t message;
  std::string reason;
  Error error;
};

/// Told of a refusal under the table's lock, before anything can be sealed: its dead letter is there before progress passes it.
using RefusalHandler = std::function<void(const Refusal&)>;

/// Thread-safe. accept() is called by decode workers, seal() and complete() by writers.
class Table {
 public:
  explicit Table(TableIdentity identity);

  [[nodiscard]] const TableIdentity& identity() const { return identity_; }
  [[nodiscard]] cdcrt_table abi() const;

  /// Before the first row: what the target keeps of this table, but for its progress.
  void restore(const progress::StoredTable& stored);
  /// The partition became ours: everything below `next_offset` is in the target.
  void restore_progress(progress::Partition& partition, int64_t next_offset, const std::string& order);
  /// Where the target says "from the beginning" (0), that turned out to be there. Before anything is read of the partition.
  void begin_at(const progress::PartitionKey& key, int64_t first);
  /// The partition was given up: its rows that are not durable are dropped.
  void forget(const progress::Partition& partition);
  /// Another process changed what is kept of this table: takes it over, also for a batch being written. `stored` has the
  /// progress of every partition.
  void merge(const progress::StoredTable& stored, Sealed& sealed);

  struct Batch {
    progress::Partition& partition;
    const cdcrt_messages& messages;
    const event::RowBatch& rows;
    const event::ShapeRegistry& shapes;
    int64_t next_offset;  ///< the rows given are all that the table gets of the messages below it
  };
  /// Folds rows (indexes into batch.rows, ascending) of one decoded batch; all rows of a message come in one call.
  void accept(const Batch& batch, const uint32_t* rows, std::size_t count, const RefusalHandler& refused);

  /// True when there is something to write and nothing is being written.
  [[nodiscard]] bool ready() const;
  /// Since when rows wait; only meaningful when ready().
  [[nodiscard]] std::chrono::steady_clock::time_point waiting_since() const;
  /// When seal() last gave something out; the epoch: never.
  [[nodiscard]] std::chrono::steady_clock::time_point last_sealed() const;
  /// Bytes held and not sealed.
  [[nodiscard]] std::size_t held_bytes() const;
  [[nodiscard]] std::size_t held_rows() const;
  /// `detached`: of a table that is detached, else of one that is not.
  std::optional<Sealed> seal(bool detached = false);
  void complete(const Sealed& sealed);
  /// A part of the batch that is being written is durable: `portion` says up to where.
  void advance(const Sealed& portion);
  /// The write was not done and will not be: the table stops, its progress stays, its rows are dropped.
  void stop(const std::string& reason, const Sealed* sealed);
  /// Why the table stopped; empty: it did not.
  [[nodiscard]] std::string stopped() const;

  /// A decode worker waits for room in this table, and with it every table of the partition.
  std::atomic<int> waited_for{0};

  // A table that stalls is detached: its rows are dropped, its progress stays, and what it misses is read back.

  void detach(const std::string& reason, const Sealed* sealed);
  /// Why the table is detached; empty: it is not.
  [[nodiscard]] std::string detached() const;
  [[nodiscard]] bool is_detached() const;
  /// How often a batch of it became durable.
  [[nodiscard]] uint64_t times_written() const;
  struct Missed {
    progress::Partition* partition;
    int64_t first, end;
  };
  [[nodiscard]] std::vector<Missed> missed() const;
  /// accept() for messages that are read back from `from` on, where the last call ended. False: the partition does not stand
  /// there any more; what else would be read back does not belong to it.
  bool read_back(const Batch& batch, int64_t from, const uint32_t* rows, std::size_t count, const RefusalHandler& refused);
  /// Nothing more of the table is in the messages from `from` up to `next_offset`.
  void read_back_to(progress::Partition& partition, int64_t from, int64_t next_offset);
  /// Takes live rows again once nothing is missed. False: something is.
  bool reattach();
  /// What an operator asked for: skipped tables take nothing and hold nothing back.
  void skip(bool skipped);
  /// The same for a table that is detached because of it.
  void pause(bool paused);

  /// Lowest offset of the partition that is routed here and not durable; nullopt: none.
  [[nodiscard]] std::optional<int64_t> first_unapplied(const progress::Partition& partition) const;

  /// That have had rows for it, and are read by this process.
  [[nodiscard]] std::size_t partition_count() const;

  /// Totals of committed batches.
  [[nodiscard]] EventCounts applied() const;
  /// Late values of columns that were dropped.
  [[nodiscard]] uint64_t late_cells() const { return late_; }
  /// What the route says of one column by its name.
  struct ColumnUse {
    std::string name;
    bool met;  ///< an event had it
    bool of_defaults;
  };
  /// Empty until a row was taken.
  [[nodiscard]] std::vector<ColumnUse> column_uses() const;
  /// What a column may have been meant that is not there; empty: nothing is near.
  [[nodiscard]] std::string advice_for(const std::string& column) const;
  /// Changes that made values fit: cut or made NULL (on_overflow), characters left out; as often as they were read or written.
  [[nodiscard]] uint64_t overflowed_cells() const { return overflowed_; }
  void count_overflowed(uint64_t values) { overflowed_ += values; }
  /// Cells for which the table has no column (schema_changes = "ignore"); as often as they were read or written.
  [[nodiscard]] uint64_t left_out_cells() const { return left_out_; }
  void count_left_out(uint64_t cells) { left_out_ += cells; }

  /// No two source tables bring rows here, as far as is known: one message key is one row.
  [[nodiscard]] bool has_one_source() const;

  [[nodiscard]] bool is_by_source() const {
    const std::lock_guard lock(mutex_);
    return by_source_;
  }

  // Used by one writer at a time, while it holds a Sealed of this table.
  struct Target {
    bool described = false;
    bool exists = false;
    bool has_unique_key = false;
    bool folds_names = false;
    std::vector<std::string> columns;   ///< names in the target
    uint64_t stored_version = 0;        ///< of the knowledge as last stored
    progress::StoredTable row;          ///< as last read or written: version, floor, state; no lists
    bool row_known = false;             ///< false: to be read again, and merged
    /// By target name: the column as it is in the target. Adopted ones and those of a route's target_type have the target's own
    /// type, and its name of it in target_type.
    std::map<std::string, evolution::Column> made;
    std::set<std::string> adopted;      ///< names of columns that were there before cdcrt, or that the table lacks and is to lack
    std::set<std::string> left_out;     ///< of those: what the table lacks
    std::set<std::string> kept;         ///< columns that the target says are not to be altered
    uint64_t schema_changes = 0;
    std::map<std::string, KeyChangeRecord> key_changes;  ///< halves of key changes that wait for the other, by new key
    bool letters_known = false;  ///< what follows is as stored
    bool dead_letters_whole = false;  ///< all of them are there; else they are too many, and looked up by key
    progress::Store::LettersByKey open_dead_letters;
    KeyOrder keys;
    bool keys_read = false;  ///< those that an earlier process remembered
    std::vector<uint8_t> key_kinds;  ///< cdcrt_type_kind of the columns of the key that `keys` were written under
  } target;
  std::atomic<std::chrono::steady_clock::rep> next_purge{0};  ///< of tombstones; who moves it on purges
  std::atomic<bool> tells_overtaken{true};  ///< that older changes came late was not said yet
  std::atomic<bool> tells_left_behind{true};  ///< that rows may stay under old keys was not said yet
  /// A partition went: whoever reads it writes keys that we would take for ours.
  std::atomic<bool> forgets_keys{false};

 private:
  struct PartitionState {
    progress::Partition* partition = nullptr;
    Fold fold;
    int64_t next = 0;               ///< rows below are folded or durable
    int64_t stored_next = 0;        ///< durable
    std::string stored_order;       ///< max_order of what is durable
    int64_t first_held = -1;        ///< offset of the first row in `fold`; -1: none
    int64_t first_sealed = -1;      ///< the same of what is being written
    std::optional<int64_t> sealed_next;  ///< what is being written reaches up to there
    std::string sealed_order;       ///< its max_order
    uint32_t min_generation = 0;    ///< older batches were read before a rewind
    std::string last_order;         ///< of the last row that had one
    std::string row_order;          ///< of the last row
    std::string max_order;          ///< greatest order of the rows below `next`
    int64_t append_offset = -1;     ///< mode append: of the last row
    int64_t append_ordinal = 0;     ///< among the rows of its message
    bool unordered = false;         ///< had rows before any order was seen
    uint32_t other_keys = 0;        ///< messages in a row that name another key than the table's
    uint32_t session = 0;           ///< of the partition
    uint32_t source = 0;            ///< index into sources_: of the last row
    uint32_t source_shape = UINT32_MAX;  ///< the shape that this is of
    bool fresh = true;              ///< had no row yet
    bool is_detached = false;       ///< what comes is not folded but read back later
    int64_t missed_next = 0;        ///< detached: rows were left out up to there
    std::vector<std::pair<std::string, int64_t>> marks;  ///< (max_order, next) after a batch, ascending, not all of them
  };

  PartitionState& state_of(progress::Partition& partition);
  PartitionState* missing_from(const progress::Partition& partition, int64_t from);
  void fold_rows(const Batch& batch, PartitionState& state, const uint32_t* rows, std::size_t count, const RefusalHandler& refused);
  void count_foreign(const progress::StoredTable& stored);
  void refresh(Sealed& sealed);
  void read_again_after(const std::string& order, Sealed& sealed);
  void take_floor(const std::string& floor, Sealed& sealed);
  void raise_floor(const std::string& floor);
  void drop_before(const std::string& floor, Sealed& sealed);
  static void back_to(PartitionState& state, int64_t next, const std::string& order);
  void drop_unstored(PartitionState& state);
  void drop_sealed(PartitionState& state);
  void accept_row(const Batch& batch, PartitionState& state, const cdcrt_row& row, std::vector<Refusal>& refusals);
  void accept_keyed(PartitionState& state, const cdcrt_row& row, int64_t offset, const Batch& batch, const evolution::ShapeMap& map,
                    std::vector<Refusal>& refusals);
  void accept_append(PartitionState& state, const cdcrt_row& row, int64_t offset, const Batch& batch, const evolution::ShapeMap& map,
                     std::vector<Refusal>& refusals);
  void accept_keyless(PartitionState& state, const cdcrt_row& row, int64_t offset, const Batch& batch, const evolution::ShapeMap& map,
                      std::vector<Refusal>& refusals);
  /// False: the event lacks cells of a row whose old key cannot be read; `error` is empty where it is not in the event.
  bool note_key_change(PartitionState& state, const cdcrt_row& row, const Batch& batch, const evolution::ShapeMap& map, Entry& entry, Error& error);
  void accept_event(PartitionState& state, const cdcrt_row& row, int64_t offset);
  void truncate(PartitionState& state, std::string_view order, int64_t offset);
  void rewind_past(PartitionState& state, std::string_view order);
  bool convert_cell(const cdcrt_cell& cell, cdcrt_type from, bool declared, uint32_t slot, cdcrt_cell& out, Error& error);
  bool keep_length(uint32_t slot, cdcrt_cell& cell, Error& error);
  bool convert_row(const event::Shape& shape, const evolution::ShapeMap& map, const cdcrt_cell* cells, std::vector<cdcrt_cell>& out,
                   Error& error);
  /// The cells of the key alone.
  bool convert_key(const event::Shape& shape, const evolution::ShapeMap& map, const cdcrt_cell* cells, std::vector<cdcrt_cell>& out, Error& error);
  /// Cells that `scratch_` lacks, from the image before the change.
  bool complete_from(const event::Shape& shape, const evolution::ShapeMap& map, const cdcrt_cell* before, Error& error);
  bool key_of(const std::vector<cdcrt_cell>& cells, std::string& key) const;
  [[nodiscard]] std::string missing_key(const std::vector<cdcrt_cell>& cells) const;
  [[nodiscard]] std::string key_advice(uint8_t operation) const;
  void note_source(PartitionState& state, const event::Shape& shape);
  void refuse_shape(PartitionState& state, const cdcrt_row& row, int64_t offset, const Batch& batch, Error error, std::vector<Refusal>& refusals);
  void note_refused(PartitionState& state, const cdcrt_row& row, int64_t offset, const Batch& batch, const evolution::ShapeMap& map);
  void follow_schema_changes();
  /// A column of the key, or of the image that is the key of a row without one, has other canonical bytes in its new type, or is gone.
  void follow_keys(const std::vector<evolution::TypeChange>& changes, bool drops);
  /// The image of a row as its key.
  void append_image_key(const cdcrt_cell* cells, uint32_t width, std::string& key);
  /// Answers the entry's index.
  uint32_t append_image(PartitionState& state, const std::vector<cdcrt_cell>& cells, int64_t offset, int32_t copies);
  void stop_locked(const std::string& reason);
  /// Source order: where a change of `found`'s key goes that is folded by itself, as `added` says; null: a later one has overtaken it.
  Entry* place_by_source(PartitionState& state, Entry* found, bool& added, bool whole, bool snapshot, int64_t offset);
  void begin_source_order(PartitionState& current);
  bool take_row_order(PartitionState& state, const cdcrt_row& row, int64_t offset);
  /// Under which the row that was read last counts among others of its key.
  [[nodiscard]] const std::string& order_of(const PartitionState& state) const { return by_source_ ? state.row_order : state.last_order; }
  void read_all_again(Sealed& sealed);
  static void mark(PartitionState& state);
  [[nodiscard]] std::size_t held_bytes_locked() const;
  void account();
  void tell_ready();
  void tell_trouble();

  const TableIdentity identity_;
  mutable std::mutex mutex_;
  evolution::TableKnowledge knowledge_;
  std::map<const progress::Partition*, PartitionState> partitions_;
  std::vector<SourceOfRows> sources_;
  std::string floor_;
  std::string stored_floor_;  ///< as it is in the target
  const progress::Partition* floor_by_ = nullptr;  ///< where the truncate of a floor that is not in the target yet was read
  bool by_source_ = false;
  bool clear_ = false;
  const progress::Partition* cleared_by_ = nullptr;
  std::string detached_;
  bool skipped_ = false;
  bool paused_ = false;
  uint64_t times_written_ = 0;
  std::vector<progress::PartitionKey> foreign_partitions_;  ///< that other processes have written to this table
  bool writing_ = false;
  bool dirty_ = false;
  std::chrono::steady_clock::time_point dirty_since_{}, last_sealed_{};
  std::string stopped_;
  EventCounts applied_;
  std::atomic<uint64_t> overflowed_{0}, left_out_{0}, late_{0};
  std::size_t accounted_ = 0;
  std::vector<cdcrt_cell> scratch_, before_scratch_;
  std::string key_scratch_, image_scratch_;
  bool learns_ = true;                 ///< the cells being converted become a row: columns without a schema follow them
  event::Arena conversion_{16 << 10};  ///< empty between calls
};

}  // namespace cdcrt::apply
