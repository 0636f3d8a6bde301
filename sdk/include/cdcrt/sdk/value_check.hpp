// Whether the text of a cell is what its tag promises: what --check-plugins asks of formats, and what the SDK asks of itself.
// Header-only, C++17.
#pragma once

#include <cstddef>
#include <string_view>

#include "cdcrt/abi/value.h"
#include "cdcrt/sdk/decimal.hpp"
#include "cdcrt/sdk/json_check.hpp"
#include "cdcrt/sdk/utf8.hpp"

namespace cdcrt::sdk {

/// NaN, Infinity, -Infinity, or -?digits[.digits]: no exponent.
inline bool is_decimal_text(std::string_view text) {
  return text == "NaN" || text == "Infinity" || text == "-Infinity" || is_plain_decimal(text);
}

/// [-]P[nY][nM][nW][nD][T[nH][nM][nS]] with at least one part; parts may have a sign and a fraction, in this order.
inline bool is_interval(std::string_view text) {
  if (!text.empty() && text.front() == '-') text.remove_prefix(1);
  if (text.empty() || text.front() != 'P') return false;
  text.remove_prefix(1);
  std::string_view units = "YMWD";
  bool in_time = false;
  bool needs_part = true;
  while (!text.empty()) {
    if (text.front() == 'T' && !in_time) {
      in_time = true;
      units = "HMS";
      needs_part = true;
      text.remove_prefix(1);
      continue;
    }
    if (text.front() == '-' || text.front() == '+') text.remove_prefix(1);
    std::size_t digits = 0;
    std::size_t points = 0;
    while (digits < text.size() && ((text[digits] >= '0' && text[digits] <= '9') || text[digits] == '.'))
      points += text[digits++] == '.' ? 1 : 0;
    if (digits == 0 || digits == text.size() || points > 1 || text[0] == '.' || text[digits - 1] == '.') return false;
    const auto unit = units.find(text[digits]);
    if (unit == std::string_view::npos) return false;
    units.remove_prefix(unit + 1);
    needs_part = false;
    text.remove_prefix(digits + 1);
  }
  return !needs_part;
}

/// 36 characters, letters in lower case.
inline bool is_plain_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  }
  return true;
}

/// What a text of that tag has to be and this one is not, as "JSON array"; nullptr: it is.
inline const char* unmet_promise(cdcrt_tag tag, std::string_view text) {
  switch (tag) {
    case CDCRT_DECIMAL: return is_decimal_text(text) ? nullptr : "decimal";
    case CDCRT_STRING: return is_utf8(text) ? nullptr : "UTF-8";
    case CDCRT_JSON: return is_json(text) ? nullptr : "JSON";
    case CDCRT_ARRAY: return is_json_array(text) ? nullptr : "JSON array";
    case CDCRT_UUID: return is_plain_uuid(text) ? nullptr : "UUID in lower case";
    case CDCRT_INTERVAL: return is_interval(text) ? nullptr : "ISO 8601 duration";
    default: return nullptr;
  }
}

}  // namespace cdcrt::sdk
