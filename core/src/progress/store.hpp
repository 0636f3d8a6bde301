// Store: the host's own tables in a target: leases, progress, table knowledge (design 4.1, 4.10).
//
// They are ordinary tables, written through the sink's functions in the same transaction as the rows they speak of.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "diagnostics/result.hpp"
#include "evolution/table_knowledge.hpp"
#include "plugin/instance.hpp"
#include "progress/partition.hpp"

namespace cdcrt::progress {

/// Identity of a partition as stored.
struct PartitionKey {
  std::string source, topic;
  int32_t number = 0;
  auto operator<=>(const PartitionKey&) const = default;
};

struct StoredTable {
  std::string source_table;
  std::string floor;
  bool key_known = false;
  std::vector<evolution::Column> columns;
  std::map<std::string, std::string> key_changes;  ///< halves of key changes, by new key, as apply writes them
  struct Position {
    int64_t next_offset = 0;
    std::string order;
  };
  std::map<PartitionKey, Position> progress;
};

/// Everything that the target keeps of one pipeline and sink.
struct Stored {
  std::map<PartitionKey, int64_t> watermarks;
  std::map<std::string, StoredTable> tables;  ///< by target name
  event::Arena defaults{1 << 10};             ///< owns the bytes of the columns' defaults
};

struct TablePosition {
  const Partition* partition;
  int64_t next_offset;
  std::string order;
};

/// Instance state (epochs) is guarded by a mutex; the connection belongs to the caller.
class Store {
 public:
  Store(std::string pipeline, std::string sink, std::string schema, bool has_schemas, std::string owner);

  /// Creates what is missing and refuses a newer format. Own transactions.
  Result<void> prepare(plugin::Connection& connection);
  /// Claims every lease of the pipeline in this target (raises the epochs) and reads what it keeps. Own transaction.
  Result<Stored> claim(plugin::Connection& connection);
  /// Claims partitions that have no lease yet. Own transaction; does nothing when all are held.
  Result<void> claim_new(plugin::Connection& connection, const std::vector<const Partition*>& partitions);

  // Inside the caller's transaction.

  /// Share-locks the leases and checks the epochs. FATAL: another process took one of them over.
  Result<void> check(plugin::Connection& connection, const std::vector<const Partition*>& partitions);
  /// Whether a commit whose answer was lost happened: the table's progress stands exactly there.
  Result<bool> stands_at(plugin::Connection& connection, const std::string& target, const std::vector<TablePosition>& positions);
  Result<void> save_progress(plugin::Connection& connection, const std::string& target, const std::vector<TablePosition>& positions);
  Result<void> save_table(plugin::Connection& connection, const std::string& target, const std::string& source_table,
                          const std::string& floor, bool key_known);
  Result<void> save_columns(plugin::Connection& connection, const std::string& target, const std::vector<evolution::Column>& columns);
  /// Halves of key changes: by new key, the text to keep; nullopt: settled.
  Result<void> save_key_changes(plugin::Connection& connection, const std::string& target,
                                const std::map<std::string, std::optional<std::string>>& records);
  Result<void> save_watermarks(plugin::Connection& connection, const std::vector<std::pair<const Partition*, int64_t>>& watermarks);

  /// Held from finding watermarks until they are committed, and around a commit that lowers some: else an older, higher one could
  /// be stored over a lowered one, and a restart would begin too late.
  [[nodiscard]] std::unique_lock<std::mutex> hold_watermarks() { return std::unique_lock(watermarks_); }

 private:
  struct HostTable;
  [[nodiscard]] cdcrt_table name_of(const HostTable& table, std::string& storage) const;
  Result<void> write(plugin::Connection& connection, const HostTable& table, const std::vector<cdcrt_cell>& cells,
                     cdcrt_write_kind kind = CDCRT_WRITE_UPSERT);
  Result<void> read(plugin::Connection& connection, const HostTable& table, cdcrt_lock lock,
                    const std::function<void(const cdcrt_cell*)>& visit);
  static const HostTable kFormat, kLeases, kWatermarks, kProgress, kTables, kColumns, kMoved;

  const std::string pipeline_, sink_, schema_, owner_;
  const bool has_schemas_;
  std::mutex watermarks_;
  std::mutex mutex_;
  std::map<PartitionKey, int64_t> epochs_;
};

}  // namespace cdcrt::progress
