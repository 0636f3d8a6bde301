// RowBatch: what a decoder writes and the router reads.
#pragma once

#include <memory>
#include <string>
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
  /// Its shapes stay as long as it does.
  explicit RowBatch(ShapeRegistry& shapes);
  RowBatch(const RowBatch&) = delete;
  RowBatch& operator=(const RowBatch&) = delete;

  /// The boundary's view; valid as long as *this.
  cdcrt_rows* abi() { return &rows_; }
  /// Forgets rows, rejects and cell bytes; keeps capacity.
  void clear();
  /// Gives up the shapes of the rows that it had, and begins with those of today. The number is that of their generation: a decoder
  /// knows no shapes of another one.
  uint64_t renew_shapes();
  /// Until then it keeps none.
  void give_up_shapes();
  [[nodiscard]] uint64_t shape_generation() const { return ShapeRegistry::number_of(generation_); }
  /// Rows are copied from there: their shapes stay as well.
  void keep_shapes_of(const RowBatch& other);
  [[nodiscard]] const cdcrt_row* rows() const { return rows_.rows; }
  [[nodiscard]] uint32_t size() const { return rows_.row_count; }
  [[nodiscard]] const cdcrt_cell* cells(uint32_t first) const { return rows_.cells + first; }
  [[nodiscard]] uint32_t cell_count() const { return rows_.cell_count; }
  /// In any order.
  [[nodiscard]] const std::vector<Reject>& rejects() const { return rejects_; }
  [[nodiscard]] const ShapeRegistry& shapes() const { return shapes_; }
  /// How the decoder broke the contract of cdcrt_rows, so that its rows cannot even be looked at; empty: it did not.
  [[nodiscard]] std::string fault() const;
  /// After find_fault() found no fault: makes of the `messages` decoded what the host reads. Rows of rejected messages are removed, each
  /// message is rejected once at most, and rows of operations without cells refer to none.
  void settle(uint32_t messages);

 private:
  static int32_t grow(cdcrt_rows* rows, uint32_t more_rows, uint32_t more_cells);
  static char* arena_grow(cdcrt_rows* rows, uint64_t bytes);
  static uint32_t intern(cdcrt_rows* rows, const cdcrt_shape* shape);
  static void reject(cdcrt_rows* rows, uint32_t message, const cdcrt_error* error);

  ShapeRegistry& shapes_;
  ShapeRegistry::Hold generation_;
  std::vector<ShapeRegistry::Hold> others_;
  cdcrt_rows rows_{};
  std::vector<cdcrt_row> row_storage_;
  std::vector<cdcrt_cell> cell_storage_;
  Arena arena_{256 << 10};
  std::vector<Reject> rejects_;
  std::string fault_;  ///< of what was handed to a function of rows_
};

}  // namespace cdcrt::event
