// Bytes of cdcrt_row::source_order: they compare (memcmp) as what they are made of. Header-only, C++17.
//
//   std::string order;
//   append_order(order, 1219275);                      // a place in a log
//   append_order(order, 7);                            // and in its transaction
//   row.source_order = borrow(rows.copy(order));
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cdcrt::sdk {

/// Eight bytes, the highest first.
inline void append_order(std::string& out, uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(number >> static_cast<unsigned>(shift));
}

/// A text that others may follow, such as the name of a log's file; ends with a NUL. `text` holds none.
inline void append_order(std::string& out, std::string_view text) {
  out += text;
  out += '\0';
}

}  // namespace cdcrt::sdk
