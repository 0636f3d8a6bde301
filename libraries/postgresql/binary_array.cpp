#include "postgresql/binary_array.hpp"

#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

#include "cdcrt/sdk/civil.hpp"
#include "cdcrt/sdk/hex.hpp"
#include "sql/cell.hpp"
#include "sql/cell_text.hpp"

namespace cdcrt::postgresql {
namespace {

// The server counts from 2000-01-01.
constexpr int64_t kEpochDays = 10'957;
constexpr int64_t kEpochMicroseconds = kEpochDays * sdk::kMicrosecondsPerDay;
// Julian day 0, and the first day or moment that is too late (date_recv, timestamp_recv).
constexpr int64_t kFirstDate = -2'451'545, kEndOfDates = 2'145'031'949;
constexpr int64_t kFirstTimestamp = -211'813'488'000'000'000, kEndOfTimestamps = 9'223'371'331'200'000'000;
// A header says: one dimension, no NULL, the type, how many, from 1 on.
constexpr std::size_t kHeader = 20, kHasNull = 4, kCount = 12;
constexpr uint32_t kNullSize = UINT32_MAX;
// Beyond so many digits on one side of the point the server itself is to say what it thinks of a number.
constexpr std::size_t kMostDigits = 1'000;

/// Highest byte first.
template <int Bytes>
void write_number(char* out, uint64_t value) {
  for (int i = 0; i < Bytes; ++i) out[i] = static_cast<char>(value >> static_cast<unsigned>(8 * (Bytes - 1 - i)));
}
template <int Bytes>
void append_number(std::string& out, uint64_t value) {
  char bytes[Bytes];
  write_number<Bytes>(bytes, value);
  out.append(bytes, Bytes);
}
/// An element of so many bytes: its size and itself.
template <int Bytes>
bool append_fixed(std::string& out, uint64_t value) {
  char bytes[4 + Bytes];
  write_number<4>(bytes, Bytes);
  write_number<Bytes>(bytes + 4, value);
  out.append(bytes, sizeof bytes);
  return true;
}

bool append_bytes(std::string& out, std::string_view bytes) {
  // By itself a string doubles what it has for a large value.
  constexpr std::size_t kLarge = 1 << 20;
  if (bytes.size() >= kLarge) out.reserve(out.size() + bytes.size() + 4);
  append_number<4>(out, bytes.size());
  out += bytes;
  return true;
}

std::optional<int64_t> integer_of(const cdcrt_cell& cell, const cdcrt_column& column) {
  if (cell.tag == CDCRT_I64) return cell.value.integer;
  if (cell.tag == CDCRT_U64 && cell.value.natural <= static_cast<uint64_t>(INT64_MAX)) return static_cast<int64_t>(cell.value.natural);
  if (cell.tag == CDCRT_BOOL && sql::is_number(column.type.kind)) return cell.value.integer != 0 ? 1 : 0;
  return std::nullopt;
}

template <class Integer, int Bytes>
bool append_integer(std::string& out, const cdcrt_cell& cell, const cdcrt_column& column) {
  const auto value = integer_of(cell, column);
  if (!value || *value != static_cast<Integer>(*value)) return false;
  return append_fixed<Bytes>(out, static_cast<uint64_t>(*value));
}

bool append_float8(std::string& out, const cdcrt_cell& cell) {
  if (cell.tag != CDCRT_F64) return false;
  const double value = std::isnan(cell.value.real) ? std::numeric_limits<double>::quiet_NaN() : cell.value.real;
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  return append_fixed<8>(out, bits);
}

bool append_float4(std::string& out, const cdcrt_cell& cell) {
  if (cell.tag != CDCRT_F64) return false;
  float value = std::numeric_limits<float>::quiet_NaN();
  if (!std::isnan(cell.value.real)) {
    value = static_cast<float>(cell.value.real);
    if (static_cast<double>(value) != cell.value.real) {
      // Rounded once, from the digits, as the server does.
      char text[32];
      const auto end = std::to_chars(text, text + sizeof text, cell.value.real).ptr;
      if (std::from_chars(text, end, value).ec != std::errc()) return false;
    }
  }
  uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  return append_fixed<4>(out, bits);
}

bool append_date(std::string& out, const cdcrt_cell& cell) {
  if (cell.tag != CDCRT_DATE) return false;
  const int64_t days = cell.value.integer;
  if (days == sdk::kInfinity || days == sdk::kMinusInfinity)
    return append_fixed<4>(out, static_cast<uint64_t>(days > 0 ? int64_t{INT32_MAX} : int64_t{INT32_MIN}));
  if (days < kFirstDate + kEpochDays || days >= kEndOfDates + kEpochDays) return false;
  return append_fixed<4>(out, static_cast<uint64_t>(days - kEpochDays));
}

bool append_moment(std::string& out, const cdcrt_cell& cell, cdcrt_tag tag) {
  if (cell.tag != tag) return false;
  const int64_t microseconds = cell.value.integer;
  // The server's infinities are the same numbers.
  if (microseconds == sdk::kInfinity || microseconds == sdk::kMinusInfinity)
    return append_fixed<8>(out, static_cast<uint64_t>(microseconds));
  if (microseconds < kFirstTimestamp + kEpochMicroseconds) return false;
  if (microseconds - kEpochMicroseconds >= kEndOfTimestamps) return false;
  return append_fixed<8>(out, static_cast<uint64_t>(microseconds - kEpochMicroseconds));
}

bool append_time(std::string& out, const cdcrt_cell& cell) {
  if (cell.tag != CDCRT_TIME || cell.value.integer < 0 || cell.value.integer > sdk::kMicrosecondsPerDay) return false;
  return append_fixed<8>(out, static_cast<uint64_t>(cell.value.integer));
}

bool append_uuid(std::string& out, const cdcrt_cell& cell) {
  if (cell.tag != CDCRT_UUID && cell.tag != CDCRT_STRING) return false;
  const std::string_view text = sql::bytes_of(cell);
  if (text.size() != 36) return false;
  char bytes[4 + 16];
  write_number<4>(bytes, 16);
  char* next = bytes + 4;
  for (std::size_t at = 0; at < text.size();) {
    if (at == 8 || at == 13 || at == 18 || at == 23) {
      if (text[at++] != '-') return false;
      continue;
    }
    const int high = sdk::hex_value(text[at]), low = sdk::hex_value(text[at + 1]);
    if (high < 0 || low < 0) return false;
    *next++ = static_cast<char>(high << 4 | low);
    at += 2;
  }
  out.append(bytes, sizeof bytes);
  return true;
}

/// Digits in groups of four, counted from the point.
bool append_numeric(std::string& out, std::string_view text) {
  const bool is_negative = !text.empty() && text.front() == '-';
  text.remove_prefix(is_negative ? 1 : 0);
  const std::size_t point = std::min(text.find('.'), text.size());
  const std::string_view whole = text.substr(0, point), fraction = text.substr(std::min(point + 1, text.size()));
  const auto is_digits = [](std::string_view digits) {
    for (const char c : digits) {
      if (c < '0' || c > '9') return false;
    }
    return true;
  };
  if (whole.empty() || (point < text.size() && fraction.empty()) || whole.size() > kMostDigits || fraction.size() > kMostDigits ||
      !is_digits(whole) || !is_digits(fraction))
    return false;
  const std::size_t before = (whole.size() + 3) / 4, groups = before + (fraction.size() + 3) / 4;
  append_number<4>(out, 8 + 2 * groups);
  append_number<2>(out, groups);
  append_number<2>(out, before - 1);
  append_number<2>(out, is_negative ? 0x4000 : 0);
  append_number<2>(out, fraction.size());
  const auto append_group = [&out](std::string_view digits, int missing) {
    int group = 0;
    for (const char c : digits) group = group * 10 + (c - '0');
    for (; missing > 0; --missing) group *= 10;
    append_number<2>(out, static_cast<uint64_t>(group));
  };
  const std::size_t first = whole.size() - 4 * (before - 1);
  append_group(whole.substr(0, first), 0);
  for (std::size_t at = first; at < whole.size(); at += 4) append_group(whole.substr(at, 4), 0);
  for (std::size_t at = 0; at < fraction.size(); at += 4) {
    const std::string_view digits = fraction.substr(at, 4);
    append_group(digits, static_cast<int>(4 - digits.size()));
  }
  return true;
}

bool append_decimal(std::string& out, const cdcrt_cell& cell, const cdcrt_column& column) {
  if (cell.tag == CDCRT_DECIMAL) return append_numeric(out, sql::bytes_of(cell));
  if (cell.tag != CDCRT_I64 && cell.tag != CDCRT_U64 && (cell.tag != CDCRT_BOOL || !sql::is_number(column.type.kind))) return false;
  char text[24];
  const auto end = cell.tag == CDCRT_U64    ? std::to_chars(text, text + sizeof text, cell.value.natural).ptr
                   : cell.tag == CDCRT_BOOL ? std::to_chars(text, text + sizeof text, cell.value.integer != 0 ? 1 : 0).ptr
                                            : std::to_chars(text, text + sizeof text, cell.value.integer).ptr;
  return append_numeric(out, {text, static_cast<std::size_t>(end - text)});
}

bool append_text(std::string& out, BinaryType type, const cdcrt_cell& cell, const cdcrt_column& column, std::string& buffer) {
  std::string_view text = sql::bytes_of(cell);
  if (!sql::has_bytes(cell) || cell.tag == CDCRT_BYTES) {
    buffer.clear();
    if (cell.tag == CDCRT_BOOL && sql::is_number(column.type.kind))
      buffer = cell.value.integer != 0 ? '1' : '0';
    else
      sql::append_cell_text(buffer, cell, column.type.kind == CDCRT_TYPE_STRING ? sdk::TextStyle::kIso8601 : sdk::TextStyle::kPostgres);
    text = buffer;
  } else if (!text.empty() && std::memchr(text.data(), 0, text.size()) != nullptr) {
    return false;
  }
  if (type != BinaryType::kJsonb) return append_bytes(out, text);
  append_number<4>(out, text.size() + 1);
  out += '\1';  // the version of the form
  out += text;
  return true;
}

}  // namespace

bool append_binary(std::string& out, BinaryType type, const cdcrt_cell& cell, const cdcrt_column& column, std::string& text) {
  if (cell.tag <= CDCRT_NULL) {
    append_number<4>(out, kNullSize);
    return true;
  }
  switch (type) {
    case BinaryType::kBool:
      return cell.tag == CDCRT_BOOL && !sql::is_number(column.type.kind) && append_fixed<1>(out, cell.value.integer != 0 ? 1 : 0);
    case BinaryType::kInt2: return append_integer<int16_t, 2>(out, cell, column);
    case BinaryType::kInt4: return append_integer<int32_t, 4>(out, cell, column);
    case BinaryType::kInt8: return append_integer<int64_t, 8>(out, cell, column);
    case BinaryType::kFloat4: return append_float4(out, cell);
    case BinaryType::kFloat8: return append_float8(out, cell);
    case BinaryType::kDate: return append_date(out, cell);
    case BinaryType::kTime: return append_time(out, cell);
    case BinaryType::kTimestamp: return append_moment(out, cell, CDCRT_TIMESTAMP);
    case BinaryType::kTimestamptz: return append_moment(out, cell, CDCRT_TIMESTAMPTZ);
    case BinaryType::kNumeric: return append_decimal(out, cell, column);
    case BinaryType::kUuid: return append_uuid(out, cell);
    case BinaryType::kBytea: return cell.tag == CDCRT_BYTES && append_bytes(out, sql::bytes_of(cell));
    case BinaryType::kText:
    case BinaryType::kVarchar:
    case BinaryType::kBpchar:
    case BinaryType::kJson:
    case BinaryType::kJsonb: return append_text(out, type, cell, column, text);
    case BinaryType::kNone: break;
  }
  return false;
}

BinaryType binary_type(uint32_t oid) {
  const auto type = static_cast<BinaryType>(oid);
  switch (type) {
    case BinaryType::kBool:
    case BinaryType::kBytea:
    case BinaryType::kInt8:
    case BinaryType::kInt2:
    case BinaryType::kInt4:
    case BinaryType::kText:
    case BinaryType::kJson:
    case BinaryType::kFloat4:
    case BinaryType::kFloat8:
    case BinaryType::kBpchar:
    case BinaryType::kVarchar:
    case BinaryType::kDate:
    case BinaryType::kTime:
    case BinaryType::kTimestamp:
    case BinaryType::kTimestamptz:
    case BinaryType::kNumeric:
    case BinaryType::kUuid:
    case BinaryType::kJsonb: return type;
    case BinaryType::kNone: break;
  }
  return BinaryType::kNone;
}

void BinaryArray::begin(BinaryType type) {
  type_ = type;
  count_ = 0;
  bytes_.assign(kHeader, '\0');
  write_number<4>(bytes_.data(), 1);
  write_number<4>(bytes_.data() + 8, static_cast<uint32_t>(type));
  write_number<4>(bytes_.data() + 16, 1);
}

bool BinaryArray::add(const cdcrt_cell& cell, const cdcrt_column& column) {
  if (!append_binary(bytes_, type_, cell, column, text_)) return false;
  if (cell.tag <= CDCRT_NULL) bytes_[kHasNull + 3] = 1;
  ++count_;
  return true;
}

std::string_view BinaryArray::finish() {
  write_number<4>(bytes_.data() + kCount, count_);
  return bytes_;
}

void BinaryArray::give_back_large() {
  constexpr std::size_t kKept = 4 << 20;
  if (bytes_.capacity() > kKept) std::string().swap(bytes_);
  if (text_.capacity() > kKept) std::string().swap(text_);
}

}  // namespace cdcrt::postgresql
