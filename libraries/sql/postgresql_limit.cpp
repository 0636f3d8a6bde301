#include "sql/postgresql_limit.hpp"

#include <charconv>
#include <cmath>

#include "cdcrt/sdk/calendar.hpp"
#include "sql/cell.hpp"
#include "sql/cell_text.hpp"
#include "sql/type_mapping.hpp"

namespace cdcrt::sql {
namespace {

using Kind = ColumnLimit::Kind;

/// A decimal text taken apart: significant digits without zeros at either end, and the digits after the point.
struct Digits {
  std::string significant;
  int64_t fraction = 0;  // digits after the point, zeros at the end apart
  bool number = false;
};

Digits digits_of(std::string_view text) {
  Digits digits;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  int64_t exponent = 0;
  const auto mark = text.find_first_of("eE");
  if (mark != std::string_view::npos) {
    std::string_view written = text.substr(mark + 1);
    if (!written.empty() && written[0] == '+') written.remove_prefix(1);
    const auto parsed = std::from_chars(written.data(), written.data() + written.size(), exponent);
    if (parsed.ec != std::errc() || parsed.ptr != written.data() + written.size()) return digits;
    text = text.substr(0, mark);
  }
  bool point = false;
  for (const char c : text) {
    if (c == '.' && !point) {
      point = true;
    } else if (c >= '0' && c <= '9') {
      digits.significant += c;
      digits.fraction += point ? 1 : 0;
    } else {
      return digits;
    }
  }
  if (digits.significant.empty()) return digits;
  digits.number = true;
  digits.fraction -= exponent;
  while (!digits.significant.empty() && digits.significant.back() == '0') digits.significant.pop_back(), --digits.fraction;
  digits.significant.erase(0, digits.significant.find_first_not_of('0'));
  if (digits.significant.empty()) digits.fraction = 0;
  return digits;
}

std::string number_text(const cdcrt_cell& cell) {
  std::string text;
  if (cell.tag == CDCRT_BOOL) return cell.value.integer != 0 ? "1" : "0";
  append_cell_text(text, cell, sdk::TextStyle::kPostgres);
  return text;
}

bool float_keeps(int32_t sure, const cdcrt_cell& cell) {
  if (cell.tag == CDCRT_F64) {
    if (sure > 6 || !std::isfinite(cell.value.real)) return true;
    const auto single = static_cast<float>(cell.value.real);
    if (static_cast<double>(single) == cell.value.real) return true;
  }
  const std::string text = number_text(cell);
  const Digits digits = digits_of(text);
  if (!digits.number) return true;  // NaN, or no number at all: the server says so
  if (static_cast<int32_t>(digits.significant.size()) <= sure) return true;
  char shortest[64];
  const char* const last = text.data() + text.size();
  const char* end = nullptr;
  if (sure > 6) {
    double value = 0;
    if (std::from_chars(text.data(), last, value).ec != std::errc()) return true;  // out of range, which the server refuses
    end = std::to_chars(shortest, shortest + sizeof shortest, value).ptr;
  } else {
    float value = 0;
    if (std::from_chars(text.data(), last, value).ec != std::errc()) return true;
    end = std::to_chars(shortest, shortest + sizeof shortest, value).ptr;
  }
  const Digits kept = digits_of({shortest, static_cast<std::size_t>(end - shortest)});
  return kept.number && kept.significant == digits.significant && kept.fraction == digits.fraction;
}

std::size_t characters(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
  return count;
}

std::string_view without_blanks(std::string_view text) {
  const auto last = text.find_last_not_of(' ');
  return last == std::string_view::npos ? std::string_view() : text.substr(0, last + 1);
}

/// Digits of the seconds' fraction, zeros at the end apart: "12:34:56.700Z", "PT1.50S".
std::size_t fraction_digits(std::string_view text) {
  const auto point = text.find_last_of('.');
  if (point == std::string_view::npos) return 0;
  std::size_t end = point + 1;
  while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
  while (end > point + 1 && text[end - 1] == '0') --end;
  return end - point - 1;
}

/// A number of microseconds that was a double on its way and was cut after nine digits: 1.999999 s came as 1.999998999. Rounding, as the
/// server does, brings it back. (Debezium's PostgreSQL connector: PGInterval.getSeconds() adds doubles, Interval.toIsoString() cuts.)
bool is_cut_double(std::string_view text) {
  constexpr std::size_t nanoseconds = 9;
  const auto point = text.find_last_of('.');
  return point != std::string_view::npos && fraction_digits(text) == nanoseconds && text.substr(point + nanoseconds - 2, 3) == "999";
}

/// Whether an ISO 8601 duration has nothing below the unit.
bool ends_at(std::string_view text, char unit) {
  constexpr std::string_view kOrder = "YMWDHmS";
  bool in_time = false;
  std::string number;
  for (const char c : text) {
    if (c == 'T') {
      in_time = true;
    } else if ((c >= '0' && c <= '9') || c == '.') {
      number += c;
    } else if (c >= 'A' && c <= 'Z') {
      const char part = c == 'M' && in_time ? 'm' : c;
      const bool zero = number.find_first_of("123456789") == std::string::npos;
      if (part != 'P' && !zero && kOrder.find(part) > kOrder.find(unit)) return false;
      number.clear();
    }
  }
  return true;
}

int64_t step_of(int32_t digits) {
  int64_t step = 1;
  for (int32_t i = digits; i < 6; ++i) step *= 10;
  return step;
}

bool is_finite(int64_t value) { return value != sdk::kInfinity && value != sdk::kMinusInfinity; }

}  // namespace

ColumnLimit limit_of(std::string_view type, int32_t money_digits) {
  ColumnLimit limit;
  const auto set = [&](Kind kind, int64_t digits) {
    limit.kind = kind;
    limit.digits = static_cast<int32_t>(digits);
  };
  if (type == "\"char\"") {
    set(Kind::kCharacters, 1);
    limit.bytes = true;
    return limit;
  }
  const ParsedTypeName parsed = parse_type_name(type);
  const std::string& name = parsed.name;
  const auto begins = [&](std::string_view part) { return name.compare(0, part.size(), part) == 0; };
  if (name == "numeric" && parsed.count > 0) {
    set(Kind::kScale, parsed.second);
  } else if (name == "oid" || begins("reg")) {
    set(Kind::kUnsigned, 0);
  } else if (name == "xid" || name == "cid") {
    set(Kind::kDigits, 0);
  } else if (name == "bit" || name == "bit varying") {
    set(Kind::kBits, 0);
  } else if (name == "money") {
    set(Kind::kScale, money_digits);
  } else if (name == "real") {
    set(Kind::kFloat, 6);
  } else if (name == "double precision") {
    set(Kind::kFloat, 15);
  } else if (name == "character varying" && parsed.count > 0) {
    set(Kind::kCharacters, parsed.first);
  } else if (name == "name") {
    set(Kind::kCharacters, 63);
    limit.bytes = true;
  } else if (name == "character" && parsed.count > 0) {
    set(Kind::kBlanks, parsed.first);
  } else if (begins("time")) {
    set(Kind::kFraction, parsed.count > 0 ? parsed.first : 6);
    limit.time_only = !begins("timestamp");
  } else if (name == "date") {
    set(Kind::kDate, 0);
  } else if (begins("interval")) {
    set(Kind::kInterval, parsed.count > 0 ? parsed.first : 6);
    const auto space = name.find_last_of(' ');
    const std::string last = space == std::string::npos ? std::string() : name.substr(space + 1);
    limit.unit = last == "year" ? 'Y' : last == "month" ? 'M' : last == "day" ? 'D' : last == "hour" ? 'H' : last == "minute" ? 'm' : '\0';
  }
  return limit;
}

bool keeps(const ColumnLimit& limit, const cdcrt_cell& cell) {
  if (cell.tag <= CDCRT_NULL) return true;
  switch (limit.kind) {
    case Kind::kNone: return true;
    case Kind::kScale: {
      if (cell.tag == CDCRT_I64 || cell.tag == CDCRT_U64) {
        if (limit.digits >= 0) return true;
      } else if (cell.tag != CDCRT_DECIMAL && cell.tag != CDCRT_F64 && cell.tag != CDCRT_STRING) {
        return true;
      }
      const Digits digits = digits_of(number_text(cell));
      return !digits.number || digits.significant.empty() || digits.fraction <= limit.digits;  // zero fits numeric(3,-2) too
    }
    case Kind::kFloat:
      return (cell.tag != CDCRT_I64 && cell.tag != CDCRT_U64 && cell.tag != CDCRT_F64 && cell.tag != CDCRT_DECIMAL &&
              cell.tag != CDCRT_STRING) ||
             float_keeps(limit.digits, cell);
    case Kind::kUnsigned: {
      const std::string text = number_text(cell);
      return text.empty() || text[0] != '-';
    }
    case Kind::kDigits: {
      const std::string text = number_text(cell);
      uint32_t value = 0;
      const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
      return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
    }
    case Kind::kBits: return !has_bytes(cell) || bytes_of(cell).find_first_of("xXbB") != 0;
    case Kind::kCharacters:
      if (limit.bytes && (!has_bytes(cell) || cell.tag == CDCRT_BYTES))
        return number_text(cell).size() <= static_cast<std::size_t>(limit.digits);
      if (!has_bytes(cell) || cell.tag == CDCRT_BYTES) return true;
      return (limit.bytes ? bytes_of(cell).size() : characters(bytes_of(cell))) <= static_cast<std::size_t>(limit.digits);
    case Kind::kBlanks:
      return !has_bytes(cell) || cell.tag == CDCRT_BYTES ||
             characters(without_blanks(bytes_of(cell))) <= static_cast<std::size_t>(limit.digits);
    case Kind::kFraction:
      if (cell.tag == CDCRT_STRING) return fraction_digits(bytes_of(cell)) <= static_cast<std::size_t>(limit.digits);
      if (limit.time_only && (cell.tag == CDCRT_TIMESTAMP || cell.tag == CDCRT_TIMESTAMPTZ)) return false;
      // "-01:00:00" would be read as a time zone.
      if (limit.time_only && cell.tag == CDCRT_TIME && (cell.value.integer < 0 || cell.value.integer > sdk::kMicrosecondsPerDay))
        return false;
      if (cell.tag != CDCRT_TIME && cell.tag != CDCRT_TIMESTAMP && cell.tag != CDCRT_TIMESTAMPTZ) return true;
      return !is_finite(cell.value.integer) || cell.value.integer % step_of(limit.digits) == 0;
    case Kind::kDate:
      if (cell.tag != CDCRT_TIMESTAMP && cell.tag != CDCRT_TIMESTAMPTZ) return true;
      return !is_finite(cell.value.integer) || cell.value.integer % sdk::kMicrosecondsPerDay == 0;
    case Kind::kInterval:
      if (cell.tag != CDCRT_INTERVAL && cell.tag != CDCRT_STRING) return true;
      // What is written otherwise than in ISO 8601 cannot be taken apart here.
      if (limit.unit != 0 && (bytes_of(cell).find_first_of("P") == std::string_view::npos || !ends_at(bytes_of(cell), limit.unit)))
        return false;
      return fraction_digits(bytes_of(cell)) <= static_cast<std::size_t>(limit.digits) ||
             (limit.digits == 6 && is_cut_double(bytes_of(cell)));
  }
  return true;
}

bool cut_to(const ColumnLimit& limit, cdcrt_cell& cell) {
  switch (limit.kind) {
    case Kind::kCharacters:
    case Kind::kBlanks: {
      if (!has_bytes(cell) || cell.tag == CDCRT_BYTES) return false;
      const std::string_view text = bytes_of(cell);
      std::size_t end = 0;
      for (int32_t kept = 0; end < text.size();) {
        std::size_t next = end + 1;
        while (next < text.size() && (static_cast<unsigned char>(text[next]) & 0xC0) == 0x80) ++next;
        kept += limit.bytes ? static_cast<int32_t>(next - end) : 1;
        if (kept > limit.digits) break;
        end = next;
      }
      cell.size = static_cast<uint32_t>(end);
      return true;
    }
    case Kind::kFraction: {
      if (limit.time_only ? cell.tag != CDCRT_TIME : cell.tag != CDCRT_TIMESTAMP && cell.tag != CDCRT_TIMESTAMPTZ) return false;
      const int64_t step = step_of(limit.digits);
      cell.value.integer -= ((cell.value.integer % step) + step) % step;
      return true;
    }
    default: return false;
  }
}

bool cut_fraction_to(const ColumnLimit& limit, cdcrt_cell& cell, std::string& buffer) {
  if (limit.kind == Kind::kFraction && cell.tag != CDCRT_STRING) {
    cdcrt_cell cut = cell;
    if (!cut_to(limit, cut) || !keeps(limit, cut)) return false;
    cell = cut;
    return true;
  }
  if ((limit.kind != Kind::kFraction && limit.kind != Kind::kInterval) || (cell.tag != CDCRT_STRING && cell.tag != CDCRT_INTERVAL))
    return false;
  const std::string_view text = bytes_of(cell);
  const auto point = text.find_last_of('.');
  if (point == std::string_view::npos) return false;
  const auto kept = static_cast<std::size_t>(limit.digits);
  std::size_t end = point + 1;
  while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
  // Of a duration, only seconds have digits that may go.
  if (end - point - 1 <= kept || (limit.kind == Kind::kInterval && (end == text.size() || text[end] != 'S'))) return false;
  std::string cut(text.substr(0, kept == 0 ? point : point + 1 + kept));
  cut += text.substr(end);
  const cdcrt_cell fitting = text_cell(static_cast<cdcrt_tag>(cell.tag), cut);
  if (!keeps(limit, fitting)) return false;
  buffer = std::move(cut);
  cell = text_cell(static_cast<cdcrt_tag>(cell.tag), buffer);
  return true;
}

}  // namespace cdcrt::sql
