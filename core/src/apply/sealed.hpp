// Sealed: the batch that one write of a table carries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "apply/fold.hpp"
#include "apply/key_change_record.hpp"
#include "apply/source_order.hpp"
#include "apply/table_identity.hpp"
#include "evolution/table_knowledge.hpp"
#include "progress/store.hpp"

namespace cdcrt::apply {

class Table;

/// The part of a sealed batch that came from one partition.
struct SealedPartition {
  progress::Partition* partition = nullptr;
  uint32_t session = 0;  ///< of the partition: when it is given up, this part is dropped
  Fold fold;
  int64_t next_offset = 0;   ///< progress once this is written
  int64_t first_offset = 0;  ///< of the first row in it
  std::string order;         ///< greatest source order routed to the table from this partition
  std::string first_order;   ///< the same of what lies below first_offset
};

/// What one attempt to write a batch has found out, and what is to be taken over once its transaction is durable.
struct Attempt {
  /// Set by settle_key_changes, taken over by complete().
  std::map<std::string, KeyChangeRecord> key_changes;
  bool key_changes_moved = false;                       ///< they differ from what is stored
  progress::Store::DeadLettersByKey open_dead_letters;  ///< of the batch's rows; set by look_up_dead_letters
  /// Set by settle_dead_letters, taken over by KnownDeadLetters.
  progress::Store::DeadLettersByKey dead_letters_closed, dead_letters_opened;
  bool dead_letters_change = false;  ///< known before the transaction: events of the batch became dead letters while it was written
  SourceOrder source_order;
  bool commit_unknown = false;  ///< the answer to the COMMIT was lost: it may have been written
  EventCounts refused;          ///< events that became dead letters while it was written
};

/// What a batch knows of its table, as of sealing: the same for each transaction, where several write the batch in portions.
struct SealedTable {
  Table* table = nullptr;
  const TableIdentity* identity = nullptr;          ///< of the table
  const progress::Partition* cleared_by = nullptr;  ///< where the truncate was read
  std::string floor;                                ///< source order of the last truncate; empty: none
  evolution::ColumnList::Shared shared_columns;     ///< null: none
  std::vector<uint32_t> key;                        ///< slots
  std::vector<uint32_t> message_key;                ///< slots, where it is a part of `key`; else empty
  bool key_known = false;
  bool told_keyless = false;                                        ///< as progress::StoredTable has it
  bool is_mixed = false;                                            ///< as TableKnowledge::take_mixed() said
  std::string definition_topic;                                     ///< as StoredTable's
  uint64_t version = 0;                                             ///< of what is known of the columns
  std::shared_ptr<const std::vector<SourceOfRows>> shared_sources;  ///< what Entry::source counts; null: none
  bool in_order = false;                                            ///< KeyOrder::settle was asked
  bool by_source = false;  ///< folded in source order: SourceOrder decides in each transaction anew

  /// By slot. They and the sources are the table's own as they were, which all batches share that were sealed meanwhile.
  [[nodiscard]] const std::vector<evolution::Column>& columns() const {
    static const std::vector<evolution::Column> none;
    return shared_columns ? *shared_columns : none;
  }
  [[nodiscard]] const std::vector<SourceOfRows>& sources() const {
    static const std::vector<SourceOfRows> none;
    return shared_sources ? *shared_sources : none;
  }
};

/// The batch that one write of a table carries. Owned by the writer until complete() or detach().
struct Sealed : SealedTable {
  bool clear = false;  ///< the table is emptied first (truncate)
  std::vector<SealedPartition> partitions;
  std::size_t bytes = 0;
  bool crossed = false;  ///< several partitions bring changes of one key
  std::string refusal;   ///< why it must not be written
  Attempt attempt;       ///< the last one

  /// A batch of the same table without rows, for a transaction that writes a portion of this one.
  [[nodiscard]] Sealed without_rows() const {
    Sealed portion;
    static_cast<SealedTable&>(portion) = *this;
    return portion;
  }

  [[nodiscard]] EventCounts counts() const;
  /// Folded by key.
  [[nodiscard]] std::size_t rows() const;
  [[nodiscard]] bool empty() const { return partitions.empty() && !clear; }
  /// Key changes may be settled, or the table be emptied: nobody else may write its knowledge meanwhile.
  [[nodiscard]] bool needs_table() const;
  /// What is stored beside the table's row differs after it: key changes, open dead letters, or the table was emptied.
  [[nodiscard]] bool raises_version() const {
    return clear || attempt.key_changes_moved || !attempt.dead_letters_closed.empty() || !attempt.dead_letters_opened.empty();
  }
  /// Some of it came from partitions that were given up since, even if they were claimed again.
  [[nodiscard]] bool has_lost() const;
  /// Takes that out. Answers what must be given up as well: a truncate that is not ours any more had sent it back.
  [[nodiscard]] std::vector<const progress::Partition*> drop_lost();
};

/// It deletes rows that it brings itself: those deletes find none in the target, as a rule.
bool takes_back_rows(const Sealed& sealed);

/// The batch changes dead letters of its table: their row must be locked.
bool touches_dead_letters(const Sealed& sealed);

}  // namespace cdcrt::apply
