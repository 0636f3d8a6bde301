// is_json: whether a text is JSON, exactly as RFC 8259 says. Header-only, C++17.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "cdcrt/sdk/utf8.hpp"

namespace cdcrt::sdk {
namespace detail {

/// Moves over a text; every take_ answers whether what it names was there.
class JsonCursor {
 public:
  explicit JsonCursor(std::string_view text) : rest_(text) {}

  /// One value and the end. Open arrays and objects are kept as bits, not as calls: depth costs no stack.
  bool take_document() {
    std::vector<bool> in_object;
    for (;;) {
      // At a value.
      skip_space();
      if (take('{')) {
        skip_space();
        if (!take('}')) {
          if (!take_name()) return false;
          in_object.push_back(true);
          continue;
        }
      } else if (take('[')) {
        skip_space();
        if (!take(']')) {
          in_object.push_back(false);
          continue;
        }
      } else if (!take_scalar()) {
        return false;
      }
      // Behind a value: close what ends here.
      for (;;) {
        skip_space();
        if (in_object.empty()) return rest_.empty();
        if (take(',')) {
          if (in_object.back()) {
            skip_space();
            if (!take_name()) return false;
          }
          break;
        }
        if (!take(in_object.back() ? '}' : ']')) return false;
        in_object.pop_back();
      }
    }
  }

 private:
  bool take(char wanted) {
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool take_word(std::string_view word) {
    if (rest_.substr(0, word.size()) != word) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  void skip_space() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t' || rest_.front() == '\n' || rest_.front() == '\r'))
      rest_.remove_prefix(1);
  }
  bool take_digits() {
    std::size_t count = 0;
    while (count < rest_.size() && rest_[count] >= '0' && rest_[count] <= '9') ++count;
    rest_.remove_prefix(count);
    return count > 0;
  }
  bool take_scalar() {
    if (rest_.empty()) return false;
    switch (rest_.front()) {
      case '"': return take_string();
      case 't': return take_word("true");
      case 'f': return take_word("false");
      case 'n': return take_word("null");
      default: return take_number();
    }
  }
  bool take_number() {
    take('-');
    if (!take('0') && !take_digits()) return false;
    if (take('.') && !take_digits()) return false;
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      return take_digits();
    }
    return true;
  }
  bool take_string() {
    if (!take('"')) return false;
    for (;;) {
      std::size_t plain = 0;
      while (plain < rest_.size() && rest_[plain] != '"' && rest_[plain] != '\\' && static_cast<unsigned char>(rest_[plain]) >= 0x20)
        ++plain;
      rest_.remove_prefix(plain);
      if (take('"')) return true;
      if (!take('\\') || rest_.empty()) return false;
      const char escape = rest_.front();
      rest_.remove_prefix(1);
      if (escape == 'u') {
        if (rest_.size() < 4 || rest_.substr(0, 4).find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos) return false;
        rest_.remove_prefix(4);
      } else if (std::string_view("\"\\/bfnrt").find(escape) == std::string_view::npos) {
        return false;
      }
    }
  }
  bool take_name() {
    if (!take_string()) return false;
    skip_space();
    return take(':');
  }

  std::string_view rest_;
};

}  // namespace detail

/// The text is one JSON value, perhaps with white space around it, and valid UTF-8. Any number of digits, any depth of nesting.
inline bool is_json(std::string_view text) { return is_utf8(text) && detail::JsonCursor(text).take_document(); }

/// The same of an array, which begins with its bracket.
inline bool is_json_array(std::string_view text) { return !text.empty() && text.front() == '[' && is_json(text); }

}  // namespace cdcrt::sdk
