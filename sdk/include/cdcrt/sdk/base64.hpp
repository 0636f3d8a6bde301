// Base64 (RFC 4648): encodes with the standard alphabet, decodes the standard and the URL-safe one. Header-only, C++17.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cdcrt::sdk {

namespace detail {

inline constexpr char kBase64Alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
inline constexpr char kBase64UrlAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array<uint8_t, 256> base64_values() {
  std::array<uint8_t, 256> values{};
  for (auto& value : values) value = 0xFF;
  for (uint8_t i = 0; i < 64; ++i) {
    values[static_cast<uint8_t>(kBase64Alphabet[i])] = i;
    values[static_cast<uint8_t>(kBase64UrlAlphabet[i])] = i;
  }
  return values;
}
inline constexpr auto kBase64Values = base64_values();

}  // namespace detail

/// Characters that `bytes` bytes take, padding included.
constexpr std::size_t base64_size(std::size_t bytes) { return (bytes + 2) / 3 * 4; }

/// Writes base64_size(bytes.size()) characters.
inline void encode_base64(std::string_view bytes, char* out, const char* alphabet = detail::kBase64Alphabet) {
  const auto at = [&](std::size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(bytes[i])); };
  std::size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3) {
    const uint32_t group = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
    *out++ = alphabet[group >> 18];
    *out++ = alphabet[group >> 12 & 63];
    *out++ = alphabet[group >> 6 & 63];
    *out++ = alphabet[group & 63];
  }
  const std::size_t rest = bytes.size() - i;
  if (rest == 0) return;
  const uint32_t group = at(i) << 16 | (rest == 2 ? at(i + 1) << 8 : 0);
  *out++ = alphabet[group >> 18];
  *out++ = alphabet[group >> 12 & 63];
  *out++ = rest == 2 ? alphabet[group >> 6 & 63] : '=';
  *out = '=';
}

inline std::string encode_base64(std::string_view bytes) {
  std::string out(base64_size(bytes.size()), '\0');
  encode_base64(bytes, out.data());
  return out;
}

/// The URL-safe alphabet, without padding.
inline std::string encode_base64_url(std::string_view bytes) {
  std::string out(base64_size(bytes.size()), '\0');
  encode_base64(bytes, out.data(), detail::kBase64UrlAlphabet);
  while (!out.empty() && out.back() == '=') out.pop_back();
  return out;
}

/// At most this many bytes come out of `characters`.
constexpr std::size_t base64_decoded_bound(std::size_t characters) { return characters / 4 * 3 + 3; }

/// Writes at most base64_decoded_bound(text.size()) bytes; the answer is how many. Padding may be missing, but not wrong; white
/// space, left-over bits that are not zero and anything else is refused with nullopt.
inline std::optional<std::size_t> decode_base64(std::string_view text, char* out) {
  const std::size_t full = text.size();
  for (int i = 0; i < 2 && !text.empty() && text.back() == '='; ++i) text.remove_suffix(1);
  if (text.size() != full && full % 4 != 0) return std::nullopt;
  if (text.size() % 4 == 1) return std::nullopt;
  const char* const begin = out;
  uint32_t group = 0;
  unsigned bits = 0;
  for (const char c : text) {
    const uint8_t value = detail::kBase64Values[static_cast<uint8_t>(c)];
    if (value == 0xFF) return std::nullopt;
    group = (group << 6 | value) & 0xFFFF;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      *out++ = static_cast<char>(group >> bits);
    }
  }
  if ((group & ((1U << bits) - 1)) != 0) return std::nullopt;
  return static_cast<std::size_t>(out - begin);
}

inline std::optional<std::string> decode_base64(std::string_view text) {
  std::string out(base64_decoded_bound(text.size()), '\0');
  const auto size = decode_base64(text, out.data());
  if (!size) return std::nullopt;
  out.resize(*size);
  return out;
}

}  // namespace cdcrt::sdk
