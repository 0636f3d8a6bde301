#include "sql/redshift_csv.hpp"

#include <charconv>
#include <cmath>
#include <cstring>
#include <random>

#include "cdcrt/sdk/calendar.hpp"
#include "sql/cell_text.hpp"
#include "sql/identifier.hpp"

namespace cdcrt::sql {
namespace {

constexpr uint64_t kEveryByte = 0x0101010101010101u;

constexpr bool has_zero_byte(uint64_t word) { return ((word - kEveryByte) & ~word & (kEveryByte * 0x80)) != 0; }

/// The first quote or NUL, or `end`. Eight bytes at a time: most texts have neither.
const char* find_special(const char* begin, const char* end) {
  while (end - begin >= 8) {
    uint64_t word = 0;
    std::memcpy(&word, begin, 8);
    if (has_zero_byte(word) || has_zero_byte(word ^ kEveryByte * '"')) break;
    begin += 8;
  }
  while (begin != end && *begin != '"' && *begin != '\0') ++begin;
  return begin;
}

template <class Integer>
uint32_t append_integer(std::string& out, Integer value) {
  char text[24];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  out.append(text, end);
  return static_cast<uint32_t>(end - text);
}

/// With "+00" rather than "+00:00": how Redshift itself prints UTC.
std::size_t write_utc(char* out, int64_t microseconds) {
  constexpr std::string_view kLongZone = "+00:00";
  std::size_t size = sdk::write_timestamptz(out, microseconds, sdk::TextStyle::kPostgres);
  if (size > kLongZone.size() && std::string_view(out + size - kLongZone.size(), kLongZone.size()) == kLongZone) size -= 3;
  return size;
}

void append_json_string(std::string& out, std::string_view text) {
  constexpr char kDigits[] = "0123456789abcdef";
  out += '"';
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    if (letter == '"' || letter == '\\') {
      out += '\\';
      out += letter;
    } else if (byte < 0x20) {
      out += "\\u00";
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    } else {
      out += letter;
    }
  }
  out += '"';
}

/// NaN and infinities, in the spellings of cdcrt_cell.
bool is_no_number(const cdcrt_cell& cell) {
  if (cell.tag == CDCRT_F64) return !std::isfinite(cell.value.real);
  return cell.tag == CDCRT_DECIMAL && cell.size > 0 && (bytes_of(cell).find_first_of("NI") != std::string_view::npos);
}

}  // namespace

std::string make_null_text() {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  std::random_device random;
  std::string text = "N";
  for (int i = 0; i < 12; ++i) text += kLetters[std::uniform_int_distribution<std::size_t>(0, kLetters.size() - 1)(random)];
  return text;
}

uint32_t RedshiftCsv::append_quoted(std::string& out, std::string_view text) {
  out += '"';
  const char* begin = text.data();
  const char* const end = begin + text.size();
  uint32_t removed = 0;
  for (;;) {
    const char* const special = find_special(begin, end);
    out.append(begin, special);
    if (special == end) break;
    if (*special == '"') {
      out += "\"\"";
    } else {
      ++removed;
    }
    begin = special + 1;
  }
  out += '"';
  removed_nul_bytes_ += removed;
  return static_cast<uint32_t>(text.size()) - removed;
}

void RedshiftCsv::append_number(std::string& out, uint64_t number) { append_integer(out, number); }

uint32_t RedshiftCsv::append(std::string& out, const cdcrt_cell& cell, CsvKind kind) {
  if (cell.tag == CDCRT_NULL || cell.tag == CDCRT_ABSENT) {
    out += null_text_;
    return 0;
  }
  if (kind == CsvKind::kSuper) return append_super(out, cell);
  if (kind == CsvKind::kText && cell.tag != CDCRT_STRING) {
    if (cell.tag == CDCRT_BYTES) return append_quoted(out, bytes_of(cell));
    plain_.clear();
    append_cell_text(plain_, cell, sdk::TextStyle::kIso8601);
    return append_quoted(out, plain_);
  }
  char text[48];
  std::size_t size = 0;
  switch (cell.tag) {
    case CDCRT_BOOL: {
      const bool value = cell.value.integer != 0;
      out += kind == CsvKind::kNumber ? (value ? '1' : '0') : (value ? 't' : 'f');
      return 1;
    }
    case CDCRT_I64:
      return append_integer(out, cell.value.integer);
    case CDCRT_U64:
      return append_integer(out, cell.value.natural);
    case CDCRT_F64: {
      const std::size_t before = out.size();
      append_double(out, cell.value.real);
      return static_cast<uint32_t>(out.size() - before);
    }
    case CDCRT_DECIMAL:
      out += bytes_of(cell);
      return cell.size;
    case CDCRT_DATE:
      size = sdk::write_date(text, cell.value.integer, sdk::TextStyle::kPostgres);
      break;
    case CDCRT_TIME:
      size = sdk::write_time(text, cell.value.integer);
      break;
    case CDCRT_TIMESTAMP:
      size = sdk::write_timestamp(text, cell.value.integer, sdk::TextStyle::kPostgres);
      break;
    case CDCRT_TIMESTAMPTZ:
      size = write_utc(text, cell.value.integer);
      break;
    case CDCRT_BYTES:
      append_hex(out, bytes_of(cell));
      return 2 * cell.size;
    default:
      return append_quoted(out, bytes_of(cell));
  }
  out.append(text, size);
  return static_cast<uint32_t>(size);
}

uint32_t RedshiftCsv::append_super(std::string& out, const cdcrt_cell& cell) {
  switch (cell.tag) {
    case CDCRT_JSON:
    case CDCRT_ARRAY:
      if (cell.size > 0) return append_quoted(out, bytes_of(cell));
      break;
    case CDCRT_BOOL:
      out += cell.value.integer != 0 ? "true" : "false";
      return cell.value.integer != 0 ? 4 : 5;
    case CDCRT_I64:
      return append_integer(out, cell.value.integer);
    case CDCRT_U64:
      return append_integer(out, cell.value.natural);
    case CDCRT_F64:
    case CDCRT_DECIMAL:
      if (!is_no_number(cell)) return append(out, cell, CsvKind::kPlain);
      break;
    default:
      break;
  }
  plain_.clear();
  json_.clear();
  if (cell.tag == CDCRT_STRING || cell.tag == CDCRT_UUID || cell.tag == CDCRT_INTERVAL) {
    append_json_string(json_, bytes_of(cell));
  } else {
    if (cell.tag != CDCRT_JSON && cell.tag != CDCRT_ARRAY) append(plain_, cell, CsvKind::kPlain);
    append_json_string(json_, plain_);
  }
  return append_quoted(out, json_);
}

std::string_view why_unstorable(const cdcrt_cell& cell) {
  // The earliest and latest day of Redshift's dates and timestamps.
  constexpr int64_t kFirstDay = sdk::days_from_civil(-4712, 1, 1), kLastDay = sdk::days_from_civil(294276, 12, 31);
  switch (cell.tag) {
    case CDCRT_DECIMAL:
      return is_no_number(cell) ? "Redshift's DECIMAL has no NaN and no infinity" : "";
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
    default:
      return "";
  }
}

}  // namespace cdcrt::sql
