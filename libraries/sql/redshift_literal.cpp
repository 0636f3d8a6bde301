#include "sql/redshift_literal.hpp"

#include "sql/cell.hpp"
#include "sql/cell_text.hpp"
#include "sql/identifier.hpp"
#include "sql/postgresql_array.hpp"
#include "sql/redshift_csv.hpp"

namespace cdcrt::sql::redshift {

using sdk::Status;

void append_text(std::string& out, std::string_view text) {
  const bool parts = text.find('\\') != std::string_view::npos;
  if (parts) out += '(';
  out += '\'';
  for (const char c : text) {
    if (c == '\0') continue;
    if (c == '\\') {
      out += "'||chr(92)||'";
      continue;
    }
    if (c == '\'') out += '\'';
    out += c;
  }
  out += '\'';
  if (parts) out += ')';
}

namespace {

/// JSON text for a SUPER: what is no JSON yet becomes a JSON string.
std::string json_text(const cdcrt_cell& cell) {
  RedshiftCsv csv("0");
  std::string field;
  csv.append(field, cell, CsvKind::kSuper);
  // The field is CSV: take its quotes away.
  if (field.empty() || field.front() != '"') return field;
  std::string text;
  for (std::size_t i = 1; i + 1 < field.size(); ++i) {
    text += field[i];
    if (field[i] == '"') ++i;
  }
  return text;
}

}  // namespace

Status append_cell(std::string& out, const cdcrt_cell& cell, const ColumnType& type, std::string_view column) {
  if (cell.tag <= CDCRT_NULL) {
    out += "NULL";
    return {};
  }
  if (const std::string_view why = why_unstorable(cell); !why.empty() && type.storage != Storage::kText) {
    return Status::bad_record("column " + shown(column) + ": " + std::string(why));
  }
  const bool number = type.storage == Storage::kInteger || type.storage == Storage::kDecimal || type.storage == Storage::kFloat;
  switch (type.storage) {
    case Storage::kSuper:
      out += "JSON_PARSE(";
      append_text(out, json_text(cell));
      out += ')';
      return {};
    case Storage::kBytes:
      out += "TO_VARBYTE('";
      if (cell.tag == CDCRT_BYTES) {
        append_hex(out, bytes_of(cell));
      } else {
        std::string text;
        append_cell_text(text, cell, sdk::TextStyle::kIso8601);
        append_hex(out, text);
      }
      out += "','hex')";
      return {};
    default:
      break;
  }
  // Bare numerals: a quoted one would first become a DECIMAL(18,0) where the server picks the type.
  if (cell.tag == CDCRT_I64 || cell.tag == CDCRT_U64 || cell.tag == CDCRT_DECIMAL) {
    if (type.storage == Storage::kInteger || type.storage == Storage::kDecimal) {
      append_cell_text(out, cell, sdk::TextStyle::kPostgres);
      return {};
    }
  }
  if (cell.tag == CDCRT_BOOL) {
    if (number)
      out += cell.value.integer != 0 ? "1" : "0";
    else if (type.storage == Storage::kBool)
      out += cell.value.integer != 0 ? "true" : "false";
    else
      out += cell.value.integer != 0 ? "'true'" : "'false'";
    return {};
  }
  if (cell.tag >= CDCRT_STRING) {
    append_text(out, bytes_of(cell));
    return {};
  }
  std::string text;
  append_cell_text(text, cell, type.storage == Storage::kText ? sdk::TextStyle::kIso8601 : sdk::TextStyle::kPostgres);
  append_text(out, text);
  return {};
}

std::string comparable(std::string_view column, Storage storage) {
  const std::string name(column);
  if (storage == Storage::kSuper) return "JSON_SERIALIZE(" + name + ")";
  if (storage == Storage::kBytes) return "FROM_VARBYTE(" + name + ", 'hex')";
  return name;
}

Status append_comparable(std::string& out, const cdcrt_cell& cell, const ColumnType& type, std::string_view column) {
  if (type.storage == Storage::kBytes && cell.tag == CDCRT_BYTES) {
    out += '\'';
    append_hex(out, bytes_of(cell));
    out += '\'';
    return {};
  }
  if (type.storage == Storage::kSuper || type.storage == Storage::kBytes) {
    std::string constant;
    Status status = append_cell(constant, cell, type, column);
    out += comparable(constant, type.storage);
    return status;
  }
  return append_cell(out, cell, type, column);
}

std::string text_expression(std::string_view quoted_column, Storage storage) {
  const std::string column(quoted_column);
  switch (storage) {
    case Storage::kBool:
      return "CASE WHEN " + column + " THEN 't' WHEN NOT " + column + " THEN 'f' END";
    case Storage::kDate:
    case Storage::kTime:
    case Storage::kTimetz:
    case Storage::kTimestamp:
    case Storage::kTimestamptz:
      return column + "::varchar";
    case Storage::kBytes:
      return "FROM_VARBYTE(" + column + ", 'hex')";
    case Storage::kSuper:
      return "JSON_SERIALIZE(" + column + ")";
    default:
      return column;
  }
}

cdcrt_cell from_text(std::string_view text, Storage storage, cdcrt_type type, std::string& buffer) {
  if (storage != Storage::kBytes) return from_postgresql(text, type, buffer);
  const auto digit = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
  buffer.resize(text.size() / 2);
  for (std::size_t i = 0; i < buffer.size(); ++i) buffer[i] = static_cast<char>(digit(text[2 * i]) * 16 + digit(text[2 * i + 1]));
  return text_cell(CDCRT_BYTES, buffer);
}

}  // namespace cdcrt::sql::redshift
