// Positions: how far a pipeline is, by partition and by table, from what its targets keep and what the sources can be asked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "repair/session.hpp"

namespace cdcrt::repair {

struct PartitionPosition {
  progress::PartitionKey key;
  progress::StoredPartition kept;
  std::optional<cdcrt_bounds> bounds;  ///< of the log; nullopt: could not be asked
  /// Messages of the log that are not applied in every table.
  [[nodiscard]] std::optional<int64_t> lag() const;
  /// Messages that retention deleted before they were applied.
  [[nodiscard]] int64_t deleted() const;
};

struct TablePosition {
  std::string name;
  const progress::StoredTable* kept = nullptr;
  const progress::StoredTrouble* trouble = nullptr;  ///< null: none
  [[nodiscard]] std::string_view state() const { return progress::state_text(*kept, trouble); }
  [[nodiscard]] std::string_view reason() const { return progress::reason_text(*kept, trouble); }
  struct Part {
    progress::PartitionKey key;
    int64_t next_offset = 0;  ///< as the table's progress says
    int64_t applied = 0;      ///< everything below is applied or not the table's
    std::optional<int64_t> lag;
    int64_t deleted = 0;  ///< messages that retention deleted before they were applied; some of them may have been the table's
  };
  std::vector<Part> parts;
  std::optional<int64_t> lag;              ///< of all parts; nullopt: of one it is not known
  std::optional<int64_t> last_message_ms;  ///< of the last message that every table has applied, in the table's partitions
  std::size_t open_dead_letters = 0;
  [[nodiscard]] bool has_key() const;
  /// Columns of the key in the target, in key order, joined by ", ".
  [[nodiscard]] std::string key() const;
};

struct Positions {
  std::vector<PartitionPosition> partitions;
  std::vector<TablePosition> tables;
};

/// Borrows from the target. Asks the sources' logs.
Positions positions_of(Session& session, const Target& target);

/// Whether a column of the table is part of a key.
bool has_key(const progress::StoredTable& table);

}  // namespace cdcrt::repair
