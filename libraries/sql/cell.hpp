// Making cells, and looking at them. What they hold is borrowed.
#pragma once

#include <cstdint>

#include "cdcrt/sdk/cell.hpp"

namespace cdcrt::sql {

using sdk::integer_cell;
using sdk::natural_cell;
using sdk::real_cell;
using sdk::text_cell;

/// A text cell's longest beginning of at most `bytes` bytes that cuts no character of UTF-8.
inline cdcrt_cell cut(cdcrt_cell text, uint32_t bytes) {
  const auto continues = [&](uint32_t at) {
    return (static_cast<unsigned char>(static_cast<const char*>(text.value.data)[at]) & 0xC0) == 0x80;
  };
  if (text.size <= bytes) return text;
  while (bytes > 0 && continues(bytes)) --bytes;
  text.size = bytes;
  return text;
}

/// Whether the value is bytes behind `data`.
inline bool has_bytes(const cdcrt_cell& cell) { return cell.tag == CDCRT_DECIMAL || cell.tag >= CDCRT_STRING; }

}  // namespace cdcrt::sql
