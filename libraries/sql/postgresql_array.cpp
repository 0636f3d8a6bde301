#include "sql/postgresql_array.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>
#include <optional>

#include "cdcrt/sdk/calendar.hpp"
#include "sql/cell.hpp"
#include "sql/cell_text.hpp"
#include "sql/identifier.hpp"
#include "sql/postgresql_nested.hpp"

namespace cdcrt::sql {

namespace {

void add_quoted(std::string& out, std::string_view text) {
  // By itself a string doubles what it has for the quote behind a large text.
  constexpr std::size_t kLarge = 1 << 20;
  if (text.size() >= kLarge) {
    const auto escapes = std::count_if(text.begin(), text.end(), [](char c) { return c == '"' || c == '\\'; });
    out.reserve(out.size() + text.size() + static_cast<std::size_t>(escapes) + 4);
  }
  out += '"';
  std::size_t done = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '"' && text[i] != '\\') continue;
    out.append(text, done, i - done);
    out += '\\';
    done = i;
  }
  out.append(text, done, text.size() - done);
  out += '"';
}

}  // namespace

sdk::Status append_array_element(std::string& out, const cdcrt_cell& cell, const cdcrt_column& column) {
  switch (cell.tag) {
    case CDCRT_ABSENT:
    case CDCRT_NULL: out += "NULL"; return {};
    case CDCRT_BOOL:
      if (is_number(column.type.kind)) {
        out += cell.value.integer != 0 ? '1' : '0';
      } else {
        out += cell.value.integer != 0 ? "true" : "false";
      }
      return {};
    case CDCRT_I64:
    case CDCRT_U64:
    case CDCRT_F64: append_cell_text(out, cell, sdk::TextStyle::kPostgres); return {};
    case CDCRT_DATE:
    case CDCRT_TIME:
    case CDCRT_TIMESTAMP:
    case CDCRT_TIMESTAMPTZ:
      out += '"';
      append_cell_text(out, cell, column.type.kind == CDCRT_TYPE_STRING ? sdk::TextStyle::kIso8601 : sdk::TextStyle::kPostgres);
      out += '"';
      return {};
    case CDCRT_BYTES:
      out += "\"\\\\x";
      append_hex(out, bytes_of(cell));
      out += '"';
      return {};
    default: break;
  }
  const std::string_view text = bytes_of(cell);
  if (!text.empty() && std::memchr(text.data(), 0, text.size()) != nullptr) {
    return sdk::Status::bad_record(
        "column " + shown(sdk::view(column.name)) + " holds a NUL character (U+0000), which PostgreSQL cannot store in text",
        "store the column as bytes, or exclude it in the route");
  }
  add_quoted(out, text);
  return {};
}

namespace {

template <class Number>
std::optional<Number> parse(std::string_view text) {
  Number value{};
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

cdcrt_cell from_postgresql(std::string_view text, cdcrt_type type, std::string& buffer) {
  const auto as_text = [&] { return text_cell(CDCRT_STRING, text); };
  const auto moment = [&](std::optional<int64_t> value, cdcrt_tag tag) { return value ? integer_cell(tag, *value) : as_text(); };
  switch (type.kind) {
    case CDCRT_TYPE_BOOL:
      if (text == "true" || text == "t" || text == "1") return integer_cell(CDCRT_BOOL, 1);
      if (text == "false" || text == "f" || text == "0") return integer_cell(CDCRT_BOOL, 0);
      return as_text();
    case CDCRT_TYPE_INT8:
    case CDCRT_TYPE_INT16:
    case CDCRT_TYPE_INT32:
    case CDCRT_TYPE_INT64: return moment(parse<int64_t>(text), CDCRT_I64);
    case CDCRT_TYPE_UINT64: {
      const auto value = parse<uint64_t>(text);
      if (!value) return as_text();
      return natural_cell(*value);
    }
    case CDCRT_TYPE_FLOAT32:
    case CDCRT_TYPE_FLOAT64: {
      cdcrt_cell cell{};
      cell.tag = CDCRT_F64;
      if (text == "NaN") {
        cell.value.real = std::numeric_limits<double>::quiet_NaN();
      } else if (text == "Infinity" || text == "-Infinity") {
        cell.value.real = text[0] == '-' ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
      } else if (const auto value = parse<double>(text)) {
        cell.value.real = *value;
      } else {
        return as_text();
      }
      return cell;
    }
    case CDCRT_TYPE_DECIMAL: return text_cell(CDCRT_DECIMAL, text);
    case CDCRT_TYPE_DATE: return moment(sdk::parse_date(text), CDCRT_DATE);
    case CDCRT_TYPE_TIME: return moment(sdk::parse_time(text), CDCRT_TIME);
    case CDCRT_TYPE_TIMESTAMP: return moment(sdk::parse_timestamp(text), CDCRT_TIMESTAMP);
    case CDCRT_TYPE_TIMESTAMPTZ: return moment(sdk::parse_timestamptz(text), CDCRT_TIMESTAMPTZ);
    case CDCRT_TYPE_BYTES: {
      if (text.substr(0, 2) != "\\x" || text.size() % 2 != 0) return as_text();
      const auto digit = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
      buffer.resize(text.size() / 2 - 1);
      for (std::size_t i = 0; i < buffer.size(); ++i) buffer[i] = static_cast<char>(digit(text[2 * i + 2]) * 16 + digit(text[2 * i + 3]));
      return text_cell(CDCRT_BYTES, buffer);
    }
    case CDCRT_TYPE_JSON: return text_cell(CDCRT_JSON, text);
    case CDCRT_TYPE_UUID: return text_cell(CDCRT_UUID, text);
    case CDCRT_TYPE_ARRAY:
      if (is_array_constant(text) && from_array_constant(text, cdcrt_type{type.element, 0, type.scale, type.length}, buffer))
        return text_cell(CDCRT_ARRAY, buffer);
      return text_cell(CDCRT_ARRAY, text);
    case CDCRT_TYPE_INTERVAL: return text_cell(CDCRT_INTERVAL, text);
    default: return as_text();
  }
}

}  // namespace cdcrt::sql
