#include <algorithm>
#include <cmath>

#include "cdcrt/sdk/base64.hpp"
#include "cdcrt/sdk/civil.hpp"
#include "cdcrt/sdk/utf8.hpp"
#include "types/convert.hpp"
#include "types/convert_text.hpp"
#include "types/decimal.hpp"

namespace cdcrt::types {
namespace {

__extension__ typedef __int128 Wide;

// What PostgreSQL's driver makes of infinity and -infinity, and what Debezium then counts as microseconds (or milliseconds).
constexpr int64_t kDriverInfinity = 9'223'372'036'825'200'000;
constexpr int64_t kDriverMinusInfinity = -9'223'372'036'832'400'000;

/// A number that is digits / 10^scale.
struct Scaled {
  Wide digits = 0;
  int scale = 0;
};

constexpr std::size_t kMaxDigits = 23;  // times the nanoseconds of a day still fits 128 bits

std::optional<Scaled> scaled_from_text(std::string_view number) {
  const auto text = decimal_text(number);
  if (!text) return std::nullopt;
  const auto decimal = parse_decimal(*text);
  if (!decimal || decimal->kind != Decimal::Kind::kFinite || decimal->integer.size() + decimal->fraction.size() > kMaxDigits)
    return std::nullopt;
  Scaled scaled;
  for (const char c : decimal->integer) scaled.digits = scaled.digits * 10 + (c - '0');
  for (const char c : decimal->fraction) scaled.digits = scaled.digits * 10 + (c - '0');
  if (decimal->negative) scaled.digits = -scaled.digits;
  scaled.scale = static_cast<int>(decimal->fraction.size());
  return scaled;
}

std::optional<Scaled> scaled_from(const cdcrt_cell& cell) {
  switch (cell.tag) {
    case CDCRT_I64: return Scaled{cell.value.integer, 0};
    case CDCRT_U64: return Scaled{static_cast<Wide>(cell.value.natural), 0};
    case CDCRT_F64: return scaled_from_text(decimal_from_double(cell.value.real, false));
    case CDCRT_DECIMAL:
    case CDCRT_STRING: return scaled_from_text(text_of(cell));
    default: return std::nullopt;
  }
}

int64_t nanoseconds_of(Parse parse) {
  switch (parse) {
    case Parse::kEpochDays: return sdk::kMicrosecondsPerDay * 1000;
    case Parse::kEpochSeconds: return 1'000'000'000;
    case Parse::kEpochMilliseconds: return 1'000'000;
    case Parse::kEpochMicroseconds: return 1000;
    default: return 1;
  }
}

const char* name_of(Parse parse) {
  switch (parse) {
    case Parse::kEpochDays: return "epoch_days";
    case Parse::kEpochSeconds: return "epoch_s";
    case Parse::kEpochMilliseconds: return "epoch_ms";
    case Parse::kEpochMicroseconds: return "epoch_us";
    case Parse::kEpochNanoseconds: return "epoch_ns";
    case Parse::kBase64: return "base64";
    case Parse::kHex: return "hex";
    case Parse::kIso8601: return "iso8601";
    default: return "none";
  }
}

Error unreadable(const cdcrt_cell& cell, Parse parse) {
  return make_error(CDCRT_BAD_RECORD, std::string("not a value of parse = \"") + name_of(parse) + "\": " + display(cell));
}

/// PostgreSQL's infinite dates as days of 32 bits, which Debezium lets wrap around: in a stream and in a snapshot not at the same place.
std::optional<int64_t> infinite_days(Wide days) {
  if (days == -2'147'472'692 || days == -622'191'234) return sdk::kInfinity;
  if (days == -2'147'472'691 || days == -625'821'272) return sdk::kMinusInfinity;
  return std::nullopt;
}

Result<cdcrt_cell> read_days(const cdcrt_cell& cell, Parse parse, Wide days) {
  if (days <= INT64_MIN || days >= INT64_MAX) return unreadable(cell, parse);
  return integer_cell(CDCRT_DATE, static_cast<int64_t>(days));
}

Result<cdcrt_cell> read_epoch(const cdcrt_cell& cell, Parse parse, cdcrt_type to, event::Arena& arena) {
  const auto number = scaled_from(cell);
  if (!number) return unreadable(cell, parse);
  cdcrt_tag tag = parse == Parse::kEpochDays ? CDCRT_DATE : CDCRT_TIMESTAMP;
  if (to.kind == CDCRT_TYPE_TIME || to.kind == CDCRT_TYPE_INTERVAL) tag = CDCRT_TIME;
  if (to.kind == CDCRT_TYPE_TIMESTAMPTZ && tag == CDCRT_TIMESTAMP) tag = CDCRT_TIMESTAMPTZ;
  if (number->scale == 0 && tag != CDCRT_TIME) {
    if (number->digits == kDriverInfinity || number->digits == INT64_MAX) return convert(integer_cell(tag, sdk::kInfinity), {}, to, arena);
    if (number->digits == kDriverMinusInfinity || number->digits == INT64_MIN)
      return convert(integer_cell(tag, sdk::kMinusInfinity), {}, to, arena);
    if (parse == Parse::kEpochDays) {
      if (const auto infinite = infinite_days(number->digits)) return convert(integer_cell(tag, *infinite), {}, to, arena);
      auto date = read_days(cell, parse, number->digits);
      return date ? convert(*date, {}, to, arena) : date;
    }
  }
  Wide power = 1000;  // nanoseconds to microseconds
  for (int i = 0; i < number->scale; ++i) power *= 10;
  const Wide product = number->digits * nanoseconds_of(parse);
  if (product % power != 0) {
    return make_error(
        CDCRT_BAD_RECORD, std::string("finer than a microsecond: ") + display(cell),
        "type = \"string\" in the route's columns keeps every digit; on_overflow = \"truncate\" cuts them, but never in a key");
  }
  const Wide microseconds = product / power;
  if (tag == CDCRT_DATE) {
    if (microseconds % sdk::kMicrosecondsPerDay != 0) return unreadable(cell, parse);
    auto date = read_days(cell, parse, microseconds / sdk::kMicrosecondsPerDay);
    return date ? convert(*date, {}, to, arena) : date;
  }
  if (tag != CDCRT_TIME && (microseconds == kDriverInfinity || microseconds == kDriverMinusInfinity)) {
    return convert(integer_cell(tag, microseconds > 0 ? sdk::kInfinity : sdk::kMinusInfinity), {}, to, arena);
  }
  if (microseconds <= INT64_MIN || microseconds >= INT64_MAX) {
    return make_error(CDCRT_BAD_RECORD,
                      std::string("beyond the range of microseconds since 1970 as ") + name_of(parse) + ": " + display(cell));
  }
  return convert(integer_cell(tag, static_cast<int64_t>(microseconds)), {}, to, arena);
}

std::optional<std::string_view> decode_hex(std::string_view text, event::Arena& arena) {
  if (text.size() >= 2 && (text.substr(0, 2) == "0x" || text.substr(0, 2) == "0X" || text.substr(0, 2) == "\\x")) text.remove_prefix(2);
  if (text.size() % 2 != 0) return std::nullopt;
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  char* const out = arena.allocate(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = digit(text[i]);
    const int low = digit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out[i / 2] = static_cast<char>(high << 4 | low);
  }
  return std::string_view(out, text.size() / 2);
}

std::optional<std::string_view> decode(std::string_view text, Parse parse, event::Arena& arena) {
  if (parse == Parse::kHex) return decode_hex(text, arena);
  char* const out = arena.allocate(sdk::base64_decoded_bound(text.size()));
  const auto size = sdk::decode_base64(text, out);
  if (!size) return std::nullopt;
  return std::string_view(out, *size);
}

std::string_view uuid_text(std::string_view bytes, event::Arena& arena) {
  constexpr char hex[] = "0123456789abcdef";
  char* const out = arena.allocate(36);
  std::size_t at = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out[at++] = '-';
    const auto byte = static_cast<uint8_t>(bytes[i]);
    out[at++] = hex[byte >> 4];
    out[at++] = hex[byte & 15];
  }
  return {out, at};
}

Result<cdcrt_cell> read_encoded(const cdcrt_cell& cell, Parse parse, cdcrt_type to, event::Arena& arena) {
  if (cell.tag != CDCRT_STRING) return unreadable(cell, parse);
  const bool number = to.kind >= CDCRT_TYPE_INT8 && to.kind <= CDCRT_TYPE_DECIMAL;
  // A decimal that is no number travels as a word: Debezium's NaN.
  if (number && decimal_text(text_of(cell)) == "NaN") return convert(cell, {}, to, arena);
  const auto bytes = decode(text_of(cell), parse, arena);
  if (!bytes) return unreadable(cell, parse);
  switch (to.kind) {
    case CDCRT_TYPE_UNKNOWN:
    case CDCRT_TYPE_BYTES: return text_cell(CDCRT_BYTES, *bytes);
    case CDCRT_TYPE_STRING:
    case CDCRT_TYPE_JSON:
    case CDCRT_TYPE_ARRAY:
      if (!sdk::is_utf8(*bytes)) return make_error(CDCRT_BAD_RECORD, std::string("the decoded bytes are not UTF-8: ") + display(cell));
      return convert(text_cell(CDCRT_STRING, *bytes), {}, to, arena);
    case CDCRT_TYPE_UUID:
      if (bytes->size() != 16) return unreadable(cell, parse);
      return text_cell(CDCRT_UUID, uuid_text(*bytes, arena));
    default: break;
  }
  if (!number) return not_a_value(cell, to);
  const auto digits = decimal_from_twos_complement(*bytes, to.kind == CDCRT_TYPE_DECIMAL && to.length != 0 ? to.scale : 0);
  if (!digits) return unreadable(cell, parse);
  return convert(text_cell(CDCRT_DECIMAL, arena.copy(*digits)), {}, to, arena);
}

Result<cdcrt_cell> read_iso(const cdcrt_cell& cell, cdcrt_type to, event::Arena& arena) {
  if (cell.tag != CDCRT_STRING) return unreadable(cell, Parse::kIso8601);
  if (to.kind != CDCRT_TYPE_UNKNOWN) return convert(cell, {}, to, arena);
  for (const auto kind : {CDCRT_TYPE_DATE, CDCRT_TYPE_TIMESTAMPTZ, CDCRT_TYPE_TIME}) {
    auto value = convert(cell, {}, type_of(kind), arena);
    if (value) return value;
  }
  return unreadable(cell, Parse::kIso8601);
}

}  // namespace

Result<cdcrt_cell> read_as(const cdcrt_cell& cell, Parse parse, cdcrt_type to, event::Arena& arena) {
  if (cell.tag <= CDCRT_NULL) return cell;
  const bool calendar = cell.tag >= CDCRT_DATE && cell.tag <= CDCRT_TIMESTAMPTZ;
  switch (parse) {
    case Parse::kEpochDays:
    case Parse::kEpochSeconds:
    case Parse::kEpochMilliseconds:
    case Parse::kEpochMicroseconds:
    case Parse::kEpochNanoseconds:
      if (!calendar) return read_epoch(cell, parse, to, arena);
      break;
    case Parse::kBase64:
    case Parse::kHex:
      if (cell.tag != CDCRT_BYTES && (to.kind == CDCRT_TYPE_UNKNOWN || to.kind > CDCRT_TYPE_INTERVAL || cell.tag == CDCRT_STRING ||
                                      kNaturalTags[to.kind] != cell.tag)) {
        return read_encoded(cell, parse, to, arena);
      }
      break;
    case Parse::kIso8601:
      if (!calendar) return read_iso(cell, to, arena);
      break;
    default: break;
  }
  return convert(cell, {}, to, arena);
}

}  // namespace cdcrt::types
