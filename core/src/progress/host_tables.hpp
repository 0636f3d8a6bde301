// HostTables: names and columns of the host's own tables, and cells for them. Only for the parts of Store.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "progress/store.hpp"
#include "types/cell_text.hpp"

namespace cdcrt::progress {

struct HostColumn {
  const char* name;
  uint8_t kind;
  int64_t since = 1;  ///< format version
};

/// Every table but `format` is keyed by pipeline and sink first, so that one read finds all that is ours.
struct Store::HostTable {
  std::string name;
  uint32_t key_count;
  std::vector<HostColumn> columns;
  bool is_large = false;  ///< has as many rows as the targets: a sink treats it as it does theirs
};

/// Reads without locks that are carried out together, where the sink can. What the keys borrow must outlive run().
class Store::Reads {
 public:
  explicit Reads(const Store& store) : store_(store) {}
  Reads(const Reads&) = delete;
  Reads& operator=(const Reads&) = delete;
  /// As Store::read.
  void add(const HostTable& table, Visit visit, const std::vector<cdcrt_cell>& keys = {}, uint32_t key_columns = 0, uint64_t max_rows = 0);
  Result<void> run(plugin::Connection& connection);

 private:
  friend class Store;
  struct One {
    HostTable table;
    std::string storage;
    std::vector<cdcrt_column> columns;
    std::vector<cdcrt_cell> keys;
    Visit visit;
    cdcrt_read read{};
  };
  std::deque<One> reads_;  // stable: what is read borrows from it
  const Store& store_;
};

inline cdcrt_cell text(std::string_view value) { return types::text_cell(CDCRT_STRING, value); }
inline cdcrt_cell bytes(std::string_view value) { return types::text_cell(CDCRT_BYTES, value); }
inline cdcrt_cell integer(int64_t value) { return types::integer_cell(CDCRT_I64, value); }
inline std::string string_of(const cdcrt_cell& cell) {
  return cell.tag <= CDCRT_NULL ? std::string() : std::string(cell.value.data, cell.size);
}
inline int64_t integer_of(const cdcrt_cell& cell) { return cell.tag <= CDCRT_NULL ? 0 : cell.value.integer; }

/// Source, topic and partition, which begin at `cells`.
inline PartitionKey key_of(const cdcrt_cell* cells) {
  return {string_of(cells[0]), string_of(cells[1]), static_cast<int32_t>(integer_of(cells[2]))};
}
/// The cells borrow from `key`.
void append_key(std::vector<cdcrt_cell>& cells, PartitionKey&& key) = delete;
inline void append_key(std::vector<cdcrt_cell>& cells, const PartitionKey& key) {
  cells.insert(cells.end(), {text(key.source), text(key.topic), integer(key.number)});
}

inline PartitionKey key_of(const Partition& partition) { return {partition.source(), partition.topic(), partition.number()}; }
inline std::vector<PartitionKey> keys_of(const std::vector<const Partition*>& partitions) {
  std::vector<PartitionKey> keys;
  for (const Partition* partition : partitions) keys.push_back(key_of(*partition));
  return keys;
}

// Rows as values; `cells` are those after pipeline and sink.
StoredPartition lease_of(const cdcrt_cell* cells);
void watermark_into(const cdcrt_cell* cells, StoredPartition& partition);
void table_row_into(const cdcrt_cell* cells, StoredTable& table);
void open_letter_into(const cdcrt_cell* cells, Store::LettersByKey& letters);
void sort_letters(Store::LettersByKey& letters);
Result<evolution::Column> column_of(const cdcrt_cell* cells, event::Arena& arena);
std::vector<cdcrt_column> columns_of(const std::vector<HostColumn>& columns, uint32_t key_count, bool is_large = false);
/// For what only reads, or only waits for a lock: nothing has to be committed.
Result<void> in_reading_transaction(plugin::Connection& connection, const std::function<Result<void>()>& body);

}  // namespace cdcrt::progress
