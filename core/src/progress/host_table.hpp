// HostTable: one of the host's own tables in a target, its columns by name, and rows of it to be read and written.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cdcrt/abi/sink.h"
#include "progress/partition.hpp"
#include "types/cell_text.hpp"

namespace cdcrt::progress {

struct HostColumn {
  const char* name;
  uint8_t kind;
  int64_t since = 1;  ///< format version
};

/// Index of a column in HostTable::columns.
using Place = std::size_t;
struct PartitionPlaces {
  Place source, topic, number;
};

struct HostTable {
  std::string name;
  uint32_t key_count = 0;
  std::vector<HostColumn> columns;
  bool is_large = false;  ///< may have as many rows as the target tables: sinks treat it like one of them
};

/// A table whose key begins with pipeline and sink, so that one read finds all rows of this pipeline: every table but `format`. A derived
/// struct declares the other columns, in their order.
class PipelineTable : public HostTable {
 public:
  Place pipeline = key_text("pipeline"), sink = key_text("sink");

 protected:
  explicit PipelineTable(const char* called, bool large = false) {
    name = called;
    is_large = large;
  }
  Place key_text(const char* column) { return add_key(column, CDCRT_TYPE_STRING); }
  Place key_integer(const char* column) { return add_key(column, CDCRT_TYPE_INT64); }
  Place key_bytes(const char* column) { return add_key(column, CDCRT_TYPE_BYTES); }
  PartitionPlaces key_partition() {
    const Place source = key_text("source"), topic = key_text("topic");
    return {source, topic, key_integer("partition")};
  }
  Place text(const char* column, int64_t since = 1) { return add(column, CDCRT_TYPE_STRING, since); }
  Place integer(const char* column, int64_t since = 1) { return add(column, CDCRT_TYPE_INT64, since); }
  Place bytes(const char* column, int64_t since = 1) { return add(column, CDCRT_TYPE_BYTES, since); }

 private:
  Place add(const char* column, uint8_t kind, int64_t since = 1) {
    columns.push_back({column, kind, since});
    return columns.size() - 1;
  }
  Place add_key(const char* column, uint8_t kind) {
    ++key_count;
    return add(column, kind);
  }
};

/// The first `count` columns, as a sink is told of them.
std::vector<cdcrt_column> columns_of(const HostTable& table, std::size_t count);
inline std::vector<cdcrt_column> columns_of(const HostTable& table) { return columns_of(table, table.columns.size()); }

inline cdcrt_cell text(std::string_view value) { return types::text_cell(CDCRT_STRING, value); }
inline cdcrt_cell bytes(std::string_view value) { return types::text_cell(CDCRT_BYTES, value); }
inline cdcrt_cell integer(int64_t value) { return types::integer_cell(CDCRT_I64, value); }

/// A row that was read; NULL is an empty text and 0.
class Row {
 public:
  explicit Row(const cdcrt_cell* cells) : cells_(cells) {}
  [[nodiscard]] const cdcrt_cell& cell(Place place) const { return cells_[place]; }
  [[nodiscard]] bool is_null(Place place) const { return cells_[place].tag <= CDCRT_NULL; }
  [[nodiscard]] std::string text(Place place) const {
    return is_null(place) ? std::string() : std::string(cells_[place].value.data, cells_[place].size);
  }
  [[nodiscard]] int64_t integer(Place place) const { return is_null(place) ? 0 : cells_[place].value.integer; }
  [[nodiscard]] bool flag(Place place) const { return integer(place) != 0; }
  [[nodiscard]] PartitionKey partition(const PartitionPlaces& places) const {
    return {text(places.source), text(places.topic), static_cast<int32_t>(integer(places.number))};
  }

 private:
  const cdcrt_cell* cells_;
};

/// Rows to be written, or keys of rows to be deleted; cells that are not set are NULL. Borrows the table and the texts of its cells.
class Rows {
 public:
  Rows(const HostTable& table, std::size_t width) : table_(&table), width_(width) {}
  class New {
   public:
    explicit New(cdcrt_cell* cells) : cells_(cells) {}
    cdcrt_cell& operator[](Place place) { return cells_[place]; }
    /// Borrows from `key`.
    void set(const PartitionPlaces& places, const PartitionKey& key) {
      cells_[places.source] = progress::text(key.source);
      cells_[places.topic] = progress::text(key.topic);
      cells_[places.number] = progress::integer(key.number);
    }
    void set(const PartitionPlaces& places, PartitionKey&& key) = delete;

   private:
    cdcrt_cell* cells_;
  };
  /// A new row; valid until the next add().
  New add() {
    cells_.resize(cells_.size() + width_, types::null_cell());
    return New(cells_.data() + cells_.size() - width_);
  }
  /// Lives as long as the rows.
  std::string_view keep(std::string text) { return storage_.emplace_back(std::move(text)); }
  void reserve(std::size_t rows) { cells_.reserve(rows * width_); }
  [[nodiscard]] const HostTable& table() const { return *table_; }
  [[nodiscard]] std::size_t width() const { return width_; }
  [[nodiscard]] const std::vector<cdcrt_cell>& cells() const { return cells_; }

 private:
  const HostTable* table_;
  std::size_t width_;
  std::vector<cdcrt_cell> cells_;
  std::deque<std::string> storage_;
};

/// Keys of rows to be read, without pipeline and sink: `columns` cells each. Borrows the texts of its cells.
struct Keys {
  std::size_t columns = 0;
  std::vector<cdcrt_cell> cells{};
};
Keys keys_of(const std::vector<PartitionKey>& partitions);

}  // namespace cdcrt::progress
