// What a route says of the values of a column: how they are read, and what becomes of those that do not fit.
#pragma once

#include <cstdint>

namespace cdcrt::types {

/// How a value without a schema is to be read.
enum class Parse : uint8_t {
  kNone,
  kEpochDays,
  kEpochSeconds,
  kEpochMilliseconds,
  kEpochMicroseconds,
  kEpochNanoseconds,
  kBase64,
  kHex,
  kIso8601
};
/// kDefault: the route says nothing. As kDeadLetter, except that digits finer than a microsecond are cut, and counted.
enum class OnOverflow : uint8_t { kDeadLetter, kTruncate, kNull, kWiden, kDefault };

}  // namespace cdcrt::types
