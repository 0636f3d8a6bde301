// Cells as text, exact.
#pragma once

#include <string>
#include <string_view>

#include "cdcrt/abi/value.h"
#include "cdcrt/sdk/calendar.hpp"

namespace cdcrt::sql {

/// The bytes of a cell that holds text or bytes.
inline std::string_view bytes_of(const cdcrt_cell& cell) { return {cell.value.data, cell.size}; }

/// Appends the shortest text that reads back as the same double; NaN, Infinity, -Infinity.
void append_double(std::string& out, double value);

/// Appends a cell's value as text. BOOL is true/false, bytes are \x and hex, times follow `style`, NULL and ABSENT are nothing.
void append_cell_text(std::string& out, const cdcrt_cell& cell, sdk::TextStyle style);

/// Kinds whose values are numbers: a BOOL cell is 1 or 0 there.
[[nodiscard]] bool is_number(uint8_t kind);
[[nodiscard]] bool is_integer(uint8_t kind);

}  // namespace cdcrt::sql
