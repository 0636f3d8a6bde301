#include "conversion.hpp"

#include <charconv>
#include <string>

#include "cdcrt/sdk/calendar.hpp"
#include "sql/cell_text.hpp"
#include "sql/identifier.hpp"

namespace cdcrt::sql {
namespace {

using sdk::Status;

bool is_float(uint8_t kind) { return kind == CDCRT_TYPE_FLOAT32 || kind == CDCRT_TYPE_FLOAT64; }

/// -?digits[.digits]
bool is_plain_decimal(std::string_view text) {
  if (!text.empty() && text[0] == '-') text.remove_prefix(1);
  bool digits = false;
  bool point = false;
  for (const char c : text) {
    if (c == '.') {
      if (point || !digits) return false;
      point = true;
      digits = false;
    } else if (c >= '0' && c <= '9') {
      digits = true;
    } else {
      return false;
    }
  }
  return digits;
}

/// Exactly `scale` digits after the point; false when that would lose a digit.
bool rescale(std::string& text, int scale) {
  auto point = text.find('.');
  std::size_t digits = point == std::string::npos ? 0 : text.size() - point - 1;
  const auto wanted = static_cast<std::size_t>(scale < 0 ? 0 : scale);
  while (digits > wanted && text.back() == '0') text.pop_back(), --digits;
  if (digits > wanted) return false;
  if (point != std::string::npos && digits == 0) text.pop_back(), point = std::string::npos;
  if (wanted > digits && point == std::string::npos) text += '.';
  text.append(wanted - digits, '0');
  return true;
}

Status refuse(const cdcrt_column& column, const std::string& value) {
  return Status::bad_record("column " + shown(sdk::view(column.name)) + " holds a value that its new type cannot keep: " + shown(value),
                            "leave the column's type, or convert the values by hand first");
}

Status to_decimal(const cdcrt_cell& cell, const cdcrt_column& column, SqliteValue& out) {
  std::string text;
  if (cell.tag == CDCRT_F64) {
    append_double(text, cell.value.real);
    if (text.find('e') != std::string::npos) {  // shortest digits, written out without an exponent
      char fixed[512];
      const auto end = std::to_chars(fixed, fixed + sizeof fixed, cell.value.real, std::chars_format::fixed);
      text.assign(fixed, end.ptr);
    }
  } else if (cell.tag == CDCRT_BOOL) {
    text = cell.value.integer != 0 ? "1" : "0";
  } else {
    append_cell_text(text, cell, sdk::TextStyle::kIso8601);
  }
  const bool special = text == "NaN" || text == "Infinity" || text == "-Infinity";
  if (!special) {
    if (!is_plain_decimal(text)) return refuse(column, text);
    if (column.type.kind == CDCRT_TYPE_UINT64 && (text[0] == '-' || text.find('.') != std::string::npos)) return refuse(column, text);
    if (column.type.kind == CDCRT_TYPE_DECIMAL && column.type.length > 0 && !rescale(text, column.type.scale)) return refuse(column, text);
  }
  out.storage = SqliteClass::kText;
  out.buffer = text;
  out.bytes = out.buffer;
  return {};
}

Status to_moment(const cdcrt_cell& cell, cdcrt_type from, const cdcrt_column& column, SqliteValue& out) {
  cdcrt_cell moment = cell;
  if (cell.tag == CDCRT_DATE && (column.type.kind == CDCRT_TYPE_TIMESTAMP || column.type.kind == CDCRT_TYPE_TIMESTAMPTZ)) {
    if (cell.value.integer != sdk::kInfinity && cell.value.integer != sdk::kMinusInfinity &&
        __builtin_mul_overflow(cell.value.integer, sdk::kMicrosecondsPerDay, &moment.value.integer)) {
      std::string text;
      append_cell_text(text, cell, sdk::TextStyle::kIso8601);
      return refuse(column, text);
    }
    moment.tag = CDCRT_TIMESTAMP;
  }
  if (moment.tag == CDCRT_TIMESTAMP && column.type.kind == CDCRT_TYPE_TIMESTAMPTZ) moment.tag = CDCRT_TIMESTAMPTZ;
  static_cast<void>(from);
  return to_sqlite(moment, column, out);
}

}  // namespace

Status convert_stored(const SqliteValue& stored, cdcrt_type from, const cdcrt_column& column, SqliteValue& out) {
  cdcrt_cell cell = from_sqlite(stored, from);
  if (cell.tag == CDCRT_NULL) {
    out.storage = SqliteClass::kNull;
    return {};
  }
  switch (column.type.kind) {
    case CDCRT_TYPE_DECIMAL:
    case CDCRT_TYPE_UINT64: return to_decimal(cell, column, out);
    case CDCRT_TYPE_DATE:
    case CDCRT_TYPE_TIMESTAMP:
    case CDCRT_TYPE_TIMESTAMPTZ: return to_moment(cell, from, column, out);
    case CDCRT_TYPE_FLOAT64:
      if (from.kind == CDCRT_TYPE_FLOAT32 && cell.tag == CDCRT_F64)
        cell.value.real = static_cast<double>(static_cast<float>(cell.value.real));
      return to_sqlite(cell, column, out);
    case CDCRT_TYPE_STRING:
      // The short decimal of the float itself, where the stored double happens to be the float's exact value.
      if (from.kind == CDCRT_TYPE_FLOAT32 && cell.tag == CDCRT_F64) {
        char text[32];
        const auto end = std::to_chars(text, text + sizeof text, static_cast<float>(cell.value.real));
        if (static_cast<double>(static_cast<float>(cell.value.real)) == cell.value.real) {
          out.storage = SqliteClass::kText;
          out.buffer.assign(text, end.ptr);
          if (out.buffer == "inf" || out.buffer == "-inf") out.buffer = out.buffer[0] == '-' ? "-Infinity" : "Infinity";
          out.bytes = out.buffer;
          return {};
        }
      }
      return to_sqlite(cell, column, out);
    case CDCRT_TYPE_INTERVAL:
      if (cell.tag != CDCRT_TIME) return to_sqlite(cell, column, out);
      out.buffer.resize(64);
      out.buffer.resize(sdk::write_duration(out.buffer.data(), cell.value.integer));
      out.storage = SqliteClass::kText;
      out.bytes = out.buffer;
      return {};
    default: break;
  }
  if (is_integer(column.type.kind) && is_float(from.kind) && cell.tag != CDCRT_F64 && cell.tag != CDCRT_I64) {
    return refuse(column, std::string(stored.bytes));
  }
  return to_sqlite(cell, column, out);
}

}  // namespace cdcrt::sql
