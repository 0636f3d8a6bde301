// UTF-8: validity, counting characters (code points), cutting between them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cdcrt::types {

/// Code points of valid UTF-8; in broken text, bytes that start nothing count as none.
inline std::size_t count_characters(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<uint8_t>(c) & 0xC0) != 0x80 ? 1 : 0;
  return count;
}

/// The longest beginning of `text` with at most `characters` code points.
inline std::string_view first_characters(std::string_view text, std::size_t characters) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<uint8_t>(text[i]) & 0xC0) != 0x80 && count++ == characters) return text.substr(0, i);
  }
  return text;
}

/// No overlong forms, surrogates, or code points past U+10FFFF.
inline bool is_utf8(std::string_view text) {
  const auto* next = reinterpret_cast<const uint8_t*>(text.data());
  const auto* const end = next + text.size();
  while (next != end) {
    const uint8_t lead = *next++;
    if (lead < 0x80) continue;
    const int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    if (lead < 0xC2 || lead > 0xF4 || end - next < more) return false;
    const uint8_t second = *next;
    if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) || (lead == 0xF0 && second < 0x90) ||
        (lead == 0xF4 && second > 0x8F)) {
      return false;
    }
    for (int i = 0; i < more; ++i) {
      if ((*next++ & 0xC0) != 0x80) return false;
    }
  }
  return true;
}

}  // namespace cdcrt::types
