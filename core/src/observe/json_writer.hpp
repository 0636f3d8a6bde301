// JsonWriter: JSON text, member by member.
#pragma once

#include <charconv>
#include <cmath>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>

#include "diagnostics/text.hpp"

namespace cdcrt::observe {

/// The caller keeps the order: what is begun is ended. Commas are set by themselves.
class JsonWriter {
 public:
  void begin(std::string_view key, char bracket) {
    name(key);
    out_ += bracket;
    is_first_ = true;
  }
  void end(char bracket) {
    out_ += bracket;
    is_first_ = false;
  }
  void member(std::string_view key, std::string_view text) {
    name(key);
    out_ += diagnostics::json_string(text);
  }
  void member(std::string_view key, const std::string& text) { member(key, std::string_view(text)); }
  void member(std::string_view key, const char* text) { member(key, std::string_view(text)); }
  template <std::same_as<bool> Bool>
  void member(std::string_view key, Bool yes) {
    name(key);
    out_ += yes ? "true" : "false";
  }
  template <class Number>
  requires((std::integral<Number> && !std::same_as<Number, bool>) || std::floating_point<Number>) void member(std::string_view key,
                                                                                                              Number value) {
    name(key);
    char digits[64];
    if constexpr (std::floating_point<Number>) {
      out_.append(digits, std::to_chars(digits, digits + sizeof digits, value, std::chars_format::fixed, 3).ptr);
    } else {
      out_.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
    }
  }
  /// null where it is not known
  template <class Value>
  void member(std::string_view key, const std::optional<Value>& value) {
    if (value) return member(key, *value);
    name(key);
    out_ += "null";
  }
  std::string take() { return std::move(out_); }

 private:
  /// Empty: an element of a list.
  void name(std::string_view key) {
    if (!is_first_) out_ += ',';
    is_first_ = false;
    if (key.empty()) return;
    ((out_ += '"') += key) += "\":";
  }

  std::string out_;
  bool is_first_ = true;
};

}  // namespace cdcrt::observe
