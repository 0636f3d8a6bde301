#include "redshift_value.hpp"

#include <charconv>
#include <cmath>

#include "cdcrt/sdk/calendar.hpp"
#include "cdcrt/sdk/json_text.hpp"
#include "sql/cell.hpp"
#include "sql/cell_text.hpp"
#include "sql/identifier.hpp"
#include "sql/json_reader.hpp"

namespace cdcrt::sql::redshift {
namespace {

using Form = StoredValue::Form;

constexpr std::size_t kMaxSuperString = 65'535;  // bytes; [limitations-super]

/// NaN and infinities, in the spellings of cdcrt_cell.
bool is_no_number(const cdcrt_cell& cell) {
  if (cell.tag == CDCRT_F64) return !std::isfinite(cell.value.real);
  return cell.tag == CDCRT_DECIMAL && cell.size > 0 && (bytes_of(cell).find_first_of("NI") != std::string_view::npos);
}

/// With "+00" rather than "+00:00": how Redshift itself prints UTC.
void append_utc(std::string& out, int64_t microseconds) {
  constexpr std::string_view kLongZone = "+00:00";
  char text[64];
  std::size_t size = sdk::write_timestamptz(text, microseconds, sdk::TextStyle::kPostgres);
  if (size > kLongZone.size() && std::string_view(text + size - kLongZone.size(), kLongZone.size()) == kLongZone) size -= 3;
  out.append(text, size);
}

/// The shortest digits that are the number, without an exponent: what reads decimals reads none.
void append_fixed(std::string& out, double value) {
  char text[1100];
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed).ptr;
  out.append(text, end);
}

/// A scalar by itself.
StoredValue plain(const cdcrt_cell& cell, std::string& buffer) {
  buffer.clear();
  switch (cell.tag) {
    case CDCRT_BOOL: return {Form::kBoolean, cell.value.integer != 0 ? "t" : "f"};
    case CDCRT_I64:
    case CDCRT_U64: append_cell_text(buffer, cell, sdk::TextStyle::kPostgres); return {Form::kNumeral, buffer};
    case CDCRT_DECIMAL: return {is_no_number(cell) ? Form::kWord : Form::kNumeral, bytes_of(cell)};
    case CDCRT_TIMESTAMPTZ: append_utc(buffer, cell.value.integer); return {Form::kWord, buffer};
    case CDCRT_F64:
    case CDCRT_DATE:
    case CDCRT_TIME:
    case CDCRT_TIMESTAMP: append_cell_text(buffer, cell, sdk::TextStyle::kPostgres); return {Form::kWord, buffer};
    case CDCRT_BYTES: return {Form::kBytes, bytes_of(cell)};
    default: return {Form::kText, bytes_of(cell)};
  }
}

/// As the text that the host gives other columns of text: true or false, ISO 8601 with T, bytes as they are.
std::string_view as_text(const cdcrt_cell& cell, std::string& buffer) {
  if (cell.tag >= CDCRT_STRING) return bytes_of(cell);
  buffer.clear();
  append_cell_text(buffer, cell, sdk::TextStyle::kIso8601);
  return buffer;
}

StoredValue as_json(const cdcrt_cell& cell, std::string& buffer) {
  const bool is_json = cell.tag == CDCRT_JSON || cell.tag == CDCRT_ARRAY;
  if (is_json && cell.size > 0) return {Form::kJson, bytes_of(cell)};
  if (cell.tag == CDCRT_BOOL) return {Form::kJson, cell.value.integer != 0 ? "true" : "false"};
  const bool number = cell.tag == CDCRT_I64 || cell.tag == CDCRT_U64 || cell.tag == CDCRT_F64 || cell.tag == CDCRT_DECIMAL;
  const StoredValue value = plain(cell, buffer);
  if (number && !is_no_number(cell)) return {Form::kJson, value.text};
  std::string json;
  if (value.form == Form::kBytes) {
    std::string hex;
    append_hex(hex, value.text);
    sdk::append_json_string(json, hex);
  } else {
    sdk::append_json_string(json, value.text);
  }
  buffer = std::move(json);
  return {Form::kJson, buffer};
}

bool is_hex(char letter) { return (letter >= '0' && letter <= '9') || ((letter | 0x20) >= 'a' && (letter | 0x20) <= 'f'); }

/// Whether a string or name inside of a JSON text has more bytes than a SUPER holds.
bool has_long_string(std::string_view json) {
  for (std::size_t at = json.find('"'); at != std::string_view::npos; at = json.find('"', at + 1)) {
    std::size_t bytes = 0;
    for (++at; at < json.size() && json[at] != '"'; ++at) {
      if (json[at] != '\\') {
        ++bytes;
        continue;
      }
      ++at;
      const bool is_code = at + 4 < json.size() && json[at] == 'u' && is_hex(json[at + 1]);
      // At most: two halves of a pair are four bytes, others up to three.
      bytes += !is_code ? 1 : json[at + 1] == '0' && json[at + 2] == '0' && json[at + 3] < '8' ? 1 : 3;
      if (is_code) at += 4;
    }
    if (bytes > kMaxSuperString) return true;
    if (at >= json.size()) break;
  }
  return false;
}

std::string_view why_not_in_super(const cdcrt_cell& cell) {
  constexpr std::string_view kTooLong = "a string inside of a SUPER has at most 65,535 bytes";
  if (cell.tag < CDCRT_STRING || cell.size <= kMaxSuperString / 2) return "";
  if (cell.tag == CDCRT_JSON || cell.tag == CDCRT_ARRAY)
    return cell.size > kMaxSuperString && has_long_string(bytes_of(cell)) ? kTooLong : "";
  return cell.size * (cell.tag == CDCRT_BYTES ? 2 : 1) > kMaxSuperString ? kTooLong : "";
}

}  // namespace

