#include "types/convert_text.hpp"

#include <charconv>
#include <cmath>
#include <cstring>

#include "cdcrt/sdk/base64.hpp"
#include "cdcrt/sdk/calendar.hpp"
#include "cdcrt/sdk/value_check.hpp"
#include "types/convert.hpp"
#include "types/decimal.hpp"
#include "types/type.hpp"

namespace cdcrt::types {
namespace {

Result<cdcrt_cell> moved_text(cdcrt_tag tag, std::string_view text, event::Arena& arena) {
  if (text.size() > UINT32_MAX) return make_error(CDCRT_BAD_RECORD, "a value of more than 4 GiB");
  return text_cell(tag, arena.copy(text));
}

std::optional<int64_t> midnight(std::optional<int64_t> microseconds) {
  if (!microseconds || *microseconds == sdk::kInfinity || *microseconds == sdk::kMinusInfinity) return microseconds;
  if (*microseconds % sdk::kMicrosecondsPerDay != 0) return std::nullopt;
  return *microseconds / sdk::kMicrosecondsPerDay;
}

std::optional<int64_t> date_from(std::string_view text) {
  if (const auto days = sdk::parse_date(text)) return days;
  return midnight(sdk::parse_timestamp(text));
}

/// A text with a zone counts in UTC, one without is taken as UTC.
std::optional<int64_t> moment_from(std::string_view text) {
  if (const auto moment = sdk::parse_timestamptz(text)) return moment;
  if (const auto moment = sdk::parse_timestamp(text)) return moment;
  const auto days = sdk::parse_date(text);
  constexpr int64_t last = INT64_MAX / sdk::kMicrosecondsPerDay;
  if (!days || *days > last || *days < -last) return std::nullopt;
  return *days * sdk::kMicrosecondsPerDay;
}

std::optional<int64_t> boolean_from(std::string_view text) {
  if (text == "true" || text == "t" || text == "1") return 1;
  if (text == "false" || text == "f" || text == "0") return 0;
  return std::nullopt;
}

/// hh:mm[:ss[.f]] with a zone.
bool is_timetz(std::string_view text) {
  char moment[64] = "2000-01-01T";
  constexpr std::size_t prefix = 11;
  if (text.empty() || text.size() > sizeof moment - prefix) return false;
  std::memcpy(moment + prefix, text.data(), text.size());
  return sdk::parse_timestamptz({moment, prefix + text.size()}).has_value();
}

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !is_hex(text[i])) return false;
  }
  return true;
}

std::string_view lower_case(std::string_view text, event::Arena& arena) {
  char* out = arena.allocate(text.size());
  for (std::size_t i = 0; i < text.size(); ++i)
    out[i] = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] - 'A' + 'a') : text[i];
  return {out, text.size()};
}

Result<cdcrt_cell> parse_number(const cdcrt_cell& cell, cdcrt_type to, event::Arena& arena) {
  const auto number = decimal_text(text_of(cell));
  if (!number) return not_a_value(cell, to);
  const cdcrt_cell decimal = text_cell(CDCRT_DECIMAL, *number);
  if (to.kind != CDCRT_TYPE_DECIMAL) return convert(decimal, decimal_type(0, 0), to, arena);
  auto fitting = convert(decimal, decimal_type(0, 0), to, arena);
  if (!fitting) return fitting;
  return moved_text(CDCRT_DECIMAL, text_of(*fitting), arena);
}

Result<cdcrt_cell> integer_or(std::optional<int64_t> value, cdcrt_tag tag, const cdcrt_cell& cell, cdcrt_type to) {
  if (!value) return not_a_value(cell, to);
  return integer_cell(tag, *value);
}

/// Of a date or time, of which the digits past the microsecond may be all that is wrong.
Result<cdcrt_cell> moment_or(std::optional<int64_t> value, cdcrt_tag tag, const cdcrt_cell& cell, cdcrt_type to, event::Arena& arena) {
  if (value || !without_fine_digits(text_of(cell), arena)) return integer_or(value, tag, cell, to);
  return make_error(CDCRT_BAD_RECORD, "finer than a microsecond, which is all that " + to_string(to) + " keeps: " + display(cell),
                    "type = \"string\" in the route's columns keeps every digit; on_overflow = \"truncate\" cuts them, but never in a key");
}

}  // namespace

