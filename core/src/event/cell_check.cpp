#include "event/cell_check.hpp"

#include <algorithm>
#include <string_view>

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

/// Whether a text is one JSON value: numbers of any size, nesting of any depth.
class JsonCheck {
 public:
  explicit JsonCheck(std::string_view text) : rest_(text) {}

  bool passes() {
    do {
      skip();
      if (!opens_or_value()) return false;
      if (is_opened_) continue;
      // After a value: what closes, and a comma before the next one.
      for (skip(); !open_.empty() && take(rest_, open_.back() == '{' ? '}' : ']'); skip()) open_.pop_back();
      if (open_.empty()) return rest_.empty();
      if (!take(rest_, ',')) return false;
      skip();
      if (open_.back() == '{' && !name()) return false;
    } while (true);
  }

 private:
  void skip() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\n\r"), rest_.size())); }

  // True at a value, which is taken, or at the beginning of one that holds others; of an empty one the end is left.
  bool opens_or_value() {
    is_opened_ = false;
    if (rest_.empty()) return false;
    switch (rest_.front()) {
      case '"':
        return string();
      case 't':
        return word("true");
      case 'f':
        return word("false");
      case 'n':
        return word("null");
      case '[':
      case '{':
        return open();
      default:
        return number();
    }
  }

  bool open() {
    open_.push_back(rest_.front());
    rest_.remove_prefix(1);
    skip();
    if (rest_.empty()) return false;
    if (rest_.front() == (open_.back() == '{' ? '}' : ']')) return true;
    is_opened_ = true;
    return open_.back() == '[' || name();
  }

  bool name() {
    if (!string()) return false;
    skip();
    return take(rest_, ':');
  }

  bool word(std::string_view wanted) {
    if (!rest_.starts_with(wanted)) return false;
    rest_.remove_prefix(wanted.size());
    return true;
  }

  bool number() {
    take(rest_, '-');
    if (!take(rest_, '0') && !take_digits(rest_)) return false;
    if (take(rest_, '.') && !take_digits(rest_)) return false;
    if (!take(rest_, 'e') && !take(rest_, 'E')) return true;
    if (!take(rest_, '+')) take(rest_, '-');
    return take_digits(rest_);
  }

  bool string() {
    if (!take(rest_, '"')) return false;
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c == '\\' && !escape()) return false;
    }
    return false;
  }

  bool escape() {
    if (rest_.empty()) return false;
    const char kind = rest_.front();
    rest_.remove_prefix(1);
    if (kind != 'u') return std::string_view("\"\\/bfnrt").find(kind) != std::string_view::npos;
    if (rest_.size() < 4 || rest_.substr(0, 4).find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos) return false;
    rest_.remove_prefix(4);
    return true;
  }

  std::string_view rest_;
  std::string open_;        // the brackets that are open
  bool is_opened_ = false;  // the last step opened one that is not empty
};

bool is_json(std::string_view text) { return sdk::is_utf8(text) && JsonCheck(text).passes(); }

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
