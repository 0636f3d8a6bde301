#include "event/cell_check.hpp"

#include <algorithm>
#include <string_view>

#include "cdcrt/sdk/json_check.hpp"
#include "cdcrt/sdk/utf8.hpp"
#include "diagnostics/text.hpp"

namespace cdcrt::event {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Takes digits from the front; false: there are none.
bool take_digits(std::string_view& text) {
  const std::size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
  text.remove_prefix(end);
  return end > 0;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

// -?digits[.digits]
bool take_number(std::string_view& text) {
  take(text, '-');
  if (!take_digits(text)) return false;
  return !take(text, '.') || take_digits(text);
}

bool is_decimal(std::string_view text) {
  if (text == "NaN" || text == "Infinity" || text == "-Infinity") return true;
  return take_number(text) && text.empty();
}

// P1Y2M3DT4H5M6.5S, with a sign before any number.
bool is_interval(std::string_view text) {
  take(text, '-');
  if (!take(text, 'P')) return false;
  bool any = false;
  const auto parts = [&](std::string_view units) {
    while (!text.empty() && (is_digit(text.front()) || text.front() == '-')) {
      if (!take_number(text) || text.empty()) return false;
      const std::size_t place = units.find(text.front());
      if (place == std::string_view::npos) return false;
      units.remove_prefix(place + 1);
      text.remove_prefix(1);
      any = true;
    }
    return true;
  };
  if (!parts("YMWD")) return false;
  if (take(text, 'T') && !parts("HMS")) return false;
  return any && text.empty();
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !is_digit(text[i]) && !(text[i] >= 'a' && text[i] <= 'f')) return false;
  }
  return true;
}

bool is_json(std::string_view text) { return sdk::is_utf8(text) && sdk::is_json(text); }

}  // namespace

std::string fault_of_cell(const cdcrt_cell& cell) {
  if (!is_broken(cell)) return {};
  if (cell.tag > CDCRT_INTERVAL) return "tag " + std::to_string(cell.tag) + ", which is none";
  return std::to_string(cell.size) + " bytes that are nowhere";
}

std::string fault_of_value(const cdcrt_cell& cell) {
  if (cell.tag == CDCRT_BOOL) return cell.value.natural > 1 ? "the boolean " + std::to_string(cell.value.integer) : std::string();
  if (cell.tag != CDCRT_DECIMAL && cell.tag < CDCRT_STRING) return {};
  const std::string_view text = cell.size == 0 ? std::string_view() : std::string_view(cell.value.data, cell.size);
  const auto unless = [&](bool right, const char* what) {
    return right ? std::string() : diagnostics::quote(text) + ", which is no " + what;
  };
  switch (cell.tag) {
    case CDCRT_DECIMAL:
      return unless(is_decimal(text), "decimal");
    case CDCRT_STRING:
      return unless(sdk::is_utf8(text), "UTF-8");
    case CDCRT_JSON:
      return unless(is_json(text), "JSON");
    case CDCRT_ARRAY:
      return unless(!text.empty() && text.front() == '[' && is_json(text), "JSON array");
    case CDCRT_UUID:
      return unless(is_uuid(text), "UUID in lower case");
    case CDCRT_INTERVAL:
      return unless(is_interval(text), "ISO 8601 duration");
    default:
      return {};
  }
}

}  // namespace cdcrt::event
