// Dates and times from their texts: ISO 8601 as Debezium, Java and databases print it. Header-only, C++17.
//
// The whole text must parse; nullopt for anything else, for days that do not exist, for values outside int64 microseconds, and
// for fractions finer than a microsecond. Years: four digits; more with or without '+'; '-' counts from year 0 (1 BC);
// a suffix " BC" counts as historians do. A fraction has 1 to 9 digits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "cdcrt/sdk/civil.hpp"

namespace cdcrt::sdk {

namespace detail {

/// A place in a text that only moves forward over what it recognises.
class TextCursor {
 public:
  explicit constexpr TextCursor(std::string_view text) : next_(text.data()), end_(text.data() + text.size()) {}
  [[nodiscard]] constexpr bool at_end() const { return next_ == end_; }
  constexpr bool take(char wanted) {
    if (next_ == end_ || *next_ != wanted) return false;
    ++next_;
    return true;
  }
  [[nodiscard]] constexpr bool at_digit() const { return next_ != end_ && *next_ >= '0' && *next_ <= '9'; }
  constexpr bool two_digits(unsigned& value) {
    if (end_ - next_ < 2 || next_[0] < '0' || next_[0] > '9' || next_[1] < '0' || next_[1] > '9') return false;
    value = static_cast<unsigned>(next_[0] - '0') * 10 + static_cast<unsigned>(next_[1] - '0');
    next_ += 2;
    return true;
  }
  /// How many digits were taken; 0 when there are none or more than 18 of them (which could not be held).
  constexpr int digits(int64_t& value) {
    int count = 0;
    value = 0;
    while (at_digit()) {
      if (++count > 18) return 0;
      value = value * 10 + (*next_++ - '0');
    }
    return count;
  }