std::optional<std::string_view> without_fine_digits(std::string_view text, event::Arena& arena) {
  const auto colon = text.rfind(':', text.find('.'));
  const auto point = text.find('.');
  if (colon == std::string_view::npos || point == std::string_view::npos) return std::nullopt;
  std::size_t end = point + 1;
  while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
  constexpr std::size_t microseconds = 6;
  if (end - point - 1 <= microseconds) return std::nullopt;
  const std::string_view head = text.substr(0, point + 1 + microseconds);
  const std::string_view tail = text.substr(end);
  char* const out = arena.allocate(head.size() + tail.size());
  std::memcpy(out, head.data(), head.size());
  if (!tail.empty()) std::memcpy(out + head.size(), tail.data(), tail.size());
  return std::string_view(out, head.size() + tail.size());
}

std::optional<int64_t> length_of(std::string_view duration) {
  const bool backwards = !duration.empty() && duration.front() == '-';
  if (backwards) duration.remove_prefix(1);
  if (!sdk::is_interval(duration) || duration.substr(0, 2) != "PT") return std::nullopt;
  duration.remove_prefix(2);
  int64_t total = 0;
  while (!duration.empty()) {
    bool negative = backwards;
    if (duration.front() == '-' || duration.front() == '+') {
      negative = negative != (duration.front() == '-');
      duration.remove_prefix(1);
    }
    const std::size_t unit = duration.find_first_of("HMS");
    const auto decimal = parse_decimal(duration.substr(0, unit));
    const int64_t seconds = duration[unit] == 'H' ? 3600 : duration[unit] == 'M' ? 60 : 1;
    // A fraction of an hour is none of a clock's.
    if (!decimal || decimal->fraction.size() > 6 || (seconds > 1 && !decimal->fraction.empty())) return std::nullopt;
    std::string digits(decimal->integer);
    digits += decimal->fraction;
    digits.append(6 - decimal->fraction.size(), '0');
    int64_t part = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), part);
    if (parsed.ec != std::errc() || __builtin_mul_overflow(part, negative ? -seconds : seconds, &part) ||
        __builtin_add_overflow(total, part, &total)) {
      return std::nullopt;
    }
    duration.remove_prefix(unit + 1);
  }
  return total;
}

std::string_view duration_text(int64_t microseconds, event::Arena& arena) {
  char text[64];
  return arena.copy({text, sdk::write_duration(text, microseconds)});
}

Error does_not_fit(const cdcrt_cell& cell, cdcrt_type to) {
  return make_error(CDCRT_BAD_RECORD, "value does not fit " + to_string(to) + ": " + display(cell));
}

Error not_a_value(const cdcrt_cell& cell, cdcrt_type to) {
  std::string hint;
  const bool number = cell.tag == CDCRT_I64 || cell.tag == CDCRT_U64 || cell.tag == CDCRT_DECIMAL;
  const bool calendar =
      to.kind == CDCRT_TYPE_DATE || to.kind == CDCRT_TYPE_TIME || to.kind == CDCRT_TYPE_TIMESTAMP || to.kind == CDCRT_TYPE_TIMESTAMPTZ;
  if (number && calendar) hint = "say in the route what the number counts: parse = \"epoch_days\", \"epoch_ms\", \"epoch_us\", ...";
  if (cell.tag == CDCRT_STRING && to.kind == CDCRT_TYPE_BYTES)
    hint = "say in the route how the text holds bytes: parse = \"base64\" or \"hex\"";
  return make_error(CDCRT_BAD_RECORD, "not a value of " + to_string(to) + ": " + display(cell), std::move(hint));
}

