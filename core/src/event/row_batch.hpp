// RowBatch: what a decoder writes and the router reads.
#pragma once

#include <memory>
#include <vector>

#include "cdcrt/abi/format.h"
#include "diagnostics/result.hpp"
#include "event/arena.hpp"
#include "event/shape.hpp"

namespace cdcrt::event {

struct Reject {
  uint32_t message;
  Error error;
};

/// Rows, cells and arena of one decode call, reused for the next. One thread at a time.
class RowBatch {
 public:
  explicit RowBatch(ShapeRegistry& shapes);
  RowBatch(const RowBatch&) = delete;
  RowBatch& operator=(const RowBatch&) = delete;

  /// The boundary's view; valid as long as *this.
  cdcrt_rows* abi() { return &rows_; }
  /// Forgets rows, rejects and cell bytes; keeps capacity.
  void clear();
  [[nodiscard]] const cdcrt_row* rows() const { return rows_.rows; }
  [[nodiscard]] uint32_t size() const { return rows_.row_count; }
  [[nodiscard]] const cdcrt_cell* cells(uint32_t first) const { return rows_.cells + first; }
  /// In message order is not promised.
  [[nodiscard]] const std::vector<Reject>& rejects() const { return rejects_; }

 private:
  static int grow(cdcrt_rows* rows, uint32_t more_rows, uint32_t more_cells);
  static char* arena_grow(cdcrt_rows* rows, uint64_t bytes);
  static uint32_t intern(cdcrt_rows* rows, const cdcrt_shape* shape);
  static void reject(cdcrt_rows* rows, uint32_t message, const cdcrt_error* error);

  ShapeRegistry& shapes_;
  cdcrt_rows rows_{};
  std::vector<cdcrt_row> row_storage_;
  std::vector<cdcrt_cell> cell_storage_;
  Arena arena_{256 << 10};
  std::vector<Reject> rejects_;
};

}  // namespace cdcrt::event