 private:
  const char* next_;
  const char* end_;
};

constexpr bool take_era(std::string_view& text) {
  if (text.size() < 3 || text.substr(text.size() - 3) != " BC") return false;
  text.remove_suffix(3);
  return true;
}

constexpr std::optional<int64_t> parse_infinity(std::string_view text) {
  if (text == "infinity") return kInfinity;
  if (text == "-infinity") return kMinusInfinity;
  return std::nullopt;
}

/// Days since 1970-01-01.
constexpr bool read_date(TextCursor& cursor, bool before_christ, int64_t& days) {
  const bool minus = cursor.take('-');
  const bool plus = !minus && cursor.take('+');
  int64_t year = 0;
  if (cursor.digits(year) < 4) return false;
  if (before_christ) {
    if (minus || plus || year == 0) return false;
    year = 1 - year;
  } else if (minus) {
    if (year == 0) return false;
    year = -year;
  }
  unsigned month = 0;
  unsigned day = 0;
  if (!cursor.take('-') || !cursor.two_digits(month) || !cursor.take('-') || !cursor.two_digits(day)) return false;
  if (day < 1 || day > days_in_month(year, month)) return false;
  days = days_from_civil(year, month, day);
  return days != kInfinity && days != kMinusInfinity;
}

/// The rest of hh:mm[:ss[.f]] after the hours: seconds below an hour, and microseconds below a second.
constexpr bool read_below_hour(TextCursor& cursor, int64_t& seconds, int64_t& microseconds) {
  unsigned minute = 0;
  unsigned second = 0;
  microseconds = 0;
  if (!cursor.take(':') || !cursor.two_digits(minute) || minute > 59) return false;
  if (cursor.take(':')) {
    if (!cursor.two_digits(second) || second > 59) return false;
    if (cursor.take('.')) {
      int64_t fraction = 0;
      int count = cursor.digits(fraction);
      if (count < 1 || count > 9) return false;
      for (; count < 9; ++count) fraction *= 10;
      if (fraction % 1000 != 0) return false;
      microseconds = fraction / 1000;
    }
  }
  seconds = static_cast<int64_t>(minute) * 60 + static_cast<int64_t>(second);
  return true;
}

/// Z or ±hh[:mm[:ss]] or ±hhmm: seconds east of UTC.
constexpr bool read_zone(TextCursor& cursor, int64_t& offset) {
  offset = 0;
  if (cursor.take('Z') || cursor.take('z')) return true;
  const bool west = cursor.take('-');
  if (!west && !cursor.take('+')) return false;
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
  if (!cursor.two_digits(hour) || hour > 23) return false;
  if (cursor.take(':')) {
    if (!cursor.two_digits(minute) || (cursor.take(':') && !cursor.two_digits(second))) return false;
  } else if (cursor.at_digit() && !cursor.two_digits(minute)) {
    return false;
  }
  if (minute > 59 || second > 59) return false;
  offset = static_cast<int64_t>(hour) * 3600 + static_cast<int64_t>(minute) * 60 + static_cast<int64_t>(second);
  if (west) offset = -offset;
  return true;
}

/// seconds * 10^6 + microseconds (0..999,999); nullopt where that is no finite timestamp.
constexpr std::optional<int64_t> join_seconds(int64_t seconds, int64_t microseconds) {
  constexpr int64_t last = INT64_MAX / kMicrosecondsPerSecond;
  if (seconds < -last - 1 || seconds > last) return std::nullopt;
  if (seconds < 0) {
    const int64_t base = (seconds + 1) * kMicrosecondsPerSecond;
    const int64_t rest = microseconds - kMicrosecondsPerSecond;
    if (rest <= INT64_MIN - base) return std::nullopt;
    return base + rest;
  }
  if (microseconds >= INT64_MAX - seconds * kMicrosecondsPerSecond) return std::nullopt;
  return seconds * kMicrosecondsPerSecond + microseconds;
}

constexpr std::optional<int64_t> parse_moment(std::string_view text, bool zone) {
  if (const auto infinity = parse_infinity(text)) return infinity;
  const bool before_christ = take_era(text);
  TextCursor cursor(text);
  int64_t days = 0;
  if (!read_date(cursor, before_christ, days)) return std::nullopt;
  if (!cursor.take('T') && !cursor.take(' ') && !cursor.take('t')) return std::nullopt;
  unsigned hour = 0;
  int64_t seconds = 0;
  int64_t microseconds = 0;
  int64_t offset = 0;
  if (!cursor.two_digits(hour) || hour > 23 || !read_below_hour(cursor, seconds, microseconds)) return std::nullopt;
  if (zone && !read_zone(cursor, offset)) return std::nullopt;
  if (!cursor.at_end()) return std::nullopt;
  constexpr int64_t last_day = INT64_MAX / kMicrosecondsPerDay + 2;  // a zone moves at most one day
  if (days > last_day || days < -last_day) return std::nullopt;
  return join_seconds(days * kSecondsPerDay + static_cast<int64_t>(hour) * 3600 + seconds - offset, microseconds);
}

}  // namespace detail

/// Days since 1970-01-01.
constexpr std::optional<int64_t> parse_date(std::string_view text) {
  if (const auto infinity = detail::parse_infinity(text)) return infinity;
  const bool before_christ = detail::take_era(text);
  detail::TextCursor cursor(text);
  int64_t days = 0;
  if (!detail::read_date(cursor, before_christ, days) || !cursor.at_end()) return std::nullopt;
  return days;
}

/// Microseconds of the day: [-]hh:mm[:ss[.f]]; hours may go beyond 23 and have more than two digits.
constexpr std::optional<int64_t> parse_time(std::string_view text) {
  detail::TextCursor cursor(text);
  const bool negative = cursor.take('-');
  int64_t hours = 0;
  int64_t seconds = 0;
  int64_t microseconds = 0;
  if (cursor.digits(hours) < 2 || !detail::read_below_hour(cursor, seconds, microseconds) || !cursor.at_end()) return std::nullopt;
  if (hours > INT64_MAX / (3600 * kMicrosecondsPerSecond)) return std::nullopt;
  const uint64_t magnitude = static_cast<uint64_t>(hours * 3600 + seconds) * 1'000'000 + static_cast<uint64_t>(microseconds);
  if (magnitude > static_cast<uint64_t>(INT64_MAX) + (negative ? 1 : 0)) return std::nullopt;
  return static_cast<int64_t>(negative ? 0 - magnitude : magnitude);
}

/// Microseconds since 1970-01-01 of a text without a zone: date, 'T' or a space, time below 24 h.
constexpr std::optional<int64_t> parse_timestamp(std::string_view text) { return detail::parse_moment(text, false); }

/// Microseconds since 1970-01-01 UTC of a text with a zone (Z, ±hh, ±hh:mm, ±hh:mm:ss, ±hhmm).
constexpr std::optional<int64_t> parse_timestamptz(std::string_view text) { return detail::parse_moment(text, true); }

}  // namespace cdcrt::sdk
