// WriteSet: entries of a sealed batch as sets of rows with the same columns, ready for the sink.
#pragma once

#include <string>
#include <vector>

#include "apply/table.hpp"
#include "cdcrt/abi/sink.h"

namespace cdcrt::apply {

/// The columns of a sealed batch as the sink is told of them: those that exist in the target. Borrows from the Sealed.
class TargetColumns {
 public:
  explicit TargetColumns(const Sealed& sealed);
  /// Slots that exist in the target, keys first in key order.
  [[nodiscard]] const std::vector<uint32_t>& slots() const { return slots_; }
  [[nodiscard]] std::size_t key_count() const { return sealed_->key.size(); }
  [[nodiscard]] cdcrt_column describe(uint32_t slot) const;

 private:
  const Sealed* sealed_;
  std::vector<uint32_t> slots_;
};

/// Rows for one cdcrt_write.
struct WriteGroup {
  cdcrt_write_kind kind = CDCRT_WRITE_UPSERT;
  std::vector<uint32_t> slots;
  std::vector<cdcrt_column> columns;
  std::vector<cdcrt_cell> cells;
  std::vector<uint8_t> operations;
  std::vector<const Entry*> rows;  ///< the entry of each row
};

/// Groups in the order in which they are written: deletes first, so that a value that moved from row to row stays unique.
std::vector<WriteGroup> group(const TargetColumns& columns, const std::vector<const Entry*>& entries);

}  // namespace cdcrt::apply
