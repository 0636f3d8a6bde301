#include "types/decimal.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <vector>

namespace cdcrt::types {
namespace {

constexpr int64_t kMaximumExpandedDigits = 20'000;
constexpr std::size_t kMaximumBytes = 4'096;
constexpr std::size_t kMaxFiniteDouble = 310;
constexpr std::size_t kFinestDoubleDigits = 1'074;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::size_t count_digits(std::string_view text) {
  std::size_t count = 0;
  while (count < text.size() && is_digit(text[count])) ++count;
  return count;
}

bool equal_ignoring_case(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b; });
}

std::optional<std::string> special(std::string_view text) {
  if (equal_ignoring_case(text, "nan")) return "NaN";
  // As Debezium writes them.
  if (equal_ignoring_case(text, "positive_infinity")) return "Infinity";
  if (equal_ignoring_case(text, "negative_infinity")) return "-Infinity";
  const bool negative = !text.empty() && text.front() == '-';
  if (negative || (!text.empty() && text.front() == '+')) text.remove_prefix(1);
  if (equal_ignoring_case(text, "infinity") || equal_ignoring_case(text, "inf")) return negative ? "-Infinity" : "Infinity";
  return std::nullopt;
}

/// digits * 10^-scale.
std::string place_point(bool negative, std::string_view digits, int64_t scale) {
  std::string out(negative ? 1 : 0, '-');
  if (scale <= 0) {
    out += digits;
    out.append(static_cast<std::size_t>(-scale), '0');
    return out;
  }
  const auto fraction = static_cast<std::size_t>(scale);
  if (digits.size() > fraction) {
    out += digits.substr(0, digits.size() - fraction);
  } else {
    out += '0';
  }
  out += '.';
  if (digits.size() < fraction) out.append(fraction - digits.size(), '0');
  out += digits.size() > fraction ? digits.substr(digits.size() - fraction) : digits;
  return out;
}

/// Of a number with an exponent; empty where it is none.
std::string canonical_text(std::string_view text) {
  const auto expanded = decimal_text(text);
  std::string canonical;
  if (expanded) {
    if (const auto decimal = parse_decimal(*expanded)) append_canonical(canonical, *decimal);
  }
  return canonical;
}

/// The shortest digits that read back as `value`, with zeros up to the point: 1e23 is 1 and 23 zeros, although the double is a
/// little less.
std::string shortest_digits(double value, bool single) {
  char text[40];
  const auto end = single ? std::to_chars(text, text + sizeof text, static_cast<float>(value), std::chars_format::scientific).ptr
                          : std::to_chars(text, text + sizeof text, value, std::chars_format::scientific).ptr;
  return canonical_text({text, static_cast<std::size_t>(end - text)});
}

/// `value` rounded to so many significant digits.
std::string rounded_digits(double value, std::size_t significant) {
  char text[kMaxFiniteDouble + 16];
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::scientific, static_cast<int>(significant) - 1).ptr;
  return canonical_text({text, static_cast<std::size_t>(end - text)});
}

}  // namespace

std::optional<Decimal> parse_decimal(std::string_view text) {
  Decimal decimal;
  if (text == "NaN") {
    decimal.kind = Decimal::Kind::kNaN;
    return decimal;
  }
  if (!text.empty() && text.front() == '-') {
    decimal.negative = true;
    text.remove_prefix(1);
  }
  if (text == "Infinity") {
    decimal.kind = Decimal::Kind::kInfinity;
    return decimal;
  }
  const std::size_t integer = count_digits(text);
  if (integer == 0) return std::nullopt;
  decimal.integer = text.substr(0, integer);
  if (integer < text.size()) {
    decimal.fraction = text.substr(integer + 1);
    if (text[integer] != '.' || decimal.fraction.empty() || count_digits(decimal.fraction) != decimal.fraction.size()) return std::nullopt;
  }
  while (!decimal.integer.empty() && decimal.integer.front() == '0') decimal.integer.remove_prefix(1);
  while (!decimal.fraction.empty() && decimal.fraction.back() == '0') decimal.fraction.remove_suffix(1);
  if (decimal.integer.empty() && decimal.fraction.empty()) decimal.negative = false;
  return decimal;
}

