#include "debezium/convert.hpp"

#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "cdcrt/sdk/binary_text.hpp"
#include "cdcrt/sdk/calendar.hpp"
#include "cdcrt/sdk/digits.hpp"
#include "cdcrt/sdk/json_check.hpp"
#include "debezium/json_scan.hpp"
#include "debezium/numbers.hpp"

namespace cdcrt::debezium {

namespace {

constexpr Problem kTooLong = "a number of more than 2,000 digits";
constexpr Problem kBeyondMicroseconds = "a time that no 64 bits of microseconds hold";

/// What Debezium sends for PostgreSQL's infinite dates: days that wrapped around 32 bits (in a stream and in a snapshot not at the same
/// place; PostgreSQL's own dates begin later), or the ends of the range.
bool infinite_date(int64_t days, int64_t& out) {
  constexpr int64_t wrapped = -2'147'472'692;
  constexpr int64_t snapshot_positive = -622'191'234;
  constexpr int64_t snapshot_negative = -625'821'272;
  // The same days as text (time.precision.mode=isostring), which nothing cuts to 32 bits; the era of the negative one is lost.
  constexpr int64_t text_positive = 106'751'991'166;
  constexpr int64_t text_negative = 106'748'361'128;
  if (days == wrapped || days == snapshot_positive || days == text_positive || days == std::numeric_limits<int32_t>::max() ||
      days == sdk::days_from_civil(5'877'611, 6, 21)) {
    out = sdk::kInfinity;
    return true;
  }
  if (days == wrapped + 1 || days == snapshot_negative || days == text_negative || days == std::numeric_limits<int32_t>::min()) {
    out = sdk::kMinusInfinity;
    return true;
  }
  return false;
}

/// PGStatement.DATE_POSITIVE_INFINITY and its negative, taken as microseconds or as milliseconds.
bool infinite_timestamp(int64_t value, bool milliseconds, int64_t& out) {
  constexpr int64_t positive = 9'223'372'036'825'200'000;
  constexpr int64_t negative = -9'223'372'036'832'400'000;
  if (value == positive || (milliseconds && value == positive / 1000)) {
    out = sdk::kInfinity;
    return true;
  }
  if (value == negative || (milliseconds && value == negative / 1000)) {
    out = sdk::kMinusInfinity;
    return true;
  }
  return false;
}

/// MySQL's and MariaDB's connectors write the commas of an enum's values as `\,` when they read the binlog (and as they are in a snapshot).
std::string_view enum_text(std::string_view text, sdk::RowBuilder& rows) {
  char* const out = rows.allocate(text.size());
  char* next = out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == ',') continue;
    *next++ = text[i];
  }
  return {out, static_cast<std::size_t>(next - out)};
}

Problem set_checked(cdcrt_cell& cell, cdcrt_tag tag, std::optional<int64_t> value, Problem problem) {
  if (!value) return problem;
  sdk::set_integer(cell, tag, *value);
  return nullptr;
}

/// The value, or its own text where only digits past the microsecond are in the way: what becomes of them is the column's to say.
template <class Parse>
Problem set_moment(cdcrt_cell& cell, cdcrt_tag tag, Parse parse, std::string_view text, Problem problem, sdk::RowBuilder& rows) {
  const auto value = parse(text);
  if (value) return set_checked(cell, tag, value, problem);
  constexpr std::size_t microseconds = 6;
  // A year of more than four digits has a sign.
  if (text.starts_with('+')) problem = kBeyondMicroseconds;
  const std::size_t point = text.find('.');
  if (point == std::string_view::npos) return problem;
  std::size_t end = point + 1;
  while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
  if (end - point - 1 <= microseconds) return problem;
  std::string cut(text.substr(0, point + 1 + microseconds));
  cut += text.substr(end);
  if (!parse(std::string_view(cut))) return problem;
  sdk::set_text(cell, CDCRT_STRING, rows.copy(text));
  return nullptr;
}

