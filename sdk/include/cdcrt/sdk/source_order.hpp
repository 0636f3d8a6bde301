// Bytes of cdcrt_row::source_order: they compare (memcmp) as what they are made of. Header-only, C++17.
//
//   std::string order;
//   append_order(order, 1219275);                      // a place in a log
//   append_order(order, 7);                            // and in its transaction
//   row.source_order = borrow(rows.copy(order));
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "cdcrt/sdk/hash.hpp"

namespace cdcrt::sdk {
namespace detail {

inline void write_big_endian(char* out, uint64_t number, int bytes) {
  for (int i = 0; i < bytes; ++i) out[i] = static_cast<char>(number >> static_cast<unsigned>(8 * (bytes - 1 - i)));
}

}  // namespace detail

/// Eight bytes, the highest first.
inline void append_order(std::string& out, uint64_t number) {
  char bytes[8];
  detail::write_big_endian(bytes, number, 8);
  out.append(bytes, sizeof bytes);
}

/// A text that others may follow, such as the name of a log's file; ends with a NUL. `text` holds none.
inline void append_order(std::string& out, std::string_view text) {
  out += text;
  out += '\0';
}

/// What an order that tells its log ends with, after what LogLayout says. No text ends so.
inline constexpr std::string_view kOrderTellsLog = "\xFFLOG";

/// Where the parts of what append_log() adds begin. Numbers have the highest byte first; marks are 0 where nothing was told.
struct LogLayout {
  static constexpr std::size_t kTime = 0, kRead = 8, kServer = 16, kFiles = 20, kCounter = 24, kNumber = 28, kTag = 36, kSize = 40;
};

/// What an order says of its log beside the place in it. All of it is optional but the time.
struct LogMark {
  uint64_t time_ms = 0;     ///< when the change was made (a statement: when it began), by the source's clock; 0: not told
  uint64_t read_ms = 0;     ///< when it was read from the log, which then had it: what began later is not before it in that log
  std::string_view server;  ///< who wrote it
  std::string_view files;   ///< what the names of the log's files have in common; the order then begins with eight bytes of a file's number
  std::string_view counter;  ///< whose transactions `number` counts (a GTID without its last part), the same one in every copy of the log
  uint64_t number = 0;       ///< of the transaction, from 1
};

inline uint32_t log_mark(std::string_view text) {
  const uint32_t mark = static_cast<uint32_t>(fnv1a(text));
  return text.empty() ? 0 : (mark == 0 ? 1 : mark);
}

/// Ends an order, so that the host notices a log that began anew: its places are lower, its times are later. Orders of one source must all
/// end so, or none.
inline void append_log(std::string& out, const LogMark& mark) {
  char bytes[LogLayout::kSize];
  detail::write_big_endian(bytes + LogLayout::kTime, mark.time_ms, 8);
  detail::write_big_endian(bytes + LogLayout::kRead, mark.read_ms, 8);
  detail::write_big_endian(bytes + LogLayout::kServer, log_mark(mark.server), 4);
  detail::write_big_endian(bytes + LogLayout::kFiles, log_mark(mark.files), 4);
  detail::write_big_endian(bytes + LogLayout::kCounter, log_mark(mark.counter), 4);
  detail::write_big_endian(bytes + LogLayout::kNumber, mark.counter.empty() ? 0 : mark.number, 8);
  static_assert(LogLayout::kSize - LogLayout::kTag == kOrderTellsLog.size());
  kOrderTellsLog.copy(bytes + LogLayout::kTag, kOrderTellsLog.size());
  out.append(bytes, sizeof bytes);
}

}  // namespace cdcrt::sdk
