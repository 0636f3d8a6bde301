#include "sqlite_affinity.hpp"

#include <charconv>
#include <cmath>
#include <string>

#include "sql/cell_text.hpp"

namespace cdcrt::sql {
namespace {

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// What SQLite takes for a number: blanks, sign, digits, fraction, exponent, blanks.
bool looks_like_number(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  std::size_t at = 0;
  std::size_t digits = 0;
  while (at < text.size() && is_digit(text[at])) ++at, ++digits;
  if (at < text.size() && text[at] == '.') {
    ++at;
    while (at < text.size() && is_digit(text[at])) ++at, ++digits;
  }
  if (digits == 0) return false;
  if (at == text.size()) return true;
  if (text[at] != 'e' && text[at] != 'E') return false;
  ++at;
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
  if (at == text.size()) return false;
  while (at < text.size() && is_digit(text[at])) ++at;
  return at == text.size();
}

bool is_whole_text(std::string_view text, int64_t& value) {
  const auto* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  return parsed.ec == std::errc() && parsed.ptr == end;
}

bool fits_double(int64_t value) {
  const auto real = static_cast<double>(value);
  return real >= -0x1p63 && real < 0x1p63 && static_cast<int64_t>(real) == value;
}

/// A number's digits as the column will store them; false: rounded.
bool keep_number(SqliteAffinity affinity, std::string_view text, SqliteValue& value) {
  std::string_view whole = text;
  if (const auto point = whole.find('.');
      point != std::string_view::npos && whole.find_first_not_of('0', point + 1) == std::string_view::npos)
    whole = whole.substr(0, point);
  int64_t integer = 0;
  if (is_whole_text(whole, integer)) {
    if (affinity == SqliteAffinity::kReal && !fits_double(integer)) return false;
    value.storage = SqliteClass::kInteger;
    value.integer = integer;
    return true;
  }
  double real = 0;
  const auto* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, real);
  if (parsed.ec != std::errc() || parsed.ptr != end || !std::isfinite(real)) return false;
  std::string digits;
  for (const char c : text) {
    if (is_digit(c)) digits += c;
  }
  const auto first = digits.find_first_not_of('0');
  const auto last = digits.find_last_not_of('0');
  if (first != std::string::npos && last - first + 1 > 15) return false;
  value.storage = SqliteClass::kReal;
  value.real = real;
  return true;
}

/// A text that stays the same text though the column makes a number of it.
bool keep_text(SqliteAffinity affinity, std::string_view text, SqliteValue& value) {
  SqliteValue number;
  if (!keep_number(affinity, text, number)) return false;
  std::string back;
  if (number.storage == SqliteClass::kInteger && affinity != SqliteAffinity::kReal) {
    back = std::to_string(number.integer);
  } else {
    const double real = number.storage == SqliteClass::kInteger ? static_cast<double>(number.integer) : number.real;
    if (affinity != SqliteAffinity::kReal && std::trunc(real) == real) return false;  // 1.0 would become 1
    append_double(back, real);
    if (back.find_first_of(".e") == std::string::npos) back += ".0";
  }
  if (back != text) return false;
  value.storage = number.storage;
  value.integer = number.integer;
  value.real = number.real;
  return true;
}

}  // namespace

SqliteAffinity sqlite_affinity(std::string_view declared_type) {
  const std::string type = upper(declared_type);
  const auto has = [&](std::string_view part) { return type.find(part) != std::string::npos; };
  if (has("INT")) return SqliteAffinity::kNumeric;
  if (has("CHAR") || has("CLOB") || has("TEXT")) return SqliteAffinity::kText;
  if (has("BLOB") || type.empty()) return SqliteAffinity::kNone;
  if (has("REAL") || has("FLOA") || has("DOUB")) return SqliteAffinity::kReal;
  return SqliteAffinity::kNumeric;
}

bool keep_exact(SqliteAffinity affinity, const cdcrt_cell& cell, SqliteValue& value) {
  if (affinity == SqliteAffinity::kNone || value.storage == SqliteClass::kNull || value.storage == SqliteClass::kBlob) return true;
  if (affinity == SqliteAffinity::kText) {
    if (value.storage != SqliteClass::kReal) return true;
    value.buffer.clear();  // SQLite would write 15 digits
    append_double(value.buffer, value.real);
    value.bytes = value.buffer;
    value.storage = SqliteClass::kText;
    return true;
  }
  if (value.storage == SqliteClass::kInteger) return affinity != SqliteAffinity::kReal || fits_double(value.integer);
  if (value.storage != SqliteClass::kText || !looks_like_number(value.bytes)) return true;
  const bool number = cell.tag == CDCRT_DECIMAL || cell.tag == CDCRT_U64 || cell.tag == CDCRT_I64;
  return number ? keep_number(affinity, value.bytes, value) : keep_text(affinity, value.bytes, value);
}

}  // namespace cdcrt::sql
