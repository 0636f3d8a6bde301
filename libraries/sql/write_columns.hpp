// Which columns of a write its statements name. The host has grouped rows by the columns that they have a value for: no cell is ABSENT.
#pragma once

#include <cstdint>
#include <vector>

#include "cdcrt/abi/sink.h"
#include "cdcrt/sdk/status.hpp"

namespace cdcrt::sql {

/// Indexes of the write's columns: all of them, or of a DELETE those of the key. FATAL where a write by key lists no key column,
/// BAD_RECORD where one has no value.
sdk::Status choose_columns(const cdcrt_write& write, std::vector<uint32_t>& out);

}  // namespace cdcrt::sql
