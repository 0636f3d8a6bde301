// set_value: a value that came as text, as a cell of its column's declared type. Header-only, C++17.
#pragma once

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>

#include "cdcrt/sdk/calendar_parse.hpp"
#include "cdcrt/sdk/decimal.hpp"
#include "cdcrt/sdk/hex.hpp"
#include "cdcrt/sdk/row_builder.hpp"
#include "cdcrt/sdk/status.hpp"
#include "cdcrt/sdk/value_check.hpp"

namespace cdcrt::sdk {

namespace detail {

inline Status refuse_text(std::string_view text, const char* what) {
  constexpr std::size_t kMaximumShown = 40;
  std::string shown(text.substr(0, kMaximumShown));
  std::replace_if(
      shown.begin(), shown.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, '?');
  return Status::bad_record("\"" + shown + (text.size() > kMaximumShown ? "...\"" : "\"") + " is not " + what);
}

/// The whole text; a leading plus is taken.
template <class Number>
bool parse_whole(std::string_view text, Number& value) {
  if (text.size() > 1 && text[0] == '+' && is_digit(text[1])) text.remove_prefix(1);
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
}

inline bool fits_integer(uint8_t kind, int64_t value) {
  const auto within = [&](int64_t minimum, int64_t maximum) { return value >= minimum && value <= maximum; };
  if (kind == CDCRT_TYPE_INT8) return within(INT8_MIN, INT8_MAX);
  if (kind == CDCRT_TYPE_INT16) return within(INT16_MIN, INT16_MAX);
  return kind != CDCRT_TYPE_INT32 || within(INT32_MIN, INT32_MAX);
}

/// What follows the sixth digit of a second is left out; empty when nothing does.
inline std::string without_fine_fraction(std::string_view text) {
  const std::size_t point = text.find('.');
  if (point == std::string_view::npos) return {};
  std::size_t end = point + 1;
  while (end < text.size() && is_digit(text[end])) ++end;
  if (end - point <= 7) return {};
  return std::string(text.substr(0, point + 7)) + std::string(text.substr(end));
}

template <class Parse>
Status set_moment(cdcrt_cell& cell, cdcrt_tag tag, std::string_view text, const char* what, RowBuilder& rows, const Parse& parse) {
  if (const auto value = parse(text)) {
    set_integer(cell, tag, *value);
    return {};
  }
  // Finer than a microsecond: the text itself, and the target keeps what it can.
  const std::string coarse = without_fine_fraction(text);
  if (coarse.empty() || !parse(std::string_view(coarse))) return refuse_text(text, what);
  set_text(cell, CDCRT_STRING, rows.copy(text));
  return {};
}

inline Status set_decimal(cdcrt_cell& cell, std::string_view text, RowBuilder& rows) {
  if (text == "NaN" || text == "Infinity" || text == "-Infinity") {
    set_text(cell, CDCRT_DECIMAL, rows.copy(text));
    return {};
  }
  std::string number(text);  // +1, .5 and 5. are what some databases print
  if (!number.empty() && number[0] == '+') number.erase(0, 1);
  const std::size_t sign = !number.empty() && number[0] == '-' ? 1 : 0;
  if (number.size() > sign + 1 && number[sign] == '.') number.insert(sign, "0");
  if (!number.empty() && number.back() == '.') number.pop_back();
  while (number.size() > sign + 1 && number[sign] == '0' && is_digit(number[sign + 1])) number.erase(sign, 1);
  const auto plain = is_json_number(number) ? plain_decimal(number, rows) : std::nullopt;
  if (!plain) return refuse_text(text, "a decimal number");
  set_text(cell, CDCRT_DECIMAL, plain->data() == number.data() ? rows.copy(*plain) : *plain);
  return {};
}

inline Status set_checked(cdcrt_cell& cell, cdcrt_tag tag, std::string_view text, const char* what, RowBuilder& rows) {
  if (unmet_promise(tag, text) != nullptr) return refuse_text(text, what);
  set_text(cell, tag, rows.copy(text));
  return {};
}

inline Status set_uuid(cdcrt_cell& cell, std::string_view text, RowBuilder& rows) {
  bool is_uuid = text.size() == 36;
  for (std::size_t i = 0; is_uuid && i < text.size(); ++i) {
    is_uuid = i == 8 || i == 13 || i == 18 || i == 23 ? text[i] == '-' : hex_value(text[i]) >= 0;
  }
  if (!is_uuid) return refuse_text(text, "a UUID");
  char* out = rows.allocate(text.size());
  std::transform(text.begin(), text.end(), out, [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c; });
  set_text(cell, CDCRT_UUID, {out, text.size()});
  return {};
}

}  // namespace detail

/// Exact or not at all: BAD_RECORD says what the text is not, and leaves the cell as it was. Booleans are true, t, 1 and false, f, 0;
/// dates and times as calendar_parse.hpp says. Bytes have no one text: see binary_text.hpp. Of an unknown type: STRING.
inline Status set_value(cdcrt_cell& cell, cdcrt_type type, std::string_view text, RowBuilder& rows) {
  switch (type.kind) {
    case CDCRT_TYPE_BOOL: {
      const bool is_true = text == "true" || text == "t" || text == "1";
      if (!is_true && text != "false" && text != "f" && text != "0") return detail::refuse_text(text, "a boolean");
      set_integer(cell, CDCRT_BOOL, is_true ? 1 : 0);
      return {};
    }
    case CDCRT_TYPE_INT8:
    case CDCRT_TYPE_INT16:
    case CDCRT_TYPE_INT32:
    case CDCRT_TYPE_INT64: {
      int64_t value = 0;
      if (!detail::parse_whole(text, value)) return detail::refuse_text(text, "a 64-bit integer");
      if (!detail::fits_integer(type.kind, value)) return detail::refuse_text(text, "within the range of its declared type");
      set_integer(cell, CDCRT_I64, value);
      return {};
    }
    case CDCRT_TYPE_UINT64: {
      uint64_t value = 0;
      if (!detail::parse_whole(text, value)) return detail::refuse_text(text, "an unsigned 64-bit integer");
      set_natural(cell, value);
      return {};
    }
    case CDCRT_TYPE_FLOAT32:
    case CDCRT_TYPE_FLOAT64: {
      double value = 0;
      if (!detail::parse_whole(text, value)) return detail::refuse_text(text, "a floating-point number");
      set_real(cell, value);
      return {};
    }
    case CDCRT_TYPE_DECIMAL: return detail::set_decimal(cell, text, rows);
    case CDCRT_TYPE_DATE: return detail::set_moment(cell, CDCRT_DATE, text, "a date", rows, parse_date);
    case CDCRT_TYPE_TIME: return detail::set_moment(cell, CDCRT_TIME, text, "a time", rows, parse_time);
    case CDCRT_TYPE_TIMESTAMP: return detail::set_moment(cell, CDCRT_TIMESTAMP, text, "a timestamp without a zone", rows, parse_timestamp);
    case CDCRT_TYPE_TIMESTAMPTZ:
      return detail::set_moment(cell, CDCRT_TIMESTAMPTZ, text, "a timestamp with a zone", rows, parse_timestamptz);
    case CDCRT_TYPE_BYTES:
      return Status::bad_record("bytes have no one text: the format has to decode base64 or hexadecimal digits itself");
    case CDCRT_TYPE_JSON: return detail::set_checked(cell, CDCRT_JSON, text, "JSON", rows);
    case CDCRT_TYPE_UUID: return detail::set_uuid(cell, text, rows);
    case CDCRT_TYPE_ARRAY: return detail::set_checked(cell, CDCRT_ARRAY, text, "a JSON array", rows);
    case CDCRT_TYPE_INTERVAL: return detail::set_checked(cell, CDCRT_INTERVAL, text, "an ISO 8601 duration", rows);
    default: return detail::set_checked(cell, CDCRT_STRING, text, "UTF-8", rows);
  }
}

}  // namespace cdcrt::sdk
