// WriteSet: entries of a sealed batch as sets of rows with the same columns, ready for the sink.
#pragma once

#include <string>
#include <vector>

#include "apply/table.hpp"
#include "cdcrt/abi/sink.h"

namespace cdcrt::apply {

/// The columns of a sealed batch as the sink is told of them: those that exist in the target, or can be made. Borrows from the Sealed.
class TargetColumns {
 public:
  explicit TargetColumns(const Sealed& sealed);
  /// Slots that exist in the target, keys first in key order.
  [[nodiscard]] const std::vector<uint32_t>& slots() const { return slots_; }
  [[nodiscard]] std::size_t key_count() const { return sealed_->key.size(); }
  /// As it is to be made.
  [[nodiscard]] cdcrt_column describe(uint32_t slot) const;
  /// As it is in the target, once the table was described: the type is that of stored values.
  [[nodiscard]] cdcrt_column stored(uint32_t slot) const;
  /// The value as the target's column keeps it, exactly, else as the column's policy says (counted in `overflowed`). BAD_RECORD
  /// that names column and value; UNSUPPORTED under schema_changes = "fail". New bytes go into the arena.
  [[nodiscard]] Result<cdcrt_cell> fit(uint32_t slot, const cdcrt_cell& cell, event::Arena& arena, uint64_t& overflowed) const;
  /// The target's column has its own type, so that values go through fit().
  [[nodiscard]] bool has_own_type(uint32_t slot) const { return kept_[slot] != nullptr; }
  /// Slots for which an adopted table has no column, and gets none.
  [[nodiscard]] const std::vector<uint32_t>& left_out() const { return left_out_; }

 private:
  const Sealed* sealed_;
  std::vector<uint32_t> slots_, left_out_;
  std::vector<const evolution::Column*> kept_;  ///< by slot: the target's column where its type is not ours; may be null
};

/// Rows for one cdcrt_write.
struct WriteGroup {
  cdcrt_write_kind kind = CDCRT_WRITE_UPSERT;
  int rank = 0;  ///< its place among the groups
  std::vector<uint32_t> slots;
  std::vector<cdcrt_column> columns;
  std::vector<cdcrt_cell> cells;
  std::vector<uint8_t> operations;
  std::vector<const Entry*> rows;  ///< the entry of each row
  event::Arena arena{4 << 10};     ///< bytes of cells that were converted
  uint64_t overflowed = 0;         ///< values that were made to fit
  uint64_t left_out = 0;           ///< cells that the target has no column for
};

/// Groups in the order in which they are written: deletes first, so that a value that moved from row to row stays unique.
Result<std::vector<WriteGroup>> group(const TargetColumns& columns, const std::vector<const Entry*>& entries);

}  // namespace cdcrt::apply
