// Exact numbers as text: -?digits[.digits], which is what a DECIMAL cell holds. Header-only, C++17.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cdcrt/sdk/digits.hpp"
#include "cdcrt/sdk/row_builder.hpp"

namespace cdcrt::sdk {

/// Longest decimal that an exponent is expanded to, and longest plain number that is taken: digits.
inline constexpr std::size_t kMaximumDigits = 2000;

namespace detail {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// sign, digits and the place of the point (digits after it; negative: zeros to append) as one text in the arena.
inline std::string_view place_point(bool negative, std::string_view digits, int64_t scale, RowBuilder& rows) {
  const auto count = static_cast<int64_t>(digits.size());
  const int64_t leading = scale >= count ? scale - count + 1 : 0;
  const int64_t trailing = scale < 0 && digits != "0" ? -scale : 0;
  char* out = rows.allocate(static_cast<uint64_t>(count + leading + trailing + 2));
  char* next = out;
  if (negative) *next++ = '-';
  const int64_t whole = scale > 0 ? count + leading - scale : count;
  for (int64_t i = 0; i < count + leading; ++i) {
    if (i == whole) *next++ = '.';
    *next++ = i < leading ? '0' : digits[static_cast<std::size_t>(i - leading)];
  }
  for (int64_t i = 0; i < trailing; ++i) *next++ = '0';
  return {out, static_cast<std::size_t>(next - out)};
}

}  // namespace detail

/// -?digits[.digits]
inline bool is_plain_decimal(std::string_view text) {
  if (!text.empty() && text[0] == '-') text.remove_prefix(1);
  const std::size_t point = text.find('.');
  const auto digits = [](std::string_view part) { return !part.empty() && std::all_of(part.begin(), part.end(), detail::is_digit); };
  return point == std::string_view::npos ? digits(text) : digits(text.substr(0, point)) && digits(text.substr(point + 1));
}

/// JSON's grammar of numbers.
inline bool is_json_number(std::string_view text) {
  std::size_t i = 0;
  const auto digits = [&] {
    const std::size_t begin = i;
    while (i < text.size() && detail::is_digit(text[i])) ++i;
    return i - begin;
  };
  if (i < text.size() && text[i] == '-') ++i;
  const std::size_t first = i;
  const std::size_t whole = digits();
  if (whole == 0 || (whole > 1 && text[first] == '0')) return false;
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (digits() == 0) return false;
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    if (digits() == 0) return false;
  }
  return i == text.size();
}

/// A JSON number without its exponent, borrowed when it has none, else in the arena. nullopt: too long.
inline std::optional<std::string_view> plain_decimal(std::string_view number, RowBuilder& rows) {
  const std::size_t e = number.find_first_of("eE");
  if (e == std::string_view::npos) {
    if (number.size() > kMaximumDigits + 2) return std::nullopt;
    return number;
  }
  const char* begin = number.data() + e + 1;
  const char* end = number.data() + number.size();
  if (begin != end && *begin == '+') ++begin;
  int64_t exponent = 0;
  if (std::from_chars(begin, end, exponent).ec != std::errc()) return std::nullopt;
  const std::string_view mantissa = number.substr(0, e);
  if (mantissa.size() > kMaximumDigits + 2 || exponent > 1'000'000 || exponent < -1'000'000) return std::nullopt;
  const bool negative = mantissa[0] == '-';
  std::string digits;
  int64_t scale = -exponent;
  bool fraction = false;
  for (const char c : mantissa.substr(negative ? 1 : 0)) {
    if (c == '.') {
      fraction = true;
      continue;
    }
    if (fraction) ++scale;
    digits.push_back(c);
  }
  const std::size_t zeros = std::min(digits.find_first_not_of('0'), digits.size() - 1);
  digits.erase(0, zeros);
  // 1.50E2 is 150: digits after the point that are zeros by the exponent's shift alone carry nothing.
  if (scale < 0 ? static_cast<std::size_t>(-scale) + digits.size() > kMaximumDigits : static_cast<std::size_t>(scale) > kMaximumDigits) {
    if (digits != "0") return std::nullopt;
    scale = 0;
  }
  return detail::place_point(negative, digits, scale, rows);
}

/// A number as JSON writes it, digit for digit: I64, U64 where it is a whole number that fits, else DECIMAL (also NaN and the
/// infinities, which some write). False, and nothing set: not a number, or one of more than kMaximumDigits.
inline bool set_number(cdcrt_cell& cell, std::string_view number, RowBuilder& rows) {
  int64_t integer = 0;
  if (parse_integer(number, integer)) {
    set_integer(cell, CDCRT_I64, integer);
    return true;
  }
  uint64_t natural = 0;
  if (parse_natural(number, natural)) {
    set_natural(cell, natural);
    return true;
  }
  if (number == "NaN" || number == "Infinity" || number == "-Infinity") {
    set_text(cell, CDCRT_DECIMAL, rows.copy(number));
    return true;
  }
  if (!is_json_number(number)) return false;
  const auto plain = plain_decimal(number, rows);
  if (!plain) return false;
  set_text(cell, CDCRT_DECIMAL, plain->data() == number.data() ? rows.copy(*plain) : *plain);
  return true;
}

}  // namespace cdcrt::sdk