/// Nanoseconds of a time or timestamp that microseconds do not hold, as ISO 8601 text.
void set_nanoseconds(cdcrt_cell& cell, int64_t nanoseconds, bool time, sdk::RowBuilder& rows) {
  char text[64];
  std::size_t size = 0;
  int64_t rest = nanoseconds % 1000;
  int64_t microseconds = nanoseconds / 1000;
  if (time && nanoseconds < 0) {
    text[size++] = '-';
    microseconds = -microseconds;
    rest = -rest;
  } else if (rest < 0) {
    rest += 1000;
    --microseconds;
  }
  size += time ? sdk::write_time(text + size, microseconds) : sdk::write_timestamp(text + size, microseconds, sdk::TextStyle::kIso8601);
  if (microseconds % 1'000'000 == 0) {
    for (const char c : std::string_view(".000000")) text[size++] = c;
  }
  text[size++] = static_cast<char>('0' + rest / 100);
  text[size++] = static_cast<char>('0' + rest / 10 % 10);
  text[size++] = static_cast<char>('0' + rest % 10);
  sdk::set_text(cell, CDCRT_STRING, rows.copy({text, size}));
}

using sdk::parse_integer;

bool in_range(uint8_t kind, int64_t value) {
  switch (kind) {
    case CDCRT_TYPE_INT8: return value >= -128 && value <= 127;
    case CDCRT_TYPE_INT16: return value >= -32768 && value <= 32767;
    case CDCRT_TYPE_INT32: return value >= std::numeric_limits<int32_t>::min() && value <= std::numeric_limits<int32_t>::max();
    default: return true;
  }
}

/// NaN and the infinities in their spellings; empty when it is none.
std::string_view special_number(std::string_view text) {
  // decimal.handling.mode=string
  if (text == "POSITIVE_INFINITY") return "Infinity";
  if (text == "NEGATIVE_INFINITY") return "-Infinity";
  const bool negative = !text.empty() && text[0] == '-';
  const std::string_view name = text.substr(negative ? 1 : 0);
  if (!negative && (name == "NaN" || name == "NAN" || name == "nan")) return "NaN";
  if (name == "Infinity" || name == "Inf" || name == "infinity" || name == "INFINITY") return negative ? "-Infinity" : "Infinity";
  return {};
}

/// UTC designators of Debezium's ISO strings; the column itself has no zone.
std::string_view without_utc(std::string_view text) {
  if (text.ends_with("Z")) return text.substr(0, text.size() - 1);
  if (text.ends_with("+00:00")) return text.substr(0, text.size() - 6);
  return text;
}

std::optional<int64_t> parse_iso_date(std::string_view text) {
  const auto days = sdk::parse_date(without_utc(text));
  int64_t infinite = 0;
  return days && infinite_date(*days, infinite) ? infinite : days;
}

std::optional<int64_t> parse_iso_timestamp(std::string_view text) {
  const auto microseconds = sdk::parse_timestamp(without_utc(text));
  int64_t infinite = 0;
  return microseconds && infinite_timestamp(*microseconds, false, infinite) ? infinite : microseconds;
}

/// Without its fraction where that is nothing but zeros.
std::string_view without_zero_fraction(std::string_view text) {
  const std::size_t point = text.find('.');
  return point == std::string_view::npos || text.find_first_not_of('0', point + 1) != std::string_view::npos ? text : text.substr(0, point);
}

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

}  // namespace

Problem Converter::convert(const Column& column, const sdk::JsonTape& tape, uint32_t name, cdcrt_cell& cell) {
  const uint32_t value = name + 1;
  const sdk::JsonToken& token = tape[value];
  if (token.kind == sdk::JsonKind::kNull) {
    sdk::set_null(cell);
    return nullptr;
  }
  if (token.kind == sdk::JsonKind::kString ? unavailable_.is(tape.text(value))
                                           : token.kind >= sdk::JsonKind::kObject && unavailable_.is(tape, value)) {
    return nullptr;
  }
  switch (column.conversion) {
    case Conversion::kNatural: return natural(tape, name, cell);
    case Conversion::kArray:
    case Conversion::kStructure: return nested(column, tape, name, cell);
    default: return typed(column, tape, value, cell);
  }
}

