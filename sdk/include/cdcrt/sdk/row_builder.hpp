// RowBuilder: how a format writes rows. Header-only, C++17; everything on the hot path is inline and crosses no boundary.
//
// Rows and cells are plain arrays of the host. Take a block of cells, fill it in place, then begin the row that refers to it.
// Texts of cells are copied into the arena (or written there directly); both die when the host clears the batch.
// Not thread-safe; valid during one decode call. Throws std::bad_alloc when the host refuses memory.
#pragma once

#include <cstring>
#include <limits>
#include <new>
#include <string_view>

#include "cdcrt/abi/format.h"
#include "cdcrt/sdk/status.hpp"

namespace cdcrt::sdk {

inline void set_null(cdcrt_cell& cell) { cell.tag = CDCRT_NULL; }
/// BOOL, I64, DATE, TIME, TIMESTAMP, TIMESTAMPTZ.
inline void set_integer(cdcrt_cell& cell, cdcrt_tag tag, int64_t value) {
  cell.tag = static_cast<uint8_t>(tag);
  cell.value.integer = value;
}
inline void set_natural(cdcrt_cell& cell, uint64_t value) {
  cell.tag = CDCRT_U64;
  cell.value.natural = value;
}
inline void set_real(cdcrt_cell& cell, double value) {
  cell.tag = CDCRT_F64;
  cell.value.real = value;
}
/// Text and bytes; `text` must live as long as the batch: see RowBuilder::copy.
inline void set_text(cdcrt_cell& cell, cdcrt_tag tag, std::string_view text) {
  cell.tag = static_cast<uint8_t>(tag);
  cell.size = static_cast<uint32_t>(text.size());
  cell.value.data = text.data();
}
inline std::string_view text(const cdcrt_cell& cell) { return {cell.value.data, cell.size}; }

/// The cells of one row, by the place of their column in the shape. Stays right when others are taken; a reference to a cell does not.
class RowCells {
 public:
  RowCells(const cdcrt_rows& rows, uint32_t first, uint32_t count) : rows_(&rows), first_(first), count_(count) {}
  [[nodiscard]] cdcrt_cell& operator[](uint32_t column) const { return rows_->cells[first_ + column]; }
  [[nodiscard]] uint32_t size() const { return count_; }
  /// For cdcrt_row: cells, before, other_key.
  [[nodiscard]] uint32_t first() const { return first_; }

 private:
  const cdcrt_rows* rows_;
  uint32_t first_;
  uint32_t count_;
};

class RowBuilder {
 public:
  explicit RowBuilder(cdcrt_rows& rows) : rows_(&rows) {}

  /// A block of `count` consecutive cells, all ABSENT; answers the index of the first. May move the cells taken before.
  uint32_t take_cells(uint32_t count) {
    if (count > rows_->cell_capacity - rows_->cell_count) grow(0, count);
    const uint32_t first = rows_->cell_count;
    if (count != 0) std::memset(static_cast<void*>(rows_->cells + first), 0, count * sizeof(cdcrt_cell));
    rows_->cell_count += count;
    return first;
  }
  /// The same, to be filled by place.
  RowCells take_row(uint32_t columns) { return {*rows_, take_cells(columns), columns}; }
  /// A copy of `cells`, to be changed: the row before a change, of which an event tells only what differs. The texts are shared.
  RowCells copy_row(const RowCells& cells) {
    const RowCells copy = take_row(cells.size());
    for (uint32_t i = 0; i < copy.size(); ++i) copy[i] = cells[i];
    return copy;
  }
  /// Valid until the next take_cells.
  [[nodiscard]] cdcrt_cell* cells(uint32_t first) const { return rows_->cells + first; }

  /// A new row of `message` (its index in the batch) without cells. The reference is valid until the next begin_row.
  cdcrt_row& begin_row(cdcrt_operation operation, uint32_t message, uint32_t shape) {
    if (rows_->row_count == rows_->row_capacity) grow(1, 0);
    cdcrt_row& row = rows_->rows[rows_->row_count++];
    row = cdcrt_row{};
    row.shape = shape;
    row.message = message;
    row.operation = static_cast<uint8_t>(operation);
    row.cells = row.before = row.other_key = CDCRT_NO_CELLS;
    return row;
  }

  cdcrt_row& begin_row(cdcrt_operation operation, uint32_t message, uint32_t shape, const RowCells& cells) {
    cdcrt_row& row = begin_row(operation, message, shape);
    row.cells = cells.first();
    return row;
  }
  /// A message that is counted and belongs to no table: a tombstone, a heartbeat, the begin of a transaction.
  void marker(uint32_t message) { begin_row(CDCRT_MARKER, message, 0); }

  /// Uninitialised bytes of the arena, unaligned.
  char* allocate(uint64_t bytes) {
    if (bytes <= static_cast<uint64_t>(rows_->arena_end - rows_->arena_next)) {
      char* taken = rows_->arena_next;
      rows_->arena_next += bytes;
      return taken;
    }
    char* taken = rows_->arena_grow(rows_, bytes);
    if (taken == nullptr) throw std::bad_alloc();
    return taken;
  }
  /// Gives back the end of the latest allocation: bytes from `unused` on.
  void give_back(char* taken, uint64_t allocated, char* unused) {
    if (taken + allocated == rows_->arena_next) rows_->arena_next = unused;
  }
  std::string_view copy(std::string_view text) {
    char* bytes = allocate(text.size());
    if (!text.empty()) std::memcpy(bytes, text.data(), text.size());
    return {bytes, text.size()};
  }

  /// Id of a shape, equal for equal shapes, for the life of the format instance: call once per shape and remember it there.
  /// The sizes in `shape` need not be filled in.
  uint32_t intern(cdcrt_shape shape) {
    shape.size = sizeof shape;
    shape.column_size = sizeof(cdcrt_column);
    return rows_->intern(rows_, &shape);
  }

  /// The message cannot be decoded and becomes a dead letter; rows it produced so far are dropped, the others of the batch go on.
  void reject(uint32_t message, Status status) {
    cdcrt_error error{};
    error.size = sizeof error;
    Status::hand_over(std::move(status), &error);
    rows_->reject(rows_, message, &error);
    if (error.release != nullptr) error.release(&error);
  }

 private:
  void grow(uint32_t more_rows, uint32_t more_cells) {
    if (more_cells > std::numeric_limits<uint32_t>::max() - 1 - rows_->cell_count) throw std::bad_alloc();
    if (rows_->grow(rows_, more_rows, more_cells) != 0) throw std::bad_alloc();
  }
  cdcrt_rows* rows_;
};

}  // namespace cdcrt::sdk
