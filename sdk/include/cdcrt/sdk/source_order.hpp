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

#include "cdcrt/sdk/hash.hpp"

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

/// What an order that tells its log ends with, after eight bytes of time and four that stand for the log. No text ends so.
inline constexpr std::string_view kOrderTellsLog = "\xFFLOG";

/// Ends an order whose first eight bytes are the number of a log's file: when the change was (milliseconds, by the source's clock) and in
/// which log, by its server and the name of its files. So the host notices a log that began anew: its orders are lower, its times are
/// later.
inline void append_log(std::string& out, uint64_t time_ms, std::string_view server, std::string_view files) {
  append_order(out, time_ms);
  const uint64_t log = fnv1a(files, fnv1a(server));
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(log >> static_cast<unsigned>(shift));
  out += kOrderTellsLog;
}

}  // namespace cdcrt::sdk
