// Hexadecimal digits. Header-only, C++17.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cdcrt::sdk {

inline constexpr char kHexDigits[] = "0123456789abcdef";

/// Two lower-case digits.
inline void append_hex(std::string& out, unsigned char byte) {
  out += kHexDigits[byte >> 4];
  out += kHexDigits[byte & 15];
}

inline std::string encode_hex(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char byte : bytes) append_hex(out, static_cast<unsigned char>(byte));
  return out;
}

/// 0 to 15 of a digit in either case; -1 of anything else.
constexpr int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/// Writes text.size() / 2 bytes; false when `text` is no pairs of digits, in either case.
inline bool decode_hex(std::string_view text, char* out) {
  if (text.size() % 2 != 0) return false;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_value(text[i]);
    const int low = hex_value(text[i + 1]);
    if (high < 0 || low < 0) return false;
    *out++ = static_cast<char>(high << 4 | low);
  }
  return true;
}

inline std::optional<std::string> decode_hex(std::string_view text) {
  std::string out(text.size() / 2, '\0');
  if (!decode_hex(text, out.data())) return std::nullopt;
  return out;
}

}  // namespace cdcrt::sdk
