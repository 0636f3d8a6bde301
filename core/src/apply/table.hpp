// Table: one target table. Takes rows of all partitions, and hands out what is ready to be written.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "apply/decoded.hpp"
#include "apply/intake.hpp"
#include "apply/kept_row.hpp"
#include "apply/known_keys.hpp"
#include "apply/open_dead_letters.hpp"
#include "apply/partitions_now.hpp"
#include "apply/sealed.hpp"
#include "apply/table_fold.hpp"
#include "apply/table_identity.hpp"
#include "apply/table_observer.hpp"
#include "apply/target_definition.hpp"
#include "cdcrt/abi/sink.h"
#include "observe/table_facts.hpp"
#include "progress/stored.hpp"

namespace cdcrt::apply {

/// Thread-safe. accept() is called by decode workers, seal() and complete() by writers.
class Table {
 public:
  explicit Table(TableIdentity identity);

  [[nodiscard]] const TableIdentity& identity() const { return identity_; }
  [[nodiscard]] ObserverSeat& seat() { return seat_; }  ///< its observer's
  [[nodiscard]] cdcrt_table abi() const;

  /// Before the first row: what the target keeps of this table, but for its progress.
  void restore(const progress::StoredTable& stored);
  /// `ours` were assigned to this process: of those that have progress everything below is in the target. `stored` has the columns too.
  void restore_progress(const progress::StoredTable& stored, const progress::PartitionsByKey& ours);
  /// The target stores "from the beginning" (0), and the log begins at `first`. Before anything of the partition is read.
  void begin_at(const progress::PartitionKey& key, int64_t first);
  /// The partition was given up: its rows that are not durable are dropped.
  void forget(const progress::Partition& partition);
  /// Another process changed what the target keeps of this table: takes it over, also into a batch that is being written. `stored` has
  /// the progress of every partition.
  void merge(const progress::StoredTable& stored, Sealed& sealed);

  /// Rows come soon: asks for the memory that taking them touches. Each step once what the one before asked for is there.
  enum class Fetch : uint8_t { kTable, kPartition, kRows };
  void fetch_ahead(Fetch step, const progress::Partition& partition) const;
  /// Folds rows (indexes into batch.rows, ascending) of one decoded batch; all rows of a message come in one call.
  void accept(const Decoded& batch, const uint32_t* rows, std::size_t count, const RefusalHandler& refused);

  [[nodiscard]] bool ready() const;                                           ///< there is something to write, and nothing is being written
  [[nodiscard]] std::chrono::steady_clock::time_point waiting_since() const;  ///< only meaningful when ready()
  [[nodiscard]] std::chrono::steady_clock::time_point last_sealed() const;    ///< when seal() last gave something out; the epoch: never
  /// Bytes and rows that are buffered and not being written.
  [[nodiscard]] std::size_t buffered_bytes() const;
  [[nodiscard]] std::size_t buffered_rows() const;
  [[nodiscard]] std::size_t last_buffered_rows() const { return held_rows_; }  ///< when rows came last; takes no lock
  /// What waits since the last batch was sealed, or was the last one, are rows of a snapshot or load and no changes.
  [[nodiscard]] bool is_loading() const { return is_loading_; }
  /// Hands out what is buffered. nullopt: nothing is, or the table's state is not the one that the caller writes (`detached` or not).
  std::optional<Sealed> seal(bool detached = false);
  void complete(const Sealed& sealed);
  /// A part of the batch that is being written is durable: `portion` says up to where.
  void advance(const Sealed& portion);
  /// The write was not done and will not be: the table stops, its progress stays, its rows are dropped.
  void stop(const std::string& reason, const Sealed* sealed);
  /// Why the table stopped; empty: it did not.
  [[nodiscard]] std::string stopped() const;

  /// A decode worker waits for room in this table, and with it every table of the partition.
  void wait_for_room(bool waits) { waiting_ += waits ? 1 : -1; }
  [[nodiscard]] bool is_waited_for() const { return waiting_ > 0; }

  // A table that stalls is detached: its rows are dropped, its progress stays, and what it misses is read back.

  void detach(const std::string& reason, const Sealed* sealed);
  /// It is detached because its key is not known: it cannot be read back before a definition, or another process, has told it.
  [[nodiscard]] bool waits_for_key() const;
  /// A row that it missed lacks a column, which may have been renamed.
  struct Awaited {
    std::string source, topic;  ///< where the definitions come from
    std::chrono::steady_clock::time_point since;
  };
  /// It is detached for that, and cannot be read back before a definition of it is met, or definitions_are_read(). nullopt: it is not.
  [[nodiscard]] std::optional<Awaited> awaited_definitions() const;
  /// Whatever was in the logs when it began to wait is read, in this process or by others. `since`: the wait that is meant.
  void definitions_are_read(std::chrono::steady_clock::time_point since);
  /// Another process may have met a definition.
  [[nodiscard]] bool may_learn_definitions() const;
  /// What another process stored of it while it was detached.
  void learn(const progress::StoredTable& stored);
  [[nodiscard]] std::string detached() const;  ///< why it is; empty: it is not
  [[nodiscard]] bool is_detached() const;
  /// How many of its batches became durable.
  [[nodiscard]] uint64_t times_written() const;
  struct Missed {
    progress::Partition* partition;
    int64_t first, end;
  };
  [[nodiscard]] std::vector<Missed> missed() const;
  /// accept() for messages that are read back from `from` on, where the last call ended. False: the partition was sent somewhere else
  /// meanwhile; reading back must begin anew.
  bool read_back(const Decoded& batch, int64_t from, const uint32_t* rows, std::size_t count, const RefusalHandler& refused);
  /// The messages from `from` up to `next_offset` have no more rows of the table.
  void read_back_to(progress::Partition& partition, int64_t from, int64_t next_offset);
  /// Ends the detachment. False: rows that were missed are still to be read back.
  bool reattach();
  /// An operator skips the table: its rows are dropped, and it holds no watermark back.
  void skip(bool skipped);
  /// An operator pauses the table: it is detached until it is resumed.
  void pause(bool paused);

