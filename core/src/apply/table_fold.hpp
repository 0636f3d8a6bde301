// TableFold: the rows of all partitions of a table, folded until they are written, and what they tell of its columns.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apply/decoded.hpp"
#include "apply/partition_fold.hpp"
#include "apply/row_folder.hpp"
#include "apply/sealed.hpp"
#include "apply/table_identity.hpp"
#include "apply/truncation.hpp"
#include "evolution/table_knowledge.hpp"
#include "progress/stored.hpp"

namespace cdcrt::apply {

/// The table's lock guards it, or it is one thread's.
class TableFold {
 public:
  using Clock = std::chrono::steady_clock;
  TableFold(const TableIdentity& identity, Folding folding);
  TableFold(const TableFold&) = delete;
  TableFold& operator=(const TableFold&) = delete;

  /// Before the first row: what the target keeps of the table, but for its progress.
  void restore(const progress::StoredTable& stored);
  /// The fold of the partition, made at the first call; `is_detached`: whether the table is detached.
  PartitionFold& partition(progress::Partition& partition, bool is_detached);
  [[nodiscard]] bool knows(const progress::Partition& partition) const { return find(partition) != nullptr; }
  /// Null: the partition has brought no rows.
  [[nodiscard]] PartitionFold* find(const progress::Partition& partition);
  [[nodiscard]] const PartitionFold* find(const progress::Partition& partition) const { return known(partition); }
  void restore_progress(PartitionFold& into, int64_t next_offset, const std::string& order);
  /// A part of restore(), and when a partition is claimed: what was written up to the progress in the target may have shown its columns.
  void restore_sightings(const progress::StoredTable& stored);
  void begin_at(const progress::PartitionKey& key, int64_t first);
  /// The partition was given up: its rows that are not durable are dropped.
  void forget(PartitionFold& of, bool is_detached);

  /// Rows of the partition are about to come: asks for the memory that folding them touches, without waiting for it.
  /// fetch_rows() is for later, once what fetch_partition() asked for is there.
  void fetch_partition(const progress::Partition& partition) const;
  void fetch_rows(const progress::Partition& partition) const;
  /// Folds rows of one decoded batch. A truncate may send the partition back, so that it does not reach their end.
  void fold(const Decoded& batch, PartitionFold& into, const uint32_t* rows, std::size_t count, const RefusalHandler& refused);
  /// Why folding stopped; empty: it did not.
  [[nodiscard]] const std::string& stopped() const { return stopped_; }
  void stop(const std::string& reason);
  /// A row was met that cannot be applied before the table's key is known: why; nothing more is folded until detach(). Empty: none was.
  [[nodiscard]] const std::string& lacks_key() const { return lacks_key_; }
  /// What definitions among the rows tell of the key; also for rows that are not folded now. True: that is news.
  bool learn_key(const Decoded& batch, const uint32_t* rows, std::size_t count);
  /// The same of the topic from which they come.
  bool learn_definition_topic(const Decoded& batch, const uint32_t* rows, std::size_t count);
  /// A row was met that lacks a column, which a definition that has not been read may have renamed: the topic of definitions; nothing more
  /// is folded until detach(). Empty: none was.
  [[nodiscard]] const std::string& lacks_definitions() const { return lacks_definitions_; }
  /// A definition of the table was met, here or by another process.
  [[nodiscard]] bool has_definitions() const { return !definition_topic_.empty(); }
  void await_definitions();
  void definitions_are_read();

  /// Something is to be written, and since when.
  [[nodiscard]] bool is_dirty() const { return is_dirty_; }
  [[nodiscard]] Clock::time_point dirty_since() const { return dirty_since_; }
  void note_dirty();
  /// Fills the batch, but for what only Table knows. Empty: there is nothing to write.
  void seal(Sealed& sealed);
  void written(const Sealed& sealed);
  void written_in_part(const Sealed& portion);
  void give_back(const Sealed& sealed);
  /// Takes over what another process stored, also into a batch that is being written. True: that process has emptied the table.
  bool merge(const progress::StoredTable& stored, Sealed& sealed);

  // A detached table.

  void detach(bool is_skipped);
  void reattach();
  void skip();
  [[nodiscard]] bool is_missing() const;

  [[nodiscard]] std::size_t bytes() const { return held().bytes; }
  [[nodiscard]] std::size_t rows() const { return held().rows; }
  [[nodiscard]] const std::map<const progress::Partition*, PartitionFold>& partitions() const { return partitions_; }
  /// How many partitions of the table other processes read: without a key only tables of one partition take updates and deletes.
  void count_others(std::size_t count) { others_ = count; }
  [[nodiscard]] bool is_by_source() const { return by_source_; }
  [[nodiscard]] bool has_one_source() const;
  [[nodiscard]] const evolution::TableKnowledge& knowledge() const { return knowledge_; }
  [[nodiscard]] RowFolder& folder() { return folder_; }
  [[nodiscard]] const CellConverter& converter() const { return folder_.converter(); }

