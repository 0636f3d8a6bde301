// Cells as JSON for people and tools: exact numbers, ISO 8601 times, base64 for bytes. Header-only, C++17.
#pragma once

#include <charconv>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>

#include "cdcrt/abi/value.h"
#include "cdcrt/sdk/base64.hpp"
#include "cdcrt/sdk/calendar_write.hpp"
#include "cdcrt/sdk/json_text.hpp"

namespace cdcrt::sdk {

namespace detail {

template <class Number>
void append_number(std::string& out, Number value) {
  char text[32];
  const auto done = std::to_chars(text, text + sizeof text, value);
  out.append(text, done.ptr);
}

inline void append_json_float(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "\"NaN\"";
  } else if (std::isinf(value)) {
    out += value < 0 ? "\"-Infinity\"" : "\"Infinity\"";
  } else {
    append_number(out, value);
  }
}

/// Digits as they are; NaN and the infinities, which JSON has no numbers for, as text.
inline void append_json_decimal(std::string& out, std::string_view text) {
  if (!text.empty() && text.back() >= '0' && text.back() <= '9') {
    out += text;
  } else {
    append_json_string(out, text);
  }
}

/// On one line. A raw line end cannot be inside a JSON string.
inline void append_json_line(std::string& out, std::string_view json) {
  if (json.empty()) out += "null";
  for (const char c : json) out += c == '\n' || c == '\r' ? ' ' : c;
}

}  // namespace detail

/// NULL and ABSENT are null.
inline void append_json_cell(std::string& out, const cdcrt_cell& cell) {
  const std::string_view text = cell.size == 0 ? std::string_view() : std::string_view(cell.value.data, cell.size);
  char moment[64];
  const auto quoted = [&](std::size_t size) {
    out += '"';
    out.append(moment, size);
    out += '"';
  };
  switch (cell.tag) {
    case CDCRT_BOOL: out += cell.value.integer != 0 ? "true" : "false"; break;
    case CDCRT_I64: detail::append_number(out, cell.value.integer); break;
    case CDCRT_U64: detail::append_number(out, cell.value.natural); break;
    case CDCRT_F64: detail::append_json_float(out, cell.value.real); break;
    case CDCRT_DECIMAL: detail::append_json_decimal(out, text); break;
    case CDCRT_DATE: quoted(write_date(moment, cell.value.integer, TextStyle::kIso8601)); break;
    case CDCRT_TIME: quoted(write_time(moment, cell.value.integer)); break;
    case CDCRT_TIMESTAMP: quoted(write_timestamp(moment, cell.value.integer, TextStyle::kIso8601)); break;
    case CDCRT_TIMESTAMPTZ: quoted(write_timestamptz(moment, cell.value.integer, TextStyle::kIso8601)); break;
    case CDCRT_BYTES: out += '"' + encode_base64(text) + '"'; break;
    case CDCRT_JSON:
    case CDCRT_ARRAY: detail::append_json_line(out, text); break;
    case CDCRT_STRING:
    case CDCRT_UUID:
    case CDCRT_INTERVAL: append_json_string(out, text); break;
    default: out += "null"; break;
  }
}

}  // namespace cdcrt::sdk