std::optional<std::string> decimal_text(std::string_view number) {
  if (parse_decimal(number)) return std::string(number);
  if (auto word = special(number)) return word;
  bool negative = false;
  if (!number.empty() && (number.front() == '-' || number.front() == '+')) {
    negative = number.front() == '-';
    number.remove_prefix(1);
  }
  const std::size_t integer = count_digits(number);
  std::string digits(number.substr(0, integer));
  number.remove_prefix(integer);
  int64_t scale = 0;
  if (!number.empty() && number.front() == '.') {
    number.remove_prefix(1);
    const std::size_t fraction = count_digits(number);
    digits += number.substr(0, fraction);
    scale = static_cast<int64_t>(fraction);
    number.remove_prefix(fraction);
  }
  if (digits.empty()) return std::nullopt;
  if (!number.empty()) {
    if (number.front() != 'e' && number.front() != 'E') return std::nullopt;
    number.remove_prefix(1);
    const bool plus = !number.empty() && number.front() == '+';
    if (plus) number.remove_prefix(1);
    if (number.empty() || (plus && !is_digit(number.front()))) return std::nullopt;
    int64_t exponent = 0;
    const auto parsed = std::from_chars(number.data(), number.data() + number.size(), exponent);
    if (parsed.ptr != number.data() + number.size()) return std::nullopt;
    const auto significant = std::find_if(digits.begin(), digits.end(), [](char c) { return c != '0'; });
    if (significant == digits.end()) {
      // Zero whatever the exponent; its own digits are kept.
      exponent = 0;
    } else if (parsed.ec != std::errc() || exponent > kMaximumExpandedDigits || exponent < -kMaximumExpandedDigits) {
      return std::nullopt;
    }
    scale -= exponent;
    const std::size_t leading = static_cast<std::size_t>(significant - digits.begin());
    digits.erase(0, std::min(leading, digits.size() - 1));
  }
  std::string text = place_point(negative, digits, scale);
  return text;
}

void append_canonical(std::string& out, const Decimal& decimal) {
  if (decimal.negative) out += '-';
  if (decimal.kind != Decimal::Kind::kFinite) {
    out += decimal.kind == Decimal::Kind::kNaN ? "NaN" : "Infinity";
    return;
  }
  if (decimal.integer.empty()) {
    out += '0';
  } else {
    out += decimal.integer;
  }
  if (decimal.fraction.empty()) return;
  out += '.';
  out += decimal.fraction;
}

bool fits(const Decimal& decimal, cdcrt_type type) {
  if (type.length == 0) return true;
  if (decimal.kind != Decimal::Kind::kFinite) return decimal.kind == Decimal::Kind::kNaN;
  if (decimal.integer.empty() && decimal.fraction.empty()) return true;
  const int64_t integer_digits = static_cast<int64_t>(type.length) - type.scale;
  if (static_cast<int64_t>(decimal.integer.size()) > integer_digits && !decimal.integer.empty()) return false;
  if (static_cast<int64_t>(decimal.fraction.size()) > type.scale && !decimal.fraction.empty()) return false;
  if (type.scale < 0) {
    const auto zeros = decimal.integer.size() - (decimal.integer.find_last_not_of('0') + 1);
    return zeros >= static_cast<std::size_t>(-type.scale);
  }
  if (integer_digits < 0) {
    const auto zeros = decimal.fraction.find_first_not_of('0');
    return zeros >= static_cast<std::size_t>(-integer_digits);
  }
  return true;
}

std::optional<uint64_t> to_uint64(const Decimal& decimal) {
  if (!decimal.is_integral() || decimal.negative) return std::nullopt;
  uint64_t value = 0;
  if (decimal.integer.empty()) return value;
  const auto parsed = std::from_chars(decimal.integer.data(), decimal.integer.data() + decimal.integer.size(), value);
  if (parsed.ec != std::errc()) return std::nullopt;
  return value;
}