 private:
  struct Held {
    std::size_t bytes = 0, rows = 0;
    bool operator==(const Held&) const = default;
  };
  static Held held_by(const PartitionFold& of) { return {of.fold().bytes(), of.fold().entries().size()}; }
  [[nodiscard]] PartitionFold* known(const progress::Partition& partition) const;
  [[nodiscard]] Held count() const;
  [[nodiscard]] const Held& held() const;
  void count_again(const PartitionFold& of, const Held& before);
  /// Whoever goes through all of them may change what they hold.
  std::map<const progress::Partition*, PartitionFold>& each_partition() {
    is_counted_ = false;
    return partitions_;
  }
  void fold_row(const Decoded& batch, PartitionFold& into, const cdcrt_row& row, const event::Shape& shape, std::vector<Refusal>& refusals);
  [[nodiscard]] bool may_be_renamed(const PartitionFold& into, const cdcrt_row& row, const event::Shape& shape, int64_t offset) const;
  bool is_refused_gap(PartitionFold& into);
  [[nodiscard]] bool is_of_log_of_truncate(std::string_view order);
  bool is_before_truncate(PartitionFold& into, int64_t offset);
  bool keeps_order(PartitionFold& into, const event::Shape& shape, const cdcrt_row& row, int64_t offset);
  [[nodiscard]] std::string missing_key_text(const event::Shape& shape) const;
  bool take_row_order(PartitionFold& into, const cdcrt_row& row, int64_t offset);
  void set_by_source(bool by_source);
  void begin_source_order(const PartitionFold& current);
  /// False: what it says cannot be taken, and was refused, or the table has stopped.
  bool take_definition(const RowFolder::Incoming& incoming, std::string_view order);
  void take_definition_topic(const progress::StoredTable& stored);
  void note_topic(const std::string& topic, bool definition);
  void truncate(PartitionFold& into, std::string_view order, int64_t offset);
  void follow_schema_changes();
  /// A column of the key, or of the image that is the key of a row without one, has other canonical bytes in its new type, or is gone.
  void follow_keys(const std::vector<evolution::TypeChange>& changes, bool drops);
  void count_foreign(const progress::StoredTable& stored);
  void refresh(Sealed& sealed);
  void read_again_after(const std::string& order, Sealed& sealed);
  void read_again_what_lacks(std::size_t first_new, Sealed& sealed);
  void read_all_again(Sealed& sealed);
  void forget_truncate(Sealed& sealed);
  bool take_floor(const std::string& floor, Sealed& sealed);
  void drop_before(const std::string& floor, Sealed& sealed);
  void drop_unstored(PartitionFold& of);
  void drop_sealed(PartitionFold& of);
  /// Those that bring rows.
  [[nodiscard]] std::size_t partition_count() const;
  [[nodiscard]] std::size_t foreign_count() const;
  /// A topic brings definitions and no rows.
  [[nodiscard]] bool has_definitions_apart() const { return !has_rows_there_ && !definition_topic_.empty(); }
  [[nodiscard]] bool is_of_definitions(const std::string& topic) const { return has_definitions_apart() && topic == definition_topic_; }

  const TableIdentity& identity_;
  const Folding folding_;
  evolution::TableKnowledge knowledge_;
  RowFolder folder_;
  std::map<const progress::Partition*, PartitionFold> partitions_;
  /// Where the fold of a partition is. With thousands of tables each step through a tree waits for memory.
  struct Place {
    const progress::Partition* partition = nullptr;
    PartitionFold* fold = nullptr;
  };
  std::vector<Place> places_;                               ///< of partitions_, in the same order
  mutable Place last_;                                      ///< the one that was asked for last
  mutable Held held_;                                       ///< by all of them: asked for with each row of one of thousands of tables
  mutable bool is_counted_ = false;                         ///< held_ is right
  std::vector<progress::PartitionKey> foreign_partitions_;  ///< that other processes have written to this table
  std::size_t others_ = 0;
  std::string definition_topic_;  ///< where definitions come from; empty: none have come
  bool has_rows_there_ = false;   ///< rows come from it as well
  Truncation truncation_;
  bool by_source_ = false;
  bool is_dirty_ = false;
  Clock::time_point dirty_since_{};
  std::string stopped_;
  std::string lacks_key_, lacks_definitions_;
  uint64_t whole_shape_ = UINT64_MAX, whole_version_ = 0;  ///< the shape lacks no column, as of that version of what is known
};

/// Cells of a column that turned out to be another one, renamed, become that one's, which has `type`.
void merge_cells(Fold& fold, const evolution::Merge& merge, cdcrt_type type);

}  // namespace cdcrt::apply