Result<cdcrt_cell> parse_text(const cdcrt_cell& cell, cdcrt_type to, event::Arena& arena) {
  const std::string_view text = text_of(cell);
  switch (to.kind) {
    case CDCRT_TYPE_BOOL: return integer_or(boolean_from(text), CDCRT_BOOL, cell, to);
    case CDCRT_TYPE_INT8:
    case CDCRT_TYPE_INT16:
    case CDCRT_TYPE_INT32:
    case CDCRT_TYPE_INT64:
    case CDCRT_TYPE_UINT64:
    case CDCRT_TYPE_FLOAT32:
    case CDCRT_TYPE_FLOAT64:
    case CDCRT_TYPE_DECIMAL: return parse_number(cell, to, arena);
    case CDCRT_TYPE_DATE: return integer_or(date_from(text), CDCRT_DATE, cell, to);
    case CDCRT_TYPE_TIME: return moment_or(sdk::parse_time(text), CDCRT_TIME, cell, to, arena);
    case CDCRT_TYPE_TIMESTAMP: return moment_or(moment_from(text), CDCRT_TIMESTAMP, cell, to, arena);
    case CDCRT_TYPE_TIMESTAMPTZ: return moment_or(moment_from(text), CDCRT_TIMESTAMPTZ, cell, to, arena);
    case CDCRT_TYPE_TIMETZ:
      if (is_timetz(text)) return cell;
      break;
    case CDCRT_TYPE_JSON:
      if (sdk::is_json(text)) return text_cell(CDCRT_JSON, text);
      break;
    case CDCRT_TYPE_ARRAY:
      if (sdk::is_json(text)) return convert(text_cell(CDCRT_JSON, text), type_of(CDCRT_TYPE_JSON), to, arena);
      break;
    case CDCRT_TYPE_UUID:
      if (is_uuid(text)) return text_cell(CDCRT_UUID, lower_case(text, arena));
      break;
    case CDCRT_TYPE_INTERVAL:
      if (sdk::is_interval(text)) return text_cell(CDCRT_INTERVAL, text);
      if (const auto time = sdk::parse_time(text)) return text_cell(CDCRT_INTERVAL, duration_text(*time, arena));
      break;
    default: break;
  }
  return not_a_value(cell, to);
}

Result<cdcrt_cell> render_text(const cdcrt_cell& cell, cdcrt_type from, event::Arena& arena) {
  constexpr std::size_t room = 48;
  char digits[room];
  char* end = digits;
  switch (cell.tag) {
    case CDCRT_BOOL: return text_cell(CDCRT_STRING, cell.value.integer != 0 ? "true" : "false");
    case CDCRT_I64: end = std::to_chars(digits, digits + room, cell.value.integer).ptr; break;
    case CDCRT_U64: end = std::to_chars(digits, digits + room, cell.value.natural).ptr; break;
    case CDCRT_F64: {
      const double value = cell.value.real;
      if (!std::isfinite(value)) return text_cell(CDCRT_STRING, std::isnan(value) ? "NaN" : value < 0 ? "-Infinity" : "Infinity");
      const bool single = from.kind == CDCRT_TYPE_FLOAT32 && std::isfinite(static_cast<float>(value));
      end = single ? std::to_chars(digits, digits + room, static_cast<float>(value)).ptr : std::to_chars(digits, digits + room, value).ptr;
      break;
    }
    case CDCRT_DATE: end += sdk::write_date(digits, cell.value.integer, sdk::TextStyle::kIso8601); break;
    case CDCRT_TIME: end += sdk::write_time(digits, cell.value.integer); break;
    case CDCRT_TIMESTAMP: end += sdk::write_timestamp(digits, cell.value.integer, sdk::TextStyle::kIso8601); break;
    case CDCRT_TIMESTAMPTZ: end += sdk::write_timestamptz(digits, cell.value.integer, sdk::TextStyle::kIso8601); break;
    case CDCRT_BYTES: {
      const std::size_t size = sdk::base64_size(cell.size);
      if (size > UINT32_MAX) return make_error(CDCRT_BAD_RECORD, "a value of more than 4 GiB as base64");
      char* const out = arena.allocate(size);
      sdk::encode_base64(text_of(cell), out);
      return text_cell(CDCRT_STRING, {out, size});
    }
    default: return text_cell(CDCRT_STRING, text_of(cell));
  }
  return text_cell(CDCRT_STRING, arena.copy({digits, static_cast<std::size_t>(end - digits)}));
}

}  // namespace cdcrt::types
