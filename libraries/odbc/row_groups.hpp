// RowGroups: the rows of a write, set apart by which of their cells are ABSENT, so that each group is one set of columns.
#pragma once

#include <cstdint>
#include <vector>

#include "cdcrt/abi/sink.h"
#include "cdcrt/sdk/status.hpp"

namespace cdcrt::odbc {

struct RowGroup {
  std::vector<uint32_t> columns;  ///< indexes into the write's columns
  bool every_row = false;         ///< then `rows` is empty and stands for all of them
  std::vector<uint64_t> rows;     ///< indexes of the write's rows, ascending
};

/// BAD_RECORD where a key cell is NULL or ABSENT in a write by key, or a cell is ABSENT in a REMOVE.
sdk::Status group_rows(const cdcrt_write& write, std::vector<RowGroup>& out);

}  // namespace cdcrt::odbc
