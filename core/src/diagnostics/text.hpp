// Text that others wrote, made safe to print, and its measures in characters and terminal columns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace cdcrt::diagnostics {

/// One character of UTF-8. Bytes that are not valid count as one character each.
struct Character {
  char32_t code = 0;
  std::size_t bytes = 0;  ///< 0 only at the end
  bool valid = true;
};
Character character_at(std::string_view text, std::size_t offset);

/// The text with U+FFFD in place of each invalid byte: what can be kept in a database and in JSON.
std::string valid_utf8(std::string text);

std::size_t count_characters(std::string_view text);

/// Equal but for the case of ASCII letters.
bool equal_but_for_case(std::string_view left, std::string_view right);

/// Columns of a terminal: 0 for combining characters, 2 for wide ones.
unsigned terminal_width(char32_t character);

/// Control characters and invalid bytes as \n, \t, \x1b: nothing that moves a cursor passes.
std::string printable(std::string_view text);

/// 'text', printable, cut after 80 characters.
std::string quote(std::string_view text);

/// A JSON string with its quotes; invalid bytes become U+FFFD.
std::string json_string(std::string_view text);

}  // namespace cdcrt::diagnostics
