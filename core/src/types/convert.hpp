// Convert: a cell as a value of a column's type, exactly or not at all.
//
// Bytes of a new text go into the caller's arena; otherwise the answer borrows what the cell borrowed. Thread-safe on distinct
// arenas. Errors are BAD_RECORD and name the type and the value; the caller knows the column.
//
// Into text: digits shortest, ISO 8601, true/false, base64 for bytes. Out of a text: the whole of it must be a value.
// Numbers: in range and without rounding. int -> float is the nearest (a declared change follows the source); anything else into
// a float must leave its digits readable. bool <-> 0 and 1. A time is an interval of hours, minutes and seconds, and back. date ->
// timestamp -> timestamptz, zone-less taken as UTC; back only at midnight, or in UTC. Numbers into JSON as they are. The rest is refused.
#pragma once

#include <array>

#include "cdcrt/abi/value.h"
#include "diagnostics/result.hpp"
#include "event/arena.hpp"
#include "types/cell_text.hpp"
#include "types/reading.hpp"
#include "types/type.hpp"

namespace cdcrt::types {

/// The tag of the cells of a column; ABSENT for UNKNOWN, which takes any.
constexpr std::array<uint8_t, CDCRT_TYPE_INTERVAL + 1> kNaturalTags = {
    CDCRT_ABSENT,      CDCRT_BOOL,   CDCRT_I64,     CDCRT_I64,  CDCRT_I64,  CDCRT_I64,    CDCRT_U64,
    CDCRT_F64,         CDCRT_F64,    CDCRT_DECIMAL, CDCRT_DATE, CDCRT_TIME, CDCRT_STRING, CDCRT_TIMESTAMP,
    CDCRT_TIMESTAMPTZ, CDCRT_STRING, CDCRT_BYTES,   CDCRT_JSON, CDCRT_UUID, CDCRT_ARRAY,  CDCRT_INTERVAL};

/// The cell already is a value of `to` and needs no check beyond this one. The hot path of every cell.
inline bool is_ready(const cdcrt_cell& cell, cdcrt_type from, cdcrt_type to) {
  if (cell.tag <= CDCRT_NULL || to.kind == CDCRT_TYPE_UNKNOWN || to.kind > CDCRT_TYPE_INTERVAL) return true;
  if (kNaturalTags[to.kind] != cell.tag) return false;
  switch (to.kind) {
    case CDCRT_TYPE_INT8: return cell.value.integer == static_cast<int8_t>(cell.value.integer);
    case CDCRT_TYPE_INT16: return cell.value.integer == static_cast<int16_t>(cell.value.integer);
    case CDCRT_TYPE_INT32: return cell.value.integer == static_cast<int32_t>(cell.value.integer);
    case CDCRT_TYPE_FLOAT32: return from.kind == CDCRT_TYPE_FLOAT32;
    case CDCRT_TYPE_FLOAT64: return from.kind != CDCRT_TYPE_FLOAT32;
    case CDCRT_TYPE_DECIMAL: return to.length == 0;
    case CDCRT_TYPE_STRING: return to.length == 0 || cell.size <= to.length;
    case CDCRT_TYPE_TIMETZ: return from.kind == CDCRT_TYPE_TIMETZ;
    default: return true;
  }
}

namespace detail {
Result<cdcrt_cell> convert_slowly(const cdcrt_cell& cell, cdcrt_type from, cdcrt_type to, event::Arena& arena);
}

/// The cell as a value of `to`. `from`: the type of the column it came from, UNKNOWN without a schema. ABSENT and NULL pass.
inline Result<cdcrt_cell> convert(const cdcrt_cell& cell, cdcrt_type from, cdcrt_type to, event::Arena& arena) {
  if (is_ready(cell, from, to)) return cell;
  return detail::convert_slowly(cell, from, to, arena);
}

/// A value without a schema, read as a route's column says: epochs to dates and times, base64 and hex to bytes (to a number type:
/// big-endian two's complement with the type's scale; to text, json: the UTF-8 they hold; to uuid: its 16 bytes), then converted
/// to `to` (UNKNOWN: to what the encoding gives). kNone is convert. A cell that already is of that kind is not read again.
Result<cdcrt_cell> read_as(const cdcrt_cell& cell, Parse parse, cdcrt_type to, event::Arena& arena);

/// As read_as, without digits of a second that are finer than a microsecond. BAD_RECORD: without them it is no value of `to` either.
Result<cdcrt_cell> cut_fraction(const cdcrt_cell& cell, Parse parse, cdcrt_type to, event::Arena& arena);

/// on_overflow = "truncate": a string cut to the characters that string(n) holds, borrowing from the cell. Nothing else can be
/// cut: BAD_RECORD, unless it fits as it is.
Result<cdcrt_cell> truncate(const cdcrt_cell& cell, cdcrt_type to);

}  // namespace cdcrt::types
