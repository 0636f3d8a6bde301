#include "diagnostics/text.hpp"

#include <algorithm>
#include <array>

#include "cdcrt/sdk/json_text.hpp"
#include "cdcrt/sdk/utf8.hpp"
#include "diagnostics/userinfo.hpp"

namespace cdcrt::diagnostics {
namespace {

constexpr std::size_t kMaxQuote = 80;

struct Range {
  char32_t first, last;
};
constexpr auto kZeroWidth = std::to_array<Range>({{0x0300, 0x036F},
                                                  {0x0483, 0x0489},
                                                  {0x0591, 0x05BD},
                                                  {0x0610, 0x061A},
                                                  {0x064B, 0x065F},
                                                  {0x1AB0, 0x1AFF},
                                                  {0x1DC0, 0x1DFF},
                                                  {0x200B, 0x200F},
                                                  {0x202A, 0x202E},
                                                  {0x2060, 0x2064},
                                                  {0x20D0, 0x20FF},
                                                  {0xFE00, 0xFE0F},
                                                  {0xFE20, 0xFE2F},
                                                  {0xFEFF, 0xFEFF}});
constexpr auto kWide = std::to_array<Range>({{0x1100, 0x115F},
                                             {0x2E80, 0x303E},
                                             {0x3041, 0x33FF},
                                             {0x3400, 0x4DBF},
                                             {0x4E00, 0x9FFF},
                                             {0xA000, 0xA4CF},
                                             {0xAC00, 0xD7A3},
                                             {0xF900, 0xFAFF},
                                             {0xFE30, 0xFE6F},
                                             {0xFF00, 0xFF60},
                                             {0xFFE0, 0xFFE6},
                                             {0x1F300, 0x1F64F},
                                             {0x1F900, 0x1F9FF},
                                             {0x20000, 0x3FFFD}});

template <std::size_t N>
bool contains(const std::array<Range, N>& ranges, char32_t character) {
  for (const auto& range : ranges) {
    if (character >= range.first && character <= range.last) return true;
  }
  return false;
}

std::string hex(unsigned value, int digits) {
  std::string text(static_cast<std::size_t>(digits), '0');
  for (int i = digits - 1; i >= 0; --i, value >>= 4) text[static_cast<std::size_t>(i)] = "0123456789abcdef"[value & 15U];
  return text;
}

/// Control characters, and those that reorder text so that it reads as something else.
bool is_control(char32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

}  // namespace

Character character_at(std::string_view text, std::size_t offset) {
  if (offset >= text.size()) return {};
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(offset + i < text.size() ? text[offset + i] : 0); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {first, 1, true};
  const std::size_t size = first >= 0xC2 && first < 0xE0 ? 2 : first >= 0xE0 && first < 0xF0 ? 3 : first >= 0xF0 && first < 0xF5 ? 4 : 0;
  if (size == 0) return {first, 1, false};
  char32_t code = first & (0x7FU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return {first, 1, false};
    code = (code << 6) | (byte(i) & 0x3FU);
  }
  const bool overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
  if (overlong || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return {first, 1, false};
  return {code, size, true};
}

std::string valid_utf8(std::string text) {
  if (sdk::is_utf8(text)) return text;
  std::string result;
  for (std::size_t offset = 0; offset < text.size();) {
    const Character character = character_at(text, offset);
    result += character.valid ? std::string_view(text).substr(offset, character.bytes) : std::string_view("\xEF\xBF\xBD");
    offset += character.bytes;
  }
  return result;
}

std::size_t count_characters(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t offset = 0; offset < text.size(); ++count) offset += character_at(text, offset).bytes;
  return count;
}

unsigned terminal_width(char32_t character) {
  if (character < 0x300) return 1;
  if (contains(kZeroWidth, character)) return 0;
  return contains(kWide, character) ? 2 : 1;
}

std::string printable(std::string_view text) {
  std::string result;
  for (std::size_t offset = 0; offset < text.size();) {
    const Character character = character_at(text, offset);
    if (character.valid && !is_control(character.code)) {
      result += text.substr(offset, character.bytes);
    } else if (character.code == '\n') {
      result += "\\n";
    } else if (character.code == '\t') {
      result += "\\t";
    } else if (character.code < 0x100) {
      result += "\\x" + hex(static_cast<unsigned>(character.code), 2);
    } else {
      result += "\\u" + hex(static_cast<unsigned>(character.code), 4);
    }
    offset += character.bytes;
  }
  return result;
}

std::string quote(std::string_view given) {
  // Before it is cut: what is left of an address may end before the '@' that tells.
  const std::string text = address_without_userinfo(std::string(given), Addresses::kWithScheme);
  std::size_t offset = 0, count = 0;
  while (offset < text.size() && count < kMaxQuote) {
    offset += character_at(text, offset).bytes;
    ++count;
  }
  return "'" + printable(std::string_view(text).substr(0, offset)) + (offset < text.size() ? "..." : "") + "'";
}

std::string json_string(std::string_view text) {
  std::string result;
  result.reserve(text.size() + text.size() / 16 + 2);
  result += '"';
  for (std::size_t offset = 0; offset < text.size();) {
    const Character character = character_at(text, offset);
    if (!character.valid) {
      result += "\xEF\xBF\xBD";
    } else if (character.code >= 0x20 && is_control(character.code)) {
      result += "\\u" + hex(static_cast<unsigned>(character.code), 4);
    } else {
      sdk::append_json_characters(result, text.substr(offset, character.bytes));
    }
    offset += character.bytes;
  }
  result += '"';
  return result;
}

bool equal_but_for_case(std::string_view left, std::string_view right) {
  const auto lower = [](char letter) { return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter; };
  return std::equal(left.begin(), left.end(), right.begin(), right.end(), [&](char a, char b) { return lower(a) == lower(b); });
}

}  // namespace cdcrt::diagnostics
