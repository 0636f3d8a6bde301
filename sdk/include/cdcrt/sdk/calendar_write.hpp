// Texts of dates and times. Header-only, C++17. `out` has at least 48 bytes; the answer is how many were written, no NUL.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "cdcrt/sdk/civil.hpp"

namespace cdcrt::sdk {

enum class TextStyle : uint8_t {
  kIso8601,  ///< 2024-01-01T06:00:00.000006, -0043-03-15, +10000-01-01
  kPostgres  ///< 2024-01-01 06:00:00.000006, 0044-03-15 BC, 10000-01-01
};

namespace detail {

inline constexpr char kDigitPairs[] =
    "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354555657585960616263646566"
    "676869"
    "707172737475767778798081828384858687888990919293949596979899";

inline char* write_two(char* out, unsigned value) {
  std::memcpy(out, kDigitPairs + 2 * static_cast<size_t>(value), 2);
  return out + 2;
}

/// Decimal digits, zero-padded to `width` (at most 20).
inline char* write_padded(char* out, uint64_t value, int width) {
  char digits[20];
  int count = 0;
  do {
    digits[count++] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  while (count < width) digits[count++] = '0';
  while (count > 0) *out++ = digits[--count];
  return out;
}

inline size_t write_infinity(char* out, bool negative) {
  const char* text = negative ? "-infinity" : "infinity";
  const size_t size = negative ? 9 : 8;
  std::memcpy(out, text, size);
  return size;
}

inline char* write_year(char* out, int64_t year, TextStyle style) {
  if (year >= 0 && year <= 9999 && (year > 0 || style == TextStyle::kIso8601)) {
    out = write_two(out, static_cast<unsigned>(year) / 100);
    return write_two(out, static_cast<unsigned>(year) % 100);
  }
  if (style == TextStyle::kPostgres) return write_padded(out, static_cast<uint64_t>(year > 0 ? year : 1 - year), 4);
  *out++ = year < 0 ? '-' : '+';
  return write_padded(out, static_cast<uint64_t>(year < 0 ? -year : year), 4);
}

inline char* write_civil(char* out, const Civil& civil, TextStyle style) {
  out = write_year(out, civil.year, style);
  *out++ = '-';
  out = write_two(out, civil.month);
  *out++ = '-';
  return write_two(out, civil.day);
}

inline char* write_era(char* out, const Civil& civil, TextStyle style) {
  if (style != TextStyle::kPostgres || civil.year > 0) return out;
  std::memcpy(out, " BC", 3);
  return out + 3;
}

/// :MM:SS[.ffffff] of microseconds below an hour.
inline char* write_below_hour(char* out, uint64_t microseconds) {
  const auto fraction = static_cast<unsigned>(microseconds % 1'000'000);
  const auto seconds = static_cast<unsigned>(microseconds / 1'000'000);
  *out++ = ':';
  out = write_two(out, seconds / 60);
  *out++ = ':';
  out = write_two(out, seconds % 60);
  if (fraction == 0) return out;
  *out++ = '.';
  out = write_two(out, fraction / 10'000);
  out = write_two(out, fraction / 100 % 100);
  return write_two(out, fraction % 100);
}

inline size_t write_moment(char* out, int64_t microseconds, TextStyle style, bool zone) {
  if (microseconds == kInfinity || microseconds == kMinusInfinity) return write_infinity(out, microseconds < 0);
  const int64_t days = floor_divide(microseconds, kMicrosecondsPerDay);
  int64_t of_day = microseconds % kMicrosecondsPerDay;
  if (of_day < 0) of_day += kMicrosecondsPerDay;
  const Civil civil = civil_from_days(days);
  char* next = write_civil(out, civil, style);
  *next++ = style == TextStyle::kIso8601 ? 'T' : ' ';
  constexpr int64_t hour = 3600 * kMicrosecondsPerSecond;
  next = write_two(next, static_cast<unsigned>(of_day / hour));
  next = write_below_hour(next, static_cast<uint64_t>(of_day % hour));
  if (zone) {
    std::memcpy(next, "+00:00", 6);
    next += 6;
  }
  return static_cast<size_t>(write_era(next, civil, style) - out);
}

}  // namespace detail

/// `days` since 1970-01-01; the infinities as infinity and -infinity.
inline size_t write_date(char* out, int64_t days, TextStyle style) {
  if (days == kInfinity || days == kMinusInfinity) return detail::write_infinity(out, days < 0);
  const Civil civil = civil_from_days(days);
  return static_cast<size_t>(detail::write_era(detail::write_civil(out, civil, style), civil, style) - out);
}

/// HH:MM:SS[.ffffff]; negative and beyond 24 hours as MySQL prints them: -838:59:59.
inline size_t write_time(char* out, int64_t microseconds) {
  char* next = out;
  auto magnitude = static_cast<uint64_t>(microseconds);
  if (microseconds < 0) {
    *next++ = '-';
    magnitude = 0 - magnitude;
  }
  constexpr uint64_t hour = 3600ULL * 1'000'000;
  next = detail::write_padded(next, magnitude / hour, 2);
  return static_cast<size_t>(detail::write_below_hour(next, magnitude % hour) - out);
}

/// `microseconds` since 1970-01-01 without a zone.
inline size_t write_timestamp(char* out, int64_t microseconds, TextStyle style) {
  return detail::write_moment(out, microseconds, style, false);
}

/// `microseconds` since 1970-01-01 UTC, with +00:00.
inline size_t write_timestamptz(char* out, int64_t microseconds, TextStyle style) {
  return detail::write_moment(out, microseconds, style, true);
}

/// ISO 8601 duration of microseconds, every part with the sign, as PostgreSQL prints it: PT838H59M59.5S, PT-1H-0.5S, PT0S.
inline size_t write_duration(char* out, int64_t microseconds) {
  auto magnitude = static_cast<uint64_t>(microseconds);
  const bool negative = microseconds < 0;
  if (negative) magnitude = 0 - magnitude;
  char* next = out;
  *next++ = 'P';
  *next++ = 'T';
  const auto part = [&](uint64_t value, char unit) {
    if (value == 0) return;
    if (negative) *next++ = '-';
    next = detail::write_padded(next, value, 1);
    *next++ = unit;
  };
  part(magnitude / 3'600'000'000, 'H');
  part(magnitude / 60'000'000 % 60, 'M');
  const uint64_t below_minute = magnitude % 60'000'000;
  if (below_minute == 0 && magnitude != 0) return static_cast<size_t>(next - out);
  if (negative) *next++ = '-';
  next = detail::write_padded(next, below_minute / 1'000'000, 1);
  if (uint64_t fraction = below_minute % 1'000'000; fraction != 0) {
    *next++ = '.';
    next = detail::write_padded(next, fraction, 6);
    while (next[-1] == '0') --next;
  }
  *next++ = 'S';
  return static_cast<size_t>(next - out);
}

}  // namespace cdcrt::sdk
