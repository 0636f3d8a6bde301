// UTF-8: validity, counting and cutting by characters (code points), writing one. Header-only, C++17.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace cdcrt::sdk {

namespace detail {

/// Bytes of the multi-byte character at `at`; 0 when it is malformed: overlong forms, surrogates, code points past U+10FFFF.
inline std::size_t utf8_sequence(const unsigned char* bytes, std::size_t size, std::size_t at) {
  const unsigned char lead = bytes[at];
  std::size_t length = 0;
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
  }
  if (length == 0 || at + length > size || bytes[at + 1] < low || bytes[at + 1] > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((bytes[at + i] & 0xC0) != 0x80) return 0;
  }
  return length;
}

constexpr bool continues_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

}  // namespace detail

/// Offset of the first byte that is not well-formed UTF-8; npos when all is well.
inline std::size_t find_invalid_utf8(std::string_view text) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  const std::size_t size = text.size();
  std::size_t at = 0;
  while (at < size) {
    while (at + 32 <= size) {  // most texts are ASCII
      uint64_t words[4];
      std::memcpy(words, bytes + at, sizeof words);
      if (((words[0] | words[1] | words[2] | words[3]) & 0x8080808080808080ULL) != 0) break;
      at += 32;
    }
    const std::size_t stop = at + 32 < size ? at + 32 : size;
    while (at < stop) {
      if (bytes[at] < 0x80) {
        ++at;
        continue;
      }
      const std::size_t length = detail::utf8_sequence(bytes, size, at);
      if (length == 0) return at;
      at += length;
    }
  }
  return std::string_view::npos;
}

inline bool is_utf8(std::string_view text) { return find_invalid_utf8(text) == std::string_view::npos; }

/// Code points of valid UTF-8; in broken text, bytes that start nothing count as none.
inline std::size_t count_characters(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) count += detail::continues_character(c) ? 0 : 1;
  return count;
}

/// The longest beginning of `text` with at most `characters` code points.
inline std::string_view first_characters(std::string_view text, std::size_t characters) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!detail::continues_character(text[i]) && count++ == characters) return text.substr(0, i);
  }
  return text;
}

/// `character`: a code point that is no surrogate, at most U+10FFFF.
inline void append_utf8(std::string& out, uint32_t character) {
  if (character < 0x80) {
    out += static_cast<char>(character);
    return;
  }
  if (character < 0x800) {
    out += static_cast<char>(0xC0 | (character >> 6));
  } else {
    if (character < 0x10000) {
      out += static_cast<char>(0xE0 | (character >> 12));
    } else {
      out += static_cast<char>(0xF0 | (character >> 18));
      out += static_cast<char>(0x80 | ((character >> 12) & 0x3F));
    }
    out += static_cast<char>(0x80 | ((character >> 6) & 0x3F));
  }
  out += static_cast<char>(0x80 | (character & 0x3F));
}

}  // namespace cdcrt::sdk
