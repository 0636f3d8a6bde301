// Making cells, and looking at them. What they hold is borrowed.
#pragma once

#include <cstdint>
#include <string_view>

#include "cdcrt/abi/value.h"

namespace cdcrt::sql {

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

/// A text cell's longest beginning of at most `bytes` bytes that cuts no character of UTF-8.
inline cdcrt_cell cut(cdcrt_cell text, uint32_t bytes) {
  const auto continues = [&](uint32_t at) { return (static_cast<unsigned char>(static_cast<const char*>(text.value.data)[at]) & 0xC0) == 0x80; };
  if (text.size <= bytes) return text;
  while (bytes > 0 && continues(bytes)) --bytes;
  text.size = bytes;
  return text;
}

/// Whether the value is bytes behind `data`.
inline bool has_bytes(const cdcrt_cell& cell) { return cell.tag == CDCRT_DECIMAL || cell.tag >= CDCRT_STRING; }

}  // namespace cdcrt::sql
