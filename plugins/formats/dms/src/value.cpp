#include "value.hpp"

#include <charconv>
#include <string>
#include <string_view>

#include "cdcrt/sdk/decimal.hpp"

namespace cdcrt::dms {

using sdk::JsonKind;
using sdk::Status;

namespace {

/// DMS writes whole numbers of more than sixteen digits, and others of more than a double holds, with an exponent: digits are gone then.
bool lost_digits(std::string_view number) {
  constexpr int64_t kKept = 16;
  const std::size_t e = number.find_first_of("eE");
  if (e == std::string_view::npos) return false;
  int64_t exponent = 0;
  const char* begin = number.data() + e + 1;
  if (*begin == '+') ++begin;
  if (std::from_chars(begin, number.data() + number.size(), exponent).ec != std::errc()) return true;
  int64_t significant = 0;
  int64_t whole = 0;
  bool fraction = false;
  for (const char c : number.substr(0, e)) {
    if (c == '.') fraction = true;
    if (c < '0' || c > '9') continue;
    if (significant > 0 || c != '0') ++significant;
    if (!fraction) ++whole;
  }
  return significant > kKept || (significant > 0 && whole + exponent > kKept);
}

Status unusable(std::string_view number) {
  return Status::bad_record("\"" + std::string(number.substr(0, 40)) + "\" is not a number that can be held");
}

}  // namespace

Status set_value(cdcrt_cell& cell, const sdk::JsonTape& tape, uint32_t name, sdk::RowBuilder& rows) {
  const uint32_t value = name + 1;
  switch (tape[value].kind) {
    case JsonKind::kNull: sdk::set_null(cell); return {};
    case JsonKind::kFalse:
    case JsonKind::kTrue: sdk::set_integer(cell, CDCRT_BOOL, tape[value].kind == JsonKind::kTrue ? 1 : 0); return {};
    case JsonKind::kString: sdk::set_text(cell, CDCRT_STRING, rows.copy(tape.text(value))); return {};
    case JsonKind::kNumber: {
      const std::string_view number = tape.text(value);
      if (!lost_digits(number)) return sdk::set_number(cell, number, rows) ? Status() : unusable(number);
      double rounded = 0;
      if (std::from_chars(number.data(), number.data() + number.size(), rounded).ec != std::errc()) return unusable(number);
      sdk::set_real(cell, rounded);
      return {};
    }
    default:
      sdk::set_text(cell, tape[value].kind == JsonKind::kArray ? CDCRT_ARRAY : CDCRT_JSON, rows.copy(tape.raw_value(name)));
      return {};
  }
}

}  // namespace cdcrt::dms