  /// Lowest offset of the partition that is routed here and not durable; nullopt: none.
  [[nodiscard]] std::optional<int64_t> first_unapplied(const progress::Partition& partition) const;
  /// Number of partitions that this process reads and that brought rows of the table.
  [[nodiscard]] std::size_t partition_count() const;

  struct Behind {
    std::optional<uint64_t> messages;      ///< of its partitions that are not applied; nullopt: no end is known
    uint64_t applied = 0, partitions = 0;  ///< sum of the offsets below which all is; a number for which partitions count
  };
  [[nodiscard]] Behind behind(const PartitionsNow& partitions) const;
  /// For those who watch; `partitions`: those of this process.
  [[nodiscard]] observe::TableFacts facts(const PartitionsNow& partitions) const;
  /// Totals of committed batches.
  [[nodiscard]] EventCounts applied() const;
  [[nodiscard]] uint64_t late_cells() const { return fold_.converter().late(); }
  [[nodiscard]] uint64_t overflowed_cells() const { return fold_.converter().overflowed(); }
  void count_overflowed(uint64_t values) { fold_.folder().converter().count_overflowed(values); }
  [[nodiscard]] uint64_t left_out_cells() const { return fold_.converter().left_out(); }
  void count_left_out(uint64_t cells) { fold_.folder().converter().count_left_out(cells); }
  /// What the route says of one column by its name.
  struct ColumnUse {
    std::string name;
    bool met;  ///< an event had it
    bool of_defaults;
  };
  /// Empty until a row was taken.
  [[nodiscard]] std::vector<ColumnUse> column_uses() const;
  /// A hint for a column that no event has: the nearest name; empty: nothing is near.
  [[nodiscard]] std::string advice_for(const std::string& column) const;
  /// As far as is known only one source table brings rows, so that one message key is one row.
  [[nodiscard]] bool has_one_source() const;
  [[nodiscard]] bool is_by_source() const;
  // Used by one writer at a time, while it holds a Sealed of this table.
  [[nodiscard]] TargetDefinition& definition() { return definition_; }
  [[nodiscard]] const TargetDefinition& definition() const { return definition_; }
  [[nodiscard]] KeptRow& kept() { return kept_; }
  [[nodiscard]] KnownDeadLetters& dead_letters() { return dead_letters_; }
  [[nodiscard]] KnownKeys& keys() { return keys_; }

 private:
  PartitionFold& partition(progress::Partition& of);
  PartitionFold* missing_from(const progress::Partition& partition, int64_t from);
  void take_in(const Intake& intake);
  void fold_rows(const Decoded& batch, PartitionFold& into, const uint32_t* rows, std::size_t count, const RefusalHandler& refused);
  void unseal(const Sealed& sealed);
  void account();
  void tell_ready();
  void tell_trouble();
  bool detach_to_wait();
  void miss_intake();
  void count_written();
  [[nodiscard]] Behind behind_of(const PartitionsNow& partitions) const;
  [[nodiscard]] int64_t oldest_unapplied() const;

  const TableIdentity identity_;
  ObserverSeat seat_;
  mutable std::mutex mutex_;
  TableFold fold_;
  TargetDefinition definition_;
  KeptRow kept_;
  KnownDeadLetters dead_letters_;
  KnownKeys keys_;
  std::string detached_;
  bool lacks_key_ = false;          ///< that is why
  std::optional<Awaited> awaited_;  ///< or that
  bool are_definitions_read_ = false;
  bool is_skipped_ = false, is_paused_ = false;
  bool is_writing_ = false;
  std::chrono::steady_clock::time_point last_sealed_{};
  uint64_t times_written_ = 0;
  EventCounts applied_;
  Intake waiting_intake_, writing_, missed_;  ///< of what is buffered, is being written, was left out to be read back
  std::atomic<bool> is_loading_{false};       ///< for whoever only asks
  observe::ByOperation applied_bytes_{};
  uint64_t schema_changes_ = 0;  ///< as of the last commit: definition_ is the writer's
  int64_t last_commit_us_ = 0;   ///< since 1970; 0: never
  int64_t applied_to_us_ = 0;    ///< latest commit time at the source of what is durable; 0: not known
  std::size_t accounted_ = 0;
  std::atomic<std::size_t> held_rows_{0};
  std::atomic<int> waiting_{0};
};

}  // namespace cdcrt::apply
