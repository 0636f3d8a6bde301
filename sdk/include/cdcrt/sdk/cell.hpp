// Making cells. What they hold is borrowed. Header-only, C++17.
#pragma once

#include <cstdint>
#include <string_view>

#include "cdcrt/abi/value.h"

namespace cdcrt::sdk {

/// Borrows `text`, which is shorter than 4 GiB.
inline cdcrt_cell text_cell(cdcrt_tag tag, std::string_view text) {
  cdcrt_cell cell{};
  cell.tag = static_cast<uint8_t>(tag);
  cell.size = static_cast<uint32_t>(text.size());
  cell.value.data = text.data();
  return cell;
}

inline cdcrt_cell integer_cell(cdcrt_tag tag, int64_t value) {
  cdcrt_cell cell{};
  cell.tag = static_cast<uint8_t>(tag);
  cell.value.integer = value;
  return cell;
}

inline cdcrt_cell natural_cell(uint64_t value) {
  cdcrt_cell cell{};
  cell.tag = CDCRT_U64;
  cell.value.natural = value;
  return cell;
}

inline cdcrt_cell real_cell(double value) {
  cdcrt_cell cell{};
  cell.tag = CDCRT_F64;
  cell.value.real = value;
  return cell;
}

}  // namespace cdcrt::sdk