Problem Converter::natural(const sdk::JsonTape& tape, uint32_t name, cdcrt_cell& cell) {
  const uint32_t value = name + 1;
  switch (tape[value].kind) {
    case sdk::JsonKind::kNull: sdk::set_null(cell); return nullptr;
    case sdk::JsonKind::kFalse:
    case sdk::JsonKind::kTrue: sdk::set_integer(cell, CDCRT_BOOL, tape[value].kind == sdk::JsonKind::kTrue); return nullptr;
    case sdk::JsonKind::kNumber: return number(tape.text(value), cell);
    case sdk::JsonKind::kString: sdk::set_text(cell, CDCRT_STRING, rows_->copy(tape.text(value))); return nullptr;
    case sdk::JsonKind::kObject:
      if (looks_like_decimal(tape, value) && variable_decimal(tape, value, cell) == nullptr) return nullptr;
      if (const uint8_t kind = structured_kind(tape, value); kind != CDCRT_TYPE_UNKNOWN) return structured(kind, tape, value, cell);
      sdk::set_text(cell, CDCRT_JSON, rows_->copy(tape.raw_value(name)));
      return nullptr;
    case sdk::JsonKind::kArray:
      scratch_.clear();
      sdk::set_text(cell, CDCRT_ARRAY,
                    rows_->copy(write_elements(tape, value, scratch_) ? std::string_view(scratch_) : tape.raw_value(name)));
      return nullptr;
  }
  return "an unknown value";
}

Problem Converter::number(std::string_view text, cdcrt_cell& cell) {
  int64_t integer = 0;
  if (parse_integer(text, integer)) {
    sdk::set_integer(cell, CDCRT_I64, integer);
    return nullptr;
  }
  uint64_t unsigned_integer = 0;
  if (sdk::parse_natural(text, unsigned_integer)) {
    sdk::set_natural(cell, unsigned_integer);
    return nullptr;
  }
  return decimal_text(text, cell);
}

Problem Converter::decimal_text(std::string_view text, cdcrt_cell& cell) {
  if (const std::string_view special = special_number(text); !special.empty()) {
    sdk::set_text(cell, CDCRT_DECIMAL, rows_->copy(special));
    return nullptr;
  }
  const auto plain = sdk::plain_decimal(text, *rows_);
  if (!plain) return kTooLong;
  sdk::set_text(cell, CDCRT_DECIMAL, plain->data() == text.data() ? rows_->copy(*plain) : *plain);
  return nullptr;
}

Problem Converter::typed(const Column& column, const sdk::JsonTape& tape, uint32_t value, cdcrt_cell& cell) {
  const sdk::JsonToken& token = tape[value];
  switch (column.conversion) {
    case Conversion::kBoolean:
      if (token.kind != sdk::JsonKind::kTrue && token.kind != sdk::JsonKind::kFalse) return "not a boolean";
      sdk::set_integer(cell, CDCRT_BOOL, token.kind == sdk::JsonKind::kTrue);
      return nullptr;
    case Conversion::kFloat: return real(tape, value, cell);
    case Conversion::kVariableDecimal: return variable_decimal(tape, value, cell);
    case Conversion::kStructured: return structured(column.type.kind, tape, value, cell);
    case Conversion::kBinaryDecimal:
      if (token.kind == sdk::JsonKind::kNumber) return decimal_text(tape.text(value), cell);  // decimal.format=NUMERIC
      break;
    case Conversion::kInteger:
    case Conversion::kDays:
    case Conversion::kMilliTime:
    case Conversion::kMicroTime:
    case Conversion::kNanoTime:
    case Conversion::kMilliTimestamp:
    case Conversion::kMicroTimestamp:
    case Conversion::kNanoTimestamp:
    case Conversion::kMicroDuration:
    case Conversion::kNanoDuration: return integer_based(column, tape, value, cell);
    default: break;
  }
  if (token.kind != sdk::JsonKind::kString) return "not a string";
  return text_based(column, tape.text(value), cell);
}

