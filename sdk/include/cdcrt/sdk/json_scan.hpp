// Extents of JSON values in a text, without parsing it. Header-only, C++17.
#pragma once

#include <cstddef>
#include <string_view>

namespace cdcrt::sdk {

constexpr bool is_json_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

/// Behind the closing quote of the string whose opening one stands at `quote`; npos when the text ends first.
inline std::size_t skip_json_string(std::string_view text, std::size_t quote) {
  for (std::size_t i = quote + 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

/// First byte at or after `begin` that is no JSON white space.
inline std::size_t skip_json_space(std::string_view text, std::size_t begin) {
  while (begin < text.size() && is_json_space(text[begin])) ++begin;
  return begin;
}

/// Where the value that begins at `text[begin]` (no white space before it) ends; npos when the text ends first. Strings and
/// brackets are followed, nothing else is checked. Iterative: safe for any nesting.
inline std::size_t skip_json_value(std::string_view text, std::size_t begin) {
  if (begin >= text.size()) return std::string_view::npos;
  if (text[begin] == '"') return skip_json_string(text, begin);
  if (text[begin] != '{' && text[begin] != '[') {
    std::size_t end = begin;
    while (end < text.size() && text[end] != ',' && text[end] != '}' && text[end] != ']' && !is_json_space(text[end])) ++end;
    return end;
  }
  std::size_t depth = 0;
  for (std::size_t i = begin; i < text.size();) {
    const char c = text[i];
    if (c == '"') {
      i = skip_json_string(text, i);
      if (i == std::string_view::npos) return std::string_view::npos;
      continue;
    }
    ++i;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) return i;
  }
  return std::string_view::npos;
}

}  // namespace cdcrt::sdk
