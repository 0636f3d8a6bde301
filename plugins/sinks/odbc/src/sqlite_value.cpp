#include "sqlite_value.hpp"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "cdcrt/sdk/calendar.hpp"
#include "sql/cell.hpp"
#include "sql/cell_text.hpp"
#include "sql/identifier.hpp"

namespace cdcrt::sql {
namespace {

using sdk::Status;

void set_text(SqliteValue& out, const cdcrt_cell& cell) {
  out.storage = SqliteClass::kText;
  if (cell.tag == CDCRT_STRING || cell.tag == CDCRT_DECIMAL || (cell.tag >= CDCRT_JSON && cell.tag <= CDCRT_INTERVAL)) {
    out.bytes = bytes_of(cell);
    return;
  }
  out.buffer.clear();
  append_cell_text(out.buffer, cell, sdk::TextStyle::kIso8601);
  out.bytes = out.buffer;
}

void set_integer(SqliteValue& out, int64_t value) {
  out.storage = SqliteClass::kInteger;
  out.integer = value;
}

void set_real(SqliteValue& out, double value) {
  if (std::isnan(value)) {
    out.storage = SqliteClass::kText;
    out.bytes = "NaN";
  } else {
    out.storage = SqliteClass::kReal;
    out.real = value;
  }
}

Status refuse(const cdcrt_cell& cell, const cdcrt_column& column, std::string_view as) {
  std::string text;
  append_cell_text(text, cell, sdk::TextStyle::kIso8601);
  constexpr std::size_t kMax = 60;
  if (text.size() > kMax) text = text.substr(0, kMax) + "...";
  return Status::bad_record(
      "column " + shown(sdk::view(column.name)) + " cannot keep this value as " + std::string(as) + ": " + shown(text),
      "give the column a wider type in the route, or on_overflow");
}

/// Exactly an int64: an optional '-' and digits, no leading zero or plus, so that the text would come back the same.
bool parse_integer(std::string_view text, int64_t& value) {
  const auto* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end || text == "-0") return false;
  const std::size_t first = text[0] == '-' ? 1 : 0;
  return text.size() == first + 1 || text[first] != '0';
}

bool parse_real(std::string_view text, double& value) {
  if (text == "NaN") return value = std::numeric_limits<double>::quiet_NaN(), true;
  if (text == "Infinity" || text == "-Infinity") {
    value = text[0] == '-' ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
    return true;
  }
  std::size_t digits = 0;
  for (const char c : text) digits += c >= '0' && c <= '9' ? 1 : 0;
  const auto* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end || !std::isfinite(value)) return false;
  if (digits <= 15) return true;  // any such decimal survives the way through a double
  std::string shortest;
  append_double(shortest, value);
  return shortest == text;
}

Status to_integer(const cdcrt_cell& cell, const cdcrt_column& column, SqliteValue& out) {
  int64_t value = 0;
  switch (cell.tag) {
    case CDCRT_BOOL:
    case CDCRT_I64: set_integer(out, cell.value.integer); return {};
    case CDCRT_U64:
      if (cell.value.natural > static_cast<uint64_t>(INT64_MAX)) return refuse(cell, column, "an integer");
      set_integer(out, static_cast<int64_t>(cell.value.natural));
      return {};
    case CDCRT_F64:
      if (!(cell.value.real >= -9223372036854775808.0 && cell.value.real < 9223372036854775808.0) ||
          std::trunc(cell.value.real) != cell.value.real) {
        return refuse(cell, column, "an integer");
      }
      set_integer(out, static_cast<int64_t>(cell.value.real));
      return {};
    case CDCRT_DECIMAL:
    case CDCRT_STRING:
      if (!parse_integer(bytes_of(cell), value)) return refuse(cell, column, "an integer");
      set_integer(out, value);
      return {};
    default: return refuse(cell, column, "an integer");
  }
}

