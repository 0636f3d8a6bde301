// Whether a text is JSON. Header-only, C++17; needs no parser.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace cdcrt::sdk {

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
  // Takes digits from the front; false: there are none.
  static bool take_digits(std::string_view& text) {
    const std::size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
    text.remove_prefix(end);
    return end > 0;
  }
  static bool take(std::string_view& text, char c) {
    if (text.empty() || text.front() != c) return false;
    text.remove_prefix(1);
    return true;
  }

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
    if (rest_.substr(0, wanted.size()) != wanted) return false;
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

/// The text, which is UTF-8, is one JSON value.
inline bool is_json(std::string_view text) { return JsonCheck(text).passes(); }

}  // namespace cdcrt::sdk