Problem Converter::real(const sdk::JsonTape& tape, uint32_t value, cdcrt_cell& cell) {
  const sdk::JsonKind kind = tape[value].kind;
  if (kind != sdk::JsonKind::kNumber && kind != sdk::JsonKind::kString) return "not a number";
  const std::string_view text = tape.text(value);
  if (const std::string_view special = special_number(text); !special.empty()) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    sdk::set_real(cell, special == "NaN" ? std::numeric_limits<double>::quiet_NaN() : special[0] == '-' ? -infinity : infinity);
    return nullptr;
  }
  double real = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, real);
  if (parsed.ptr != end || kind != sdk::JsonKind::kNumber) return "not a floating-point number";
  if (parsed.ec != std::errc()) {
    // Below the smallest double the nearest is zero; above the largest there is none.
    if (text.find("e-") == std::string_view::npos && text.find("E-") == std::string_view::npos)
      return "a number beyond the range of a double";
    real = text[0] == '-' ? -0.0 : 0.0;
  }
  sdk::set_real(cell, real);
  return nullptr;
}

Problem Converter::integer_based(const Column& column, const sdk::JsonTape& tape, uint32_t value, cdcrt_cell& cell) {
  int64_t number = 0;
  if (tape[value].kind != sdk::JsonKind::kNumber || !parse_integer(tape.text(value), number)) return "not a 64-bit integer";
  int64_t out = 0;
  switch (column.conversion) {
    case Conversion::kInteger:
      if (!in_range(column.type.kind, number)) return "an integer beyond the range of its declared type";
      sdk::set_integer(cell, CDCRT_I64, number);
      return nullptr;
    case Conversion::kDays: sdk::set_integer(cell, CDCRT_DATE, infinite_date(number, out) ? out : number); return nullptr;
    case Conversion::kMilliTime:
      if (__builtin_mul_overflow(number, int64_t{1000}, &out)) return kBeyondMicroseconds;
      sdk::set_integer(cell, CDCRT_TIME, out);
      return nullptr;
    case Conversion::kMicroTime: sdk::set_integer(cell, CDCRT_TIME, number); return nullptr;
    case Conversion::kNanoTime:
      if (number % 1000 != 0) {
        set_nanoseconds(cell, number, true, *rows_);
        return nullptr;
      }
      sdk::set_integer(cell, CDCRT_TIME, number / 1000);
      return nullptr;
    case Conversion::kMilliTimestamp:
      if (!infinite_timestamp(number, true, out) && __builtin_mul_overflow(number, int64_t{1000}, &out)) return kBeyondMicroseconds;
      sdk::set_integer(cell, CDCRT_TIMESTAMP, out);
      return nullptr;
    case Conversion::kMicroTimestamp:
      sdk::set_integer(cell, CDCRT_TIMESTAMP, infinite_timestamp(number, false, out) ? out : number);
      return nullptr;
    case Conversion::kNanoTimestamp:
      if (number == std::numeric_limits<int64_t>::max() || number == std::numeric_limits<int64_t>::min()) {
        sdk::set_integer(cell, CDCRT_TIMESTAMP, number > 0 ? sdk::kInfinity : sdk::kMinusInfinity);
        return nullptr;
      }
      if (number % 1000 != 0) {
        set_nanoseconds(cell, number, false, *rows_);
        return nullptr;
      }
      sdk::set_integer(cell, CDCRT_TIMESTAMP, number / 1000);
      return nullptr;
    case Conversion::kMicroDuration: sdk::set_text(cell, CDCRT_INTERVAL, write_duration(number, 6, *rows_)); return nullptr;
    default: sdk::set_text(cell, CDCRT_INTERVAL, write_duration(number, 9, *rows_)); return nullptr;
  }
}

