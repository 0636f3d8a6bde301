#include "json_row.hpp"

#include <charconv>
#include <cmath>
#include <string_view>

#include "cdcrt/sdk/base64.hpp"
#include "cdcrt/sdk/calendar.hpp"
#include "cdcrt/sdk/json_text.hpp"
#include "cdcrt/sdk/status.hpp"

namespace cdcrt::file_sink {
namespace {

void append_base64(std::string_view bytes, std::string& out) {
  out += '"';
  out += sdk::encode_base64(bytes);
  out += '"';
}

template <class Number>
void append_number(Number value, std::string& out) {
  char text[32];
  const auto done = std::to_chars(text, text + sizeof text, value);
  out.append(text, done.ptr);
}

void append_float(double value, std::string& out) {
  if (std::isnan(value))
    out += "\"NaN\"";
  else if (std::isinf(value))
    out += value < 0 ? "\"-Infinity\"" : "\"Infinity\"";
  else
    append_number(value, out);
}

/// Digits as they are; NaN and the infinities, which JSON has no numbers for, as text.
void append_decimal(std::string_view text, std::string& out) {
  const bool is_number = !text.empty() && (text.back() >= '0' && text.back() <= '9');
  if (is_number)
    out += text;
  else
    sdk::append_json_string(out, text);
}

/// JSON may be written over several lines; this file has one line a change. A raw line end cannot be inside a JSON string.
void append_json(std::string_view text, std::string& out) {
  if (text.empty()) {
    out += "null";
    return;
  }
  for (const char c : text) out += c == '\n' || c == '\r' ? ' ' : c;
}

void append_cell(const cdcrt_cell& cell, std::string& out) {
  const auto text = [&] { return cell.size == 0 ? std::string_view() : std::string_view(cell.value.data, cell.size); };
  const auto quoted = [&](size_t (*format)(char*, int64_t, sdk::TextStyle)) {
    char moment[64];
    out += '"';
    out.append(moment, format(moment, cell.value.integer, sdk::TextStyle::kIso8601));
    out += '"';
  };
  switch (cell.tag) {
    case CDCRT_BOOL:
      out += cell.value.integer != 0 ? "true" : "false";
      break;
    case CDCRT_I64:
      append_number(cell.value.integer, out);
      break;
    case CDCRT_U64:
      append_number(cell.value.natural, out);
      break;
    case CDCRT_F64:
      append_float(cell.value.real, out);
      break;
    case CDCRT_DECIMAL:
      append_decimal(text(), out);
      break;
    case CDCRT_DATE:
      quoted(sdk::write_date);
      break;
    case CDCRT_TIME: {
      char time[64];
      out += '"';
      out.append(time, sdk::write_time(time, cell.value.integer));
      out += '"';
      break;
    }
    case CDCRT_TIMESTAMP:
      quoted(sdk::write_timestamp);
      break;
    case CDCRT_TIMESTAMPTZ:
      quoted(sdk::write_timestamptz);
      break;
    case CDCRT_BYTES:
      append_base64(text(), out);
      break;
    case CDCRT_JSON:
    case CDCRT_ARRAY:
      append_json(text(), out);
      break;
    case CDCRT_STRING:
    case CDCRT_UUID:
    case CDCRT_INTERVAL:
      sdk::append_json_string(out, text());
      break;
    default:
      out += "null";
      break;
  }
}

std::string_view operation(const cdcrt_write& write, uint64_t row) {
  if (write.operations != nullptr) {
    switch (write.operations[row]) {
      case CDCRT_SNAPSHOT:
        return "snapshot";
      case CDCRT_INSERT:
        return "insert";
      case CDCRT_UPDATE:
        return "update";
      case CDCRT_DELETE:
        return "delete";
      case CDCRT_TRUNCATE:
        return "truncate";
      case CDCRT_DEFINITION:
        return "definition";
      default:
        return "marker";
    }
  }
  switch (write.kind) {
    case CDCRT_WRITE_UPSERT:
      return "upsert";
    case CDCRT_WRITE_PATCH:
      return "update";
    case CDCRT_WRITE_DELETE:
    case CDCRT_WRITE_REMOVE:
      return "delete";
    case CDCRT_WRITE_REPLACE:
      return "replace";
    case CDCRT_WRITE_CLEAR:
      return "truncate";
    default:
      return "insert";
  }
}

/// ,"name":{...} with the columns that are set; nothing when there are none.
void append_columns(const cdcrt_write& write, const cdcrt_cell* cells, bool keys_only, std::string_view name, std::string& out) {
  bool is_first = true;
  for (uint32_t i = 0; i < write.column_count; ++i) {
    if (cells[i].tag == CDCRT_ABSENT || (keys_only && write.columns[i].key_ordinal == 0)) continue;
    if (is_first) {
      out += ",\"";
      out += name;
      out += "\":{";
    } else {
      out += ',';
    }
    is_first = false;
    sdk::append_json_string(out, sdk::view(write.columns[i].name));
    out += ':';
    append_cell(cells[i], out);
  }
  if (!is_first) out += '}';
}

}  // namespace

void append_line(const cdcrt_write& write, uint64_t row, std::string& out) {
  out += '{';
  if (write.table.schema.size > 0) {
    out += "\"schema\":";
    sdk::append_json_string(out, sdk::view(write.table.schema));
    out += ',';
  }
  out += "\"table\":";
  sdk::append_json_string(out, sdk::view(write.table.name));
  out += ",\"op\":\"";
  out += operation(write, row);
  out += '"';
  if (row < write.row_count) {
    const cdcrt_cell* cells = write.cells + row * write.column_count;
    append_columns(write, cells, true, "key", out);
    append_columns(write, cells, false, "row", out);
  }
  out += "}\n";
}

}  // namespace cdcrt::file_sink