StoredValue stored_value(const cdcrt_cell& cell, Storage storage, std::string& buffer) {
  if (cell.tag <= CDCRT_NULL) return {};
  switch (storage) {
    case Storage::kText: return {Form::kText, as_text(cell, buffer)};
    case Storage::kBytes: return {Form::kBytes, as_text(cell, buffer)};
    case Storage::kSuper: return as_json(cell, buffer);
    case Storage::kInteger:
    case Storage::kDecimal:
      if (cell.tag == CDCRT_F64 && std::isfinite(cell.value.real)) {
        buffer.clear();
        append_fixed(buffer, cell.value.real);
        return {Form::kNumeral, buffer};
      }
      [[fallthrough]];
    case Storage::kFloat:
      if (cell.tag == CDCRT_BOOL) return {Form::kNumeral, cell.value.integer != 0 ? "1" : "0"};
      if (storage == Storage::kFloat && (cell.tag == CDCRT_I64 || cell.tag == CDCRT_U64 || cell.tag == CDCRT_DECIMAL)) {
        // Read as a float at once: a bare numeral would be a DECIMAL first.
        return {Form::kWord, plain(cell, buffer).text};
      }
      return plain(cell, buffer);
    default: return plain(cell, buffer);
  }
}

std::string_view why_unstorable(const cdcrt_cell& cell, Storage storage) {
  // The earliest and latest day of Redshift's dates and timestamps.
  constexpr int64_t kFirstDay = sdk::days_from_civil(-4712, 1, 1), kLastDay = sdk::days_from_civil(294276, 12, 31);
  if (storage == Storage::kText || storage == Storage::kBytes) return "";
  if (storage == Storage::kSuper) return why_not_in_super(cell);
  switch (cell.tag) {
    case CDCRT_DECIMAL: return is_no_number(cell) && storage != Storage::kFloat ? "Redshift's DECIMAL has no NaN and no infinity" : "";
    case CDCRT_F64:
      return is_no_number(cell) && (storage == Storage::kDecimal || storage == Storage::kInteger)
                 ? "Redshift's DECIMAL has no NaN and no infinity"
                 : "";
    case CDCRT_DATE:
    case CDCRT_TIMESTAMP:
    case CDCRT_TIMESTAMPTZ: {
      const int64_t value = cell.value.integer;
      if (value == sdk::kInfinity || value == sdk::kMinusInfinity) return "Redshift's dates and timestamps have no infinity";
      const int64_t day = cell.tag == CDCRT_DATE ? value : sdk::detail::floor_divide(value, sdk::kMicrosecondsPerDay);
      return day < kFirstDay || day > kLastDay ? "Redshift's dates and timestamps end at 4713 BC and 294276 AD" : "";
    }
    case CDCRT_TIME:
      return cell.value.integer < 0 || cell.value.integer >= sdk::kMicrosecondsPerDay ? "Redshift's TIME ends at 00:00:00 and 24:00:00"
                                                                                      : "";
    default: return "";
  }
}

}  // namespace cdcrt::sql::redshift
