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
/// kDefault: nothing was said, which is kDeadLetter but for digits finer than a microsecond: those are cut, and counted.
enum class OnOverflow : uint8_t { kDeadLetter, kTruncate, kNull, kWiden, kDefault };

}  // namespace cdcrt::types
