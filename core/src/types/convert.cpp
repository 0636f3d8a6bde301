#include "types/convert.hpp"

#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "cdcrt/sdk/civil.hpp"
#include "cdcrt/sdk/utf8.hpp"
#include "types/convert_text.hpp"
#include "types/decimal.hpp"

namespace cdcrt::types {
namespace {

bool is_infinite(int64_t value) { return value == sdk::kInfinity || value == sdk::kMinusInfinity; }

bool in_range(int64_t value, uint8_t kind) {
  switch (kind) {
    case CDCRT_TYPE_INT8: return value == static_cast<int8_t>(value);
    case CDCRT_TYPE_INT16: return value == static_cast<int16_t>(value);
    case CDCRT_TYPE_INT32: return value == static_cast<int32_t>(value);
    default: return true;
  }
}

Result<cdcrt_cell> to_integer(const cdcrt_cell& cell, cdcrt_type to) {
  std::optional<int64_t> value;
  switch (cell.tag) {
    case CDCRT_BOOL:
    case CDCRT_I64: value = cell.value.integer; break;
    case CDCRT_U64:
      if (cell.value.natural <= static_cast<uint64_t>(INT64_MAX)) value = static_cast<int64_t>(cell.value.natural);
      break;
    case CDCRT_F64:
      // 2^63 is exact as a double, INT64_MAX is not.
      if (std::trunc(cell.value.real) == cell.value.real && cell.value.real >= -0x1p63 && cell.value.real < 0x1p63) {
        value = static_cast<int64_t>(cell.value.real);
      }
      break;
    case CDCRT_DECIMAL:
      if (const auto decimal = parse_decimal(text_of(cell))) value = to_int64(*decimal);
      break;
    default: return not_a_value(cell, to);
  }
  if (!value || !in_range(*value, to.kind)) return does_not_fit(cell, to);
  return integer_cell(CDCRT_I64, *value);
}

Result<cdcrt_cell> to_natural(const cdcrt_cell& cell, cdcrt_type to) {
  std::optional<uint64_t> value;
  switch (cell.tag) {
    case CDCRT_BOOL:
    case CDCRT_I64:
      if (cell.value.integer >= 0) value = static_cast<uint64_t>(cell.value.integer);
      break;
    case CDCRT_F64:
      if (std::trunc(cell.value.real) == cell.value.real && cell.value.real >= 0 && cell.value.real < 0x1p64) {
        value = static_cast<uint64_t>(cell.value.real);
      }
      break;
    case CDCRT_DECIMAL:
      if (const auto decimal = parse_decimal(text_of(cell))) value = to_uint64(*decimal);
      break;
    default: return not_a_value(cell, to);
  }
  if (!value) return does_not_fit(cell, to);
  return natural_cell(*value);
}

bool beyond_float(double value) { return std::isfinite(value) && std::abs(value) > static_cast<double>(std::numeric_limits<float>::max()); }

template <class Real>
std::string shortest_text(Real value) {
  char text[48];
  return {text, std::to_chars(text, text + sizeof text, value, std::chars_format::scientific).ptr};
}

/// A float64 as float32: as long as the float32 still tells the digits of the float64.
std::optional<double> narrow(double value) {
  if (!std::isfinite(value)) return value;
  // Values a little past the greatest float32 would round to it, but are not it.
  if (!beyond_float(value) && static_cast<double>(static_cast<float>(value)) == value) return value;
  // The greatest float32 is written as a little more than it is, and large ones have more digits than were ever told.
  const auto single = static_cast<float>(value);
  if (std::isfinite(single) && shortest_text(value) == shortest_text(single)) return static_cast<double>(single);
  return double_from_decimal(decimal_from_double(value, false), true);
}

Result<cdcrt_cell> to_float(const cdcrt_cell& cell, cdcrt_type from, cdcrt_type to) {
  const bool single = to.kind == CDCRT_TYPE_FLOAT32;
  std::optional<double> value;
  switch (cell.tag) {
    case CDCRT_BOOL:
    case CDCRT_I64:
      value = static_cast<double>(cell.value.integer);
      if (single) value = static_cast<double>(static_cast<float>(cell.value.integer));
      break;
    case CDCRT_U64:
      value = static_cast<double>(cell.value.natural);
      if (single) value = static_cast<double>(static_cast<float>(cell.value.natural));
      break;
    case CDCRT_F64:
      if (from.kind == CDCRT_TYPE_FLOAT32) {
        if (!beyond_float(cell.value.real)) value = static_cast<double>(static_cast<float>(cell.value.real));
      } else {
        value = single ? narrow(cell.value.real) : cell.value.real;
      }
      break;
    case CDCRT_DECIMAL: value = double_from_decimal(text_of(cell), single); break;
    default: return not_a_value(cell, to);
  }
  if (!value) return does_not_fit(cell, to);
  return real_cell(*value);
}

/// A DECIMAL cell as decimal(p,s). Zeros past the scale go.
Result<cdcrt_cell> fit_decimal(const cdcrt_cell& cell, cdcrt_type to) {
  const std::string_view text = text_of(cell);
  const auto decimal = parse_decimal(text);
  if (!decimal) return not_a_value(cell, to);
  if (!fits(*decimal, to)) return does_not_fit(cell, to);
  if (to.length == 0) return cell;
  const auto point = text.find('.');
  if (point == std::string_view::npos) return cell;
  const auto scale = static_cast<std::size_t>(to.scale > 0 ? to.scale : 0);
  if (text.size() - point - 1 <= scale) return cell;
  return text_cell(CDCRT_DECIMAL, text.substr(0, scale == 0 ? point : point + 1 + scale));
}

Result<cdcrt_cell> to_decimal(const cdcrt_cell& cell, cdcrt_type from, cdcrt_type to, event::Arena& arena) {
  switch (cell.tag) {
    case CDCRT_DECIMAL: return fit_decimal(cell, to);
    case CDCRT_BOOL:
    case CDCRT_I64:
    case CDCRT_U64: {
      char* const digits = arena.allocate(24);
      const auto end = cell.tag == CDCRT_U64 ? std::to_chars(digits, digits + 24, cell.value.natural).ptr
                                             : std::to_chars(digits, digits + 24, cell.value.integer).ptr;
      return fit_decimal(text_cell(CDCRT_DECIMAL, {digits, static_cast<std::size_t>(end - digits)}), to);
    }
    case CDCRT_F64: {
      const bool single = from.kind == CDCRT_TYPE_FLOAT32;
      if (single && beyond_float(cell.value.real)) return does_not_fit(cell, to);
      return fit_decimal(text_cell(CDCRT_DECIMAL, arena.copy(decimal_from_double(cell.value.real, single))), to);
    }
    default: return not_a_value(cell, to);
  }
}

Result<cdcrt_cell> to_boolean(const cdcrt_cell& cell, cdcrt_type to) {
  if (cell.tag != CDCRT_I64 && cell.tag != CDCRT_U64 && cell.tag != CDCRT_DECIMAL && cell.tag != CDCRT_F64) return not_a_value(cell, to);
  const auto integer = to_integer(cell, type_of(CDCRT_TYPE_INT64));
  if (!integer || integer->value.integer < 0 || integer->value.integer > 1) return does_not_fit(cell, to);
  return integer_cell(CDCRT_BOOL, integer->value.integer);
}

Result<cdcrt_cell> to_date(const cdcrt_cell& cell, cdcrt_type to) {
  if (cell.tag != CDCRT_TIMESTAMP && cell.tag != CDCRT_TIMESTAMPTZ) return not_a_value(cell, to);
  const int64_t microseconds = cell.value.integer;
  if (is_infinite(microseconds)) return integer_cell(CDCRT_DATE, microseconds);
  if (microseconds % sdk::kMicrosecondsPerDay != 0) return does_not_fit(cell, to);
  return integer_cell(CDCRT_DATE, microseconds / sdk::kMicrosecondsPerDay);
}

Result<cdcrt_cell> to_moment(const cdcrt_cell& cell, cdcrt_type to) {
  const cdcrt_tag tag = to.kind == CDCRT_TYPE_TIMESTAMP ? CDCRT_TIMESTAMP : CDCRT_TIMESTAMPTZ;
  if (cell.tag == CDCRT_TIMESTAMP || cell.tag == CDCRT_TIMESTAMPTZ) return integer_cell(tag, cell.value.integer);
  if (cell.tag != CDCRT_DATE) return not_a_value(cell, to);
  const int64_t days = cell.value.integer;
  if (is_infinite(days)) return integer_cell(tag, days);
  constexpr int64_t last = INT64_MAX / sdk::kMicrosecondsPerDay;
  if (days > last || days < -last) return does_not_fit(cell, to);
  return integer_cell(tag, days * sdk::kMicrosecondsPerDay);
}

Result<cdcrt_cell> to_time(const cdcrt_cell& cell, cdcrt_type to) {
  if (cell.tag != CDCRT_INTERVAL) return not_a_value(cell, to);
  const auto length = length_of(text_of(cell));
  if (!length) return does_not_fit(cell, to);
  return integer_cell(CDCRT_TIME, *length);
}

Result<cdcrt_cell> to_interval(const cdcrt_cell& cell, cdcrt_type to, event::Arena& arena) {
  if (cell.tag != CDCRT_TIME) return not_a_value(cell, to);
  return text_cell(CDCRT_INTERVAL, duration_text(cell.value.integer, arena));
}

Result<cdcrt_cell> to_json(const cdcrt_cell& cell, cdcrt_type from, cdcrt_type to, event::Arena& arena) {
  cdcrt_cell json = cell;
  json.tag = CDCRT_JSON;
  switch (cell.tag) {
    case CDCRT_ARRAY: return json;
    case CDCRT_F64:
      if (!std::isfinite(cell.value.real)) return does_not_fit(cell, to);
      break;
    case CDCRT_DECIMAL:
      if (text_of(cell).find_first_of("NI") != std::string_view::npos) return does_not_fit(cell, to);
      return json;
    case CDCRT_BOOL:
    case CDCRT_I64:
    case CDCRT_U64: break;
    default: return not_a_value(cell, to);
  }
  auto text = render_text(cell, from, arena);
  if (text) text->tag = CDCRT_JSON;
  return text;
}

Result<cdcrt_cell> to_array(const cdcrt_cell& cell, cdcrt_type to) {
  const std::string_view text = text_of(cell);
  const auto first = text.find_first_not_of(" \t\r\n");
  if (cell.tag != CDCRT_JSON || first == std::string_view::npos || text[first] != '[') return not_a_value(cell, to);
  return text_cell(CDCRT_ARRAY, text);
}

Result<cdcrt_cell> to_string_cell(const cdcrt_cell& cell, cdcrt_type from, cdcrt_type to, event::Arena& arena) {
  auto text = cell.tag == CDCRT_STRING ? Result<cdcrt_cell>(cell) : render_text(cell, from, arena);
  if (!text || to.length == 0 || text->size <= to.length) return text;
  const std::size_t characters = sdk::count_characters(text_of(*text));
  if (characters <= to.length) return text;
  return make_error(CDCRT_BAD_RECORD,
                    "value of " + std::to_string(characters) + " characters does not fit " + to_string(to) + ": " + display(cell));
}

}  // namespace

namespace detail {

Result<cdcrt_cell> convert_slowly(const cdcrt_cell& cell, cdcrt_type from, cdcrt_type to, event::Arena& arena) {
  if (cell.tag > CDCRT_INTERVAL) return make_error(CDCRT_BAD_RECORD, "a cell of unknown tag " + std::to_string(cell.tag));
  if (to.kind == CDCRT_TYPE_STRING) return to_string_cell(cell, from, to, arena);
  if (cell.tag == CDCRT_STRING) return parse_text(cell, to, arena);
  switch (to.kind) {
    case CDCRT_TYPE_BOOL: return to_boolean(cell, to);
    case CDCRT_TYPE_INT8:
    case CDCRT_TYPE_INT16:
    case CDCRT_TYPE_INT32:
    case CDCRT_TYPE_INT64: return to_integer(cell, to);
    case CDCRT_TYPE_UINT64: return to_natural(cell, to);
    case CDCRT_TYPE_FLOAT32:
    case CDCRT_TYPE_FLOAT64: return to_float(cell, from, to);
    case CDCRT_TYPE_DECIMAL: return to_decimal(cell, from, to, arena);
    case CDCRT_TYPE_DATE: return to_date(cell, to);
    case CDCRT_TYPE_TIMESTAMP:
    case CDCRT_TYPE_TIMESTAMPTZ: return to_moment(cell, to);
    case CDCRT_TYPE_TIME: return to_time(cell, to);
    case CDCRT_TYPE_INTERVAL: return to_interval(cell, to, arena);
    case CDCRT_TYPE_JSON: return to_json(cell, from, to, arena);
    case CDCRT_TYPE_ARRAY: return to_array(cell, to);
    default: return not_a_value(cell, to);
  }
}

}  // namespace detail

Result<cdcrt_cell> cut_fraction(const cdcrt_cell& cell, Parse parse, cdcrt_type to, event::Arena& arena) {
  if (cell.tag == CDCRT_STRING) {
    const auto cut = without_fine_digits(text_of(cell), arena);
    if (cut) return read_as(text_cell(CDCRT_STRING, *cut), parse, to, arena);
  } else if (parse == Parse::kEpochNanoseconds && cell.tag == CDCRT_I64) {
    const int64_t fine = ((cell.value.integer % 1000) + 1000) % 1000;
    if (fine != 0 && cell.value.integer >= INT64_MIN + fine)
      return read_as(integer_cell(CDCRT_I64, cell.value.integer - fine), parse, to, arena);
  }
  return does_not_fit(cell, to);
}

Result<cdcrt_cell> truncate(const cdcrt_cell& cell, cdcrt_type to) {
  if (is_ready(cell, to, to)) return cell;
  if (cell.tag != CDCRT_STRING || to.kind != CDCRT_TYPE_STRING) return does_not_fit(cell, to);
  return text_cell(CDCRT_STRING, sdk::first_characters(text_of(cell), to.length));
}

}  // namespace cdcrt::types
