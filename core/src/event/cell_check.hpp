// Cell check: whether what a cell says is what its tag promises.
#pragma once

#include <string>

#include "cdcrt/abi/value.h"

namespace cdcrt::event {

/// True where there is no such tag, or bytes are at a NULL pointer. Without branches: called for each cell that is decoded.
inline bool is_broken(const cdcrt_cell& cell) {
  const bool points = cell.tag == CDCRT_DECIMAL || cell.tag >= CDCRT_STRING;
  return (static_cast<int>(cell.tag > CDCRT_INTERVAL) |
          (static_cast<int>(points) & static_cast<int>(cell.value.natural == 0) & static_cast<int>(cell.size != 0))) != 0;
}
/// What is_broken() found, as "tag 77, which is none"; empty: nothing.
std::string fault_of_cell(const cdcrt_cell& cell);

/// What is wrong with a cell of a known tag whose bytes can be read, as "'1e5', which is no decimal"; empty: nothing.
std::string fault_of_value(const cdcrt_cell& cell);

}  // namespace cdcrt::event