Status to_real(const cdcrt_cell& cell, const cdcrt_column& column, SqliteValue& out) {
  double value = 0;
  switch (cell.tag) {
    case CDCRT_F64: set_real(out, cell.value.real); return {};
    case CDCRT_BOOL:
    case CDCRT_I64:
      value = static_cast<double>(cell.value.integer);
      if (value >= 9223372036854775808.0 || static_cast<int64_t>(value) != cell.value.integer) return refuse(cell, column, "a float");
      set_real(out, value);
      return {};
    case CDCRT_U64:
      value = static_cast<double>(cell.value.natural);
      if (value >= 18446744073709551616.0 || static_cast<uint64_t>(value) != cell.value.natural) return refuse(cell, column, "a float");
      set_real(out, value);
      return {};
    case CDCRT_DECIMAL:
    case CDCRT_STRING:
      if (!parse_real(bytes_of(cell), value)) return refuse(cell, column, "a float");
      set_real(out, value);
      return {};
    default: return refuse(cell, column, "a float");
  }
}

}  // namespace

Status to_sqlite(const cdcrt_cell& cell, const cdcrt_column& column, SqliteValue& out) {
  if (cell.tag == CDCRT_NULL || cell.tag == CDCRT_ABSENT) {
    out.storage = SqliteClass::kNull;
    return {};
  }
  switch (column.type.kind) {
    case CDCRT_TYPE_BOOL:
      if (cell.tag == CDCRT_BOOL || (cell.tag == CDCRT_I64 && (cell.value.integer == 0 || cell.value.integer == 1))) {
        set_integer(out, cell.value.integer);
        return {};
      }
      return refuse(cell, column, "a boolean");
    case CDCRT_TYPE_INT8:
    case CDCRT_TYPE_INT16:
    case CDCRT_TYPE_INT32:
    case CDCRT_TYPE_INT64: return to_integer(cell, column, out);
    case CDCRT_TYPE_FLOAT32:
    case CDCRT_TYPE_FLOAT64: return to_real(cell, column, out);
    case CDCRT_TYPE_UINT64:
    case CDCRT_TYPE_DECIMAL:
      if (cell.tag == CDCRT_BOOL) {
        out.storage = SqliteClass::kText;
        out.bytes = cell.value.integer != 0 ? "1" : "0";
        return {};
      }
      set_text(out, cell);
      return {};
    case CDCRT_TYPE_BYTES:
    case CDCRT_TYPE_UNKNOWN:
      if (cell.tag == CDCRT_BYTES) {
        out.storage = SqliteClass::kBlob;
        out.bytes = bytes_of(cell);
        return {};
      }
      set_text(out, cell);
      return {};
    default: set_text(out, cell); return {};
  }
}

namespace {

cdcrt_cell cell_of_text(std::string_view text, cdcrt_type type) {
  const auto moment = [&](std::optional<int64_t> value, cdcrt_tag tag) {
    return value ? integer_cell(tag, *value) : text_cell(CDCRT_STRING, text);
  };
  switch (type.kind) {
    case CDCRT_TYPE_UINT64: {
      uint64_t value = 0;
      const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
      if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return text_cell(CDCRT_STRING, text);
      return natural_cell(value);
    }
    case CDCRT_TYPE_FLOAT32:
    case CDCRT_TYPE_FLOAT64: return text == "NaN" ? real_cell(std::numeric_limits<double>::quiet_NaN()) : text_cell(CDCRT_STRING, text);
    case CDCRT_TYPE_DECIMAL: return text_cell(CDCRT_DECIMAL, text);
    case CDCRT_TYPE_DATE: return moment(sdk::parse_date(text), CDCRT_DATE);
    case CDCRT_TYPE_TIME: return moment(sdk::parse_time(text), CDCRT_TIME);
    case CDCRT_TYPE_TIMESTAMP: return moment(sdk::parse_timestamp(text), CDCRT_TIMESTAMP);
    case CDCRT_TYPE_TIMESTAMPTZ: return moment(sdk::parse_timestamptz(text), CDCRT_TIMESTAMPTZ);
    case CDCRT_TYPE_JSON: return text_cell(CDCRT_JSON, text);
    case CDCRT_TYPE_UUID: return text_cell(CDCRT_UUID, text);
    case CDCRT_TYPE_ARRAY: return text_cell(CDCRT_ARRAY, text);
    case CDCRT_TYPE_INTERVAL: return text_cell(CDCRT_INTERVAL, text);
    default: return text_cell(CDCRT_STRING, text);
  }
}

}  // namespace