Problem Converter::text_based(const Column& column, std::string_view text, cdcrt_cell& cell) {
  switch (column.conversion) {
    case Conversion::kText: sdk::set_text(cell, CDCRT_STRING, rows_->copy(text)); return nullptr;
    case Conversion::kEnum: sdk::set_text(cell, CDCRT_STRING, enum_text(text, *rows_)); return nullptr;
    case Conversion::kJsonText:
      if (!sdk::is_json(text)) return "not JSON";
      sdk::set_text(cell, CDCRT_JSON, rows_->copy(text));
      return nullptr;
    case Conversion::kTextDecimal:
      if (!sdk::is_plain_decimal(text) && special_number(text).empty()) return "not a decimal number";
      return decimal_text(text, cell);
    case Conversion::kZonedTimestamp:
      return set_moment(cell, CDCRT_TIMESTAMPTZ, sdk::parse_timestamptz, text, "not a timestamp with a zone", *rows_);
    case Conversion::kIsoDate: return set_checked(cell, CDCRT_DATE, parse_iso_date(text), "not an ISO 8601 date");
    case Conversion::kIsoTime: return set_moment(cell, CDCRT_TIME, sdk::parse_time, without_utc(text), "not an ISO 8601 time", *rows_);
    case Conversion::kIsoTimestamp:
      return set_moment(cell, CDCRT_TIMESTAMP, parse_iso_timestamp, without_utc(text), "not an ISO 8601 timestamp", *rows_);
    case Conversion::kInterval:
      if (text.size() < 2 || (text[0] != 'P' && text.substr(0, 2) != "-P")) return "not an ISO 8601 duration";
      sdk::set_text(cell, CDCRT_INTERVAL, rows_->copy(text));
      return nullptr;
    case Conversion::kUuid: {
      if (text.size() != 36) return "not a UUID of 36 characters";
      char* out = rows_->allocate(36);
      for (std::size_t i = 0; i < 36; ++i) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : !is_hex(text[i])) return "not a UUID of hexadecimal digits";
        out[i] = static_cast<char>(text[i] >= 'A' && text[i] <= 'F' ? text[i] + 32 : text[i]);
      }
      sdk::set_text(cell, CDCRT_UUID, {out, 36});
      return nullptr;
    }
    default: break;
  }
  const auto bytes = sdk::decode_base64(text, *rows_);
  if (!bytes) return "not base64";
  if (column.conversion == Conversion::kBytes) {
    sdk::set_text(cell, CDCRT_BYTES, *bytes);
    return nullptr;
  }
  if (column.conversion == Conversion::kBits) {
    sdk::set_text(cell, CDCRT_STRING, write_bits(*bytes, column.bits, *rows_));
    return nullptr;
  }
  const auto decimal = sdk::write_decimal(*bytes, column.scale, *rows_);
  if (!decimal) return "a decimal without bytes or of more digits than any source has";
  sdk::set_text(cell, CDCRT_DECIMAL, column.type.scale < 0 ? without_zero_fraction(*decimal) : *decimal);
  return nullptr;
}

bool Converter::looks_like_decimal(const sdk::JsonTape& tape, uint32_t value) {
  if (tape[value].kind != sdk::JsonKind::kObject || tape[value].size != 2) return false;
  const uint32_t scale = tape.find(value, "scale");
  const uint32_t unscaled = tape.find(value, "value");
  if (scale == 0 || unscaled == 0 || tape[scale].kind != sdk::JsonKind::kNumber || tape[unscaled].kind != sdk::JsonKind::kString)
    return false;
  // The bytes stand as Java writes them: the standard alphabet, filled up. Other texts are somebody else's.
  const std::string_view text = tape.text(unscaled);
  return !text.empty() && text.size() % 4 == 0 && text.find_first_of("-_") == std::string_view::npos;
}

Problem Converter::variable_decimal(const sdk::JsonTape& tape, uint32_t value, cdcrt_cell& cell) {
  if (tape[value].kind != sdk::JsonKind::kObject) return "not an object of scale and value";
  const uint32_t scale_at = tape.find(value, "scale");
  const uint32_t value_at = tape.find(value, "value");
  int64_t scale = 0;
  if (scale_at == 0 || value_at == 0 || tape[scale_at].kind != sdk::JsonKind::kNumber || tape[value_at].kind != sdk::JsonKind::kString ||
      !parse_integer(tape.text(scale_at), scale) || scale > 200'000 || scale < -200'000) {
    return "not an object of scale and value";
  }
  if (unavailable_.is(tape.text(value_at))) return nullptr;
  const auto bytes = sdk::decode_base64(tape.text(value_at), *rows_);
  if (!bytes) return "not base64";
  const auto decimal = sdk::write_decimal(*bytes, static_cast<int32_t>(scale), *rows_);
  if (!decimal) return "a decimal without bytes or of more digits than any source has";
  sdk::set_text(cell, CDCRT_DECIMAL, *decimal);
  return nullptr;
}

}  // namespace cdcrt::debezium
