#include "redshift_literal.hpp"

#include <algorithm>

#include "cdcrt/sdk/utf8.hpp"
#include "redshift_value.hpp"
#include "sql/cell.hpp"
#include "sql/cell_text.hpp"
#include "sql/identifier.hpp"
#include "sql/json_reader.hpp"
#include "sql/postgresql_array.hpp"

namespace cdcrt::sql::redshift {

using sdk::Status;

namespace {

/// TO_VARBYTE('...','hex'), joined where one constant would be too long.
void append_bytes(std::string& out, std::string_view bytes) {
  constexpr std::size_t kStep = kMaxConstant / 2;
  const bool several = bytes.size() > kStep;
  if (several) out += '(';
  std::size_t at = 0;
  do {
    if (at > 0) out += "||";
    out += "TO_VARBYTE('";
    append_hex(out, bytes.substr(at, kStep));
    out += "','hex')";
    at += kStep;
  } while (at < bytes.size());
  if (several) out += ')';
}

std::string without_nul(std::string_view text) {
  std::string kept(text);
  kept.erase(std::remove(kept.begin(), kept.end(), '\0'), kept.end());
  return kept;
}

}  // namespace

void append_text(std::string& out, std::string_view text) {
  // Each chr(92) is one more operator of the expression, and those nest.
  constexpr std::ptrdiff_t kMaxJoined = 16;
  const std::ptrdiff_t backslashes = std::count(text.begin(), text.end(), '\\');
  if (backslashes > kMaxJoined) {
    out += "FROM_VARBYTE(";
    append_bytes(out, without_nul(text));
    out += ",'utf8')";
    return;
  }
  const bool parts = backslashes > 0;
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

Status append_cell(std::string& out, const cdcrt_cell& cell, const ColumnType& type, std::string_view column) {
  using Form = StoredValue::Form;
  if (cell.tag > CDCRT_NULL) {
    if (const std::string_view why = why_unstorable(cell, type.storage); !why.empty()) {
      return Status::bad_record("column " + shown(column) + ": " + std::string(why));
    }
  }
  std::string buffer;
  const StoredValue value = stored_value(cell, type.storage, buffer);
  switch (value.form) {
    case Form::kNull: out += "NULL"; break;
    case Form::kBoolean:
      out += type.storage != Storage::kBool ? (value.text == "t" ? "'t'" : "'f'") : value.text == "t" ? "true" : "false";
      break;
    case Form::kNumeral:
      // A quoted one would first become a DECIMAL(18,0) where the server picks the type.
      if (type.storage == Storage::kInteger || type.storage == Storage::kDecimal) {
        out += value.text;
        break;
      }
      [[fallthrough]];
    case Form::kWord:
    case Form::kText: append_text(out, value.text); break;
    case Form::kBytes: append_bytes(out, value.text); break;
    case Form::kJson:
      out += "JSON_PARSE(";
      // Also of bytes [JSON_PARSE], which may be longer than a text.
      if (value.text.size() > kMaxConstant) {
        append_bytes(out, without_nul(value.text));
      } else {
        append_text(out, value.text);
      }
      out += ')';
      break;
  }
  return {};
}

bool needs_several_constants(const cdcrt_cell& cell, Storage storage) {
  if (!has_bytes(cell) || cell.size <= kMaxConstant / 8) return false;  // a JSON string may grow sixfold
  std::string buffer;
  const StoredValue value = stored_value(cell, storage, buffer);
  return value.text.size() > (value.form == StoredValue::Form::kBytes ? kMaxConstant / 2 : kMaxConstant);
}

std::string text_expression(std::string_view quoted_column, Storage storage) {
  const std::string column(quoted_column);
  switch (storage) {
    case Storage::kBool: return "CASE WHEN " + column + " THEN 't' WHEN NOT " + column + " THEN 'f' END";
    case Storage::kDate:
    case Storage::kTime:
    case Storage::kTimetz:
    case Storage::kTimestamp:
    case Storage::kTimestamptz: return column + "::varchar";
    case Storage::kSuper:
      // JSON_SERIALIZE fails beyond a VARCHAR's length, and makes 'null' of NULL.
      return "CASE WHEN " + column + " IS NULL THEN NULL ELSE JSON_SERIALIZE_TO_VARBYTE(" + column + ") END";
    default:
      // VARBYTE prints as hexadecimal digits whatever its length [r_VARBYTE_type]; FROM_VARBYTE ends at a VARCHAR's.
      return column;
  }
}

namespace {

std::string bytes_of_hex(std::string_view text) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
  std::string bytes(text.size() / 2, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(digit(text[2 * i]) * 16 + digit(text[2 * i + 1]));
  return bytes;
}

/// What a value that is no JSON was written as: a JSON string holds its text.
cdcrt_cell from_json(cdcrt_type type, std::string& buffer) {
  if (type.kind == CDCRT_TYPE_JSON) return text_cell(CDCRT_JSON, buffer);
  if (type.kind == CDCRT_TYPE_ARRAY) return text_cell(CDCRT_ARRAY, buffer);
  std::string text;
  JsonReader reader(buffer);
  if (reader.text(text) && reader.ended()) buffer = std::move(text);
  if (type.kind == CDCRT_TYPE_BYTES) {
    buffer = bytes_of_hex(buffer);
    return text_cell(CDCRT_BYTES, buffer);
  }
  std::string unused;  // of bytes and of arrays, which are read above
  return from_postgresql(buffer, type, unused);
}

}  // namespace

cdcrt_cell from_text(std::string_view text, Storage storage, cdcrt_type type, std::string& buffer) {
  if (storage != Storage::kBytes && storage != Storage::kSuper) return from_postgresql(text, type, buffer);
  buffer = bytes_of_hex(text);
  if (storage == Storage::kSuper) return from_json(type, buffer);
  // A column of bytes can hold texts: those that came after a change of type which it could not follow.
  return text_cell(type.kind == CDCRT_TYPE_STRING && sdk::is_utf8(buffer) ? CDCRT_STRING : CDCRT_BYTES, buffer);
}

}  // namespace cdcrt::sql::redshift