cdcrt_cell from_sqlite(const SqliteValue& value, cdcrt_type type) {
  switch (value.storage) {
    case SqliteClass::kNull: return integer_cell(CDCRT_NULL, 0);
    case SqliteClass::kInteger:
      if (type.kind == CDCRT_TYPE_BOOL) return integer_cell(CDCRT_BOOL, value.integer != 0 ? 1 : 0);
      if (type.kind == CDCRT_TYPE_FLOAT32 || type.kind == CDCRT_TYPE_FLOAT64) return real_cell(static_cast<double>(value.integer));
      return integer_cell(CDCRT_I64, value.integer);
    case SqliteClass::kReal: return real_cell(value.real);
    case SqliteClass::kText: return cell_of_text(value.bytes, type);
    case SqliteClass::kBlob: return text_cell(CDCRT_BYTES, value.bytes);
  }
  return integer_cell(CDCRT_NULL, 0);
}

Status append_sqlite_literal(std::string& out, const SqliteValue& value, const cdcrt_column& column) {
  switch (value.storage) {
    case SqliteClass::kNull: out += "NULL"; return {};
    case SqliteClass::kInteger: out += std::to_string(value.integer); return {};
    case SqliteClass::kReal:
      if (std::isinf(value.real)) {
        out += value.real < 0 ? "-9e999" : "9e999";
      } else {
        std::string text;
        append_double(text, value.real);
        if (text.find_last_of(".e") == std::string::npos) text += ".0";
        out += text;
      }
      return {};
    case SqliteClass::kText:
      if (value.bytes.find('\0') != std::string_view::npos) {
        return Status::bad_record("default of column " + shown(sdk::view(column.name)) + " holds a NUL character, which a constant cannot");
      }
      append_literal(out, value.bytes);
      return {};
    case SqliteClass::kBlob:
      out += "X'";
      append_hex(out, value.bytes);
      out += '\'';
      return {};
  }
  return {};
}

std::string sqlite_exact_expression(std::string_view quoted_column) {
  const std::string c(quoted_column);
  return "CASE typeof(" + c + ") WHEN 'null' THEN NULL WHEN 'integer' THEN 'i' || " + c + " WHEN 'real' THEN 'r' || printf('%!.20e', " + c +
         ") WHEN 'text' THEN CASE WHEN instr(" + c + ", char(0)) > 0 THEN 'h' || hex(" + c + ") ELSE 't' || " + c +
         " END ELSE 'b' || hex(" + c + ") END";
}

bool parse_exact(std::string_view text, SqliteValue& out) {
  if (text.empty()) return false;
  const std::string_view rest = text.substr(1);
  switch (text[0]) {
    case 'i': {
      out.storage = SqliteClass::kInteger;
      const auto parsed = std::from_chars(rest.data(), rest.data() + rest.size(), out.integer);
      return parsed.ec == std::errc() && parsed.ptr == rest.data() + rest.size();
    }
    case 'r': {
      out.storage = SqliteClass::kReal;
      if (rest == "Inf" || rest == "-Inf") {
        out.real = rest[0] == '-' ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
        return true;
      }
      const auto parsed = std::from_chars(rest.data(), rest.data() + rest.size(), out.real);
      return parsed.ec == std::errc() && parsed.ptr == rest.data() + rest.size();
    }
    case 't':
      out.storage = SqliteClass::kText;
      out.bytes = rest;
      return true;
    case 'h':
    case 'b': {
      out.storage = text[0] == 'h' ? SqliteClass::kText : SqliteClass::kBlob;
      if (rest.size() % 2 != 0) return false;
      out.buffer.resize(rest.size() / 2);
      const auto digit = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
      for (std::size_t i = 0; i < out.buffer.size(); ++i) {
        out.buffer[i] = static_cast<char>(digit(rest[2 * i]) * 16 + digit(rest[2 * i + 1]));
      }
      out.bytes = out.buffer;
      return true;
    }
    default: return false;
  }
}

}  // namespace cdcrt::sql