std::optional<int64_t> to_int64(const Decimal& decimal) {
  Decimal magnitude = decimal;
  magnitude.negative = false;
  const auto value = to_uint64(magnitude);
  if (!value || *value > static_cast<uint64_t>(INT64_MAX) + (decimal.negative ? 1 : 0)) return std::nullopt;
  return static_cast<int64_t>(decimal.negative ? 0 - *value : *value);
}

std::optional<std::string> decimal_from_twos_complement(std::string_view bytes, int scale) {
  if (bytes.size() > kMaximumBytes) return std::nullopt;
  const bool negative = !bytes.empty() && (static_cast<uint8_t>(bytes.front()) & 0x80) != 0;
  // Groups of nine digits, least significant first. A negative number is the complement of its bytes, plus one.
  constexpr uint64_t base = 1'000'000'000;
  std::vector<uint32_t> groups(1, 0);
  for (const char c : bytes) {
    uint64_t carry = static_cast<uint8_t>(negative ? ~c : c);
    for (auto& group : groups) {
      carry += static_cast<uint64_t>(group) << 8;
      group = static_cast<uint32_t>(carry % base);
      carry /= base;
    }
    if (carry != 0) groups.push_back(static_cast<uint32_t>(carry));
  }
  if (negative) {
    std::size_t i = 0;
    while (i < groups.size() && ++groups[i] == base) groups[i++] = 0;
    if (i == groups.size()) groups.push_back(1);
  }
  std::string digits;
  for (std::size_t i = groups.size(); i-- > 0;) {
    const std::string group = std::to_string(groups[i]);
    if (!digits.empty()) digits.append(9 - group.size(), '0');
    digits += group;
  }
  if (digits == "0" && scale < 0) scale = 0;
  return place_point(negative, digits, scale);
}

std::string decimal_from_double(double value, bool single) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  if (value == 0) return "0";
  char digits[400];
  const auto end = single ? std::to_chars(digits, digits + sizeof digits, static_cast<float>(value), std::chars_format::fixed).ptr
                          : std::to_chars(digits, digits + sizeof digits, value, std::chars_format::fixed).ptr;
  return std::string(digits, end);
}

std::optional<double> double_from_decimal(std::string_view text, bool single) {
  const auto wanted = parse_decimal(text);
  if (!wanted) return std::nullopt;
  if (wanted->kind == Decimal::Kind::kNaN) return std::numeric_limits<double>::quiet_NaN();
  if (wanted->kind == Decimal::Kind::kInfinity)
    return wanted->negative ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
  double value = 0;
  float single_value = 0;
  const char* end = text.data() + text.size();
  const auto parsed = single ? std::from_chars(text.data(), end, single_value) : std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  if (single) value = static_cast<double>(single_value);
  // Fifteen digits (six of a float32) always survive.
  const std::size_t significant = wanted->integer.size() + wanted->fraction.size();
  const bool is_zero = significant == 0;
  if (is_zero) return value;
  if (value == 0) return std::nullopt;
  if (significant <= (single ? 6U : 15U) &&
      std::abs(value) >= (single ? std::numeric_limits<float>::min() : std::numeric_limits<double>::min()))
    return value;
  std::string canonical;
  append_canonical(canonical, *wanted);
  if (shortest_digits(value, single) == canonical) return value;
  if (wanted->fraction.empty()) {
    // Not every program writes the shortest digits: 9.999999999999999E22 is 1e23 as Java and PostgreSQL write it. The zeros at its end
    // only place the point.
    const std::size_t told = wanted->integer.find_last_not_of('0') + 1;
    return told <= kMaxFiniteDouble && rounded_digits(value, told) == canonical ? std::optional(value) : std::nullopt;
  }
  if (wanted->fraction.size() > kFinestDoubleDigits) return std::nullopt;
  char digits[kMaxFiniteDouble + kFinestDoubleDigits + 8];
  const auto exact =
      std::to_chars(digits, digits + sizeof digits, value, std::chars_format::fixed, static_cast<int>(wanted->fraction.size()));
  if (std::string_view(digits, static_cast<std::size_t>(exact.ptr - digits)) == canonical) return value;
  return std::nullopt;
}

}  // namespace cdcrt::types
