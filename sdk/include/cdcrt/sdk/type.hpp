// Logical types of columns, by name: type::decimal(12, 2). Header-only, C++17. Which cells a column of a type may hold:
//
//   boolean BOOL · int8..int64 I64 · uint64 U64 or I64 · float32, float64 F64 · decimal DECIMAL, I64, U64 · date DATE · time TIME ·
//   timetz STRING · timestamp TIMESTAMP · timestamptz TIMESTAMPTZ · text STRING · bytes BYTES · json JSON, ARRAY · uuid UUID ·
//   array ARRAY · interval INTERVAL · unknown: any
//
// and every column NULL, and ABSENT where the event does not have it. A date or time that microseconds do not hold is a STRING with
// its ISO 8601 text.
#pragma once

#include <cstdint>

#include "cdcrt/abi/value.h"

namespace cdcrt::sdk::type {

constexpr cdcrt_type of(cdcrt_type_kind kind) {
  cdcrt_type made{};
  made.kind = static_cast<uint8_t>(kind);
  return made;
}
/// The event carries no type: the host learns it from the cells.
constexpr cdcrt_type unknown() { return {}; }
constexpr cdcrt_type boolean() { return of(CDCRT_TYPE_BOOL); }
constexpr cdcrt_type int8() { return of(CDCRT_TYPE_INT8); }
constexpr cdcrt_type int16() { return of(CDCRT_TYPE_INT16); }
constexpr cdcrt_type int32() { return of(CDCRT_TYPE_INT32); }
constexpr cdcrt_type int64() { return of(CDCRT_TYPE_INT64); }
constexpr cdcrt_type uint64() { return of(CDCRT_TYPE_UINT64); }
constexpr cdcrt_type float32() { return of(CDCRT_TYPE_FLOAT32); }
constexpr cdcrt_type float64() { return of(CDCRT_TYPE_FLOAT64); }
/// `precision` 0: any number of digits.
constexpr cdcrt_type decimal(uint32_t precision = 0, int16_t scale = 0) {
  cdcrt_type made = of(CDCRT_TYPE_DECIMAL);
  made.length = precision;
  made.scale = precision == 0 ? int16_t{0} : scale;
  return made;
}
constexpr cdcrt_type date() { return of(CDCRT_TYPE_DATE); }
constexpr cdcrt_type time() { return of(CDCRT_TYPE_TIME); }
constexpr cdcrt_type timetz() { return of(CDCRT_TYPE_TIMETZ); }
constexpr cdcrt_type timestamp() { return of(CDCRT_TYPE_TIMESTAMP); }
constexpr cdcrt_type timestamptz() { return of(CDCRT_TYPE_TIMESTAMPTZ); }
/// `characters` 0: any length.
constexpr cdcrt_type text(uint32_t characters = 0) {
  cdcrt_type made = of(CDCRT_TYPE_STRING);
  made.length = characters;
  return made;
}
constexpr cdcrt_type bytes() { return of(CDCRT_TYPE_BYTES); }
constexpr cdcrt_type json() { return of(CDCRT_TYPE_JSON); }
constexpr cdcrt_type uuid() { return of(CDCRT_TYPE_UUID); }
/// `element`: of the innermost elements; unknown(): any.
constexpr cdcrt_type array(cdcrt_type element = {}) {
  cdcrt_type made = element;
  made.kind = CDCRT_TYPE_ARRAY;
  made.element = element.kind == CDCRT_TYPE_ARRAY ? element.element : element.kind;
  return made;
}
constexpr cdcrt_type interval() { return of(CDCRT_TYPE_INTERVAL); }

}  // namespace cdcrt::sdk::type
