// Bytes that stand in texts, and numbers that stand in bytes, into the arena. Header-only, C++17.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cdcrt/sdk/base64.hpp"
#include "cdcrt/sdk/decimal.hpp"
#include "cdcrt/sdk/hex.hpp"
#include "cdcrt/sdk/row_builder.hpp"

namespace cdcrt::sdk {

/// Longest unscaled value of a binary decimal, bytes: PostgreSQL's numeric has at most 147,455 digits.
inline constexpr std::size_t kMaximumDecimalBytes = 62 * 1024;

namespace detail {

__extension__ using Wide = unsigned __int128;

/// Digits of a magnitude, most significant first; `out` has room for 40.
inline std::size_t write_magnitude(char* out, Wide value) {
  char reversed[40];
  std::size_t count = 0;
  do {
    reversed[count++] = static_cast<char>('0' + static_cast<int>(value % 10));
    value /= 10;
  } while (value != 0);
  std::reverse_copy(reversed, reversed + count, out);
  return count;
}

/// Digits of a big-endian magnitude of any length.
inline std::string write_large_magnitude(std::string_view bytes) {
  std::vector<uint32_t> limbs;  // most significant first
  limbs.reserve(bytes.size() / 4 + 1);
  std::size_t first = bytes.size() % 4;
  if (first == 0) first = 4;
  for (std::size_t at = 0; at < bytes.size(); at += at == 0 ? first : 4) {
    const std::size_t length = at == 0 ? first : 4;
    uint32_t limb = 0;
    for (std::size_t i = 0; i < length; ++i) limb = limb << 8 | static_cast<unsigned char>(bytes[at + i]);
    limbs.push_back(limb);
  }
  std::string reversed;
  std::size_t head = 0;
  while (head < limbs.size()) {
    uint64_t rest = 0;
    for (std::size_t i = head; i < limbs.size(); ++i) {
      const uint64_t value = rest << 32 | limbs[i];
      limbs[i] = static_cast<uint32_t>(value / 1'000'000'000);
      rest = value % 1'000'000'000;
    }
    for (int i = 0; i < 9; ++i, rest /= 10) reversed.push_back(static_cast<char>('0' + rest % 10));
    while (head < limbs.size() && limbs[head] == 0) ++head;
  }
  while (reversed.size() > 1 && reversed.back() == '0') reversed.pop_back();
  std::reverse(reversed.begin(), reversed.end());
  return reversed;
}

}  // namespace detail

/// The bytes of a base64 text (see base64.hpp); nullopt when it is none.
inline std::optional<std::string_view> decode_base64(std::string_view text, RowBuilder& rows) {
  const std::size_t bound = base64_decoded_bound(text.size());
  char* out = rows.allocate(bound);
  const auto size = decode_base64(text, out);
  rows.give_back(out, bound, out + size.value_or(0));
  if (!size) return std::nullopt;
  return std::string_view(out, *size);
}

/// The bytes of pairs of hexadecimal digits; nullopt when it is none.
inline std::optional<std::string_view> decode_hex(std::string_view text, RowBuilder& rows) {
  char* out = rows.allocate(text.size() / 2);
  if (!decode_hex(text, out)) return std::nullopt;
  return std::string_view(out, text.size() / 2);
}

/// The decimal text of a big-endian two's complement over 10^scale, digit for digit. nullopt: no bytes, or too many.
inline std::optional<std::string_view> write_decimal(std::string_view unscaled, int32_t scale, RowBuilder& rows) {
  if (unscaled.empty() || unscaled.size() > kMaximumDecimalBytes) return std::nullopt;
  if (scale > 200'000 || scale < -200'000) return std::nullopt;
  const bool negative = (static_cast<unsigned char>(unscaled[0]) & 0x80) != 0;
  if (unscaled.size() <= 16) {
    detail::Wide value = negative ? ~static_cast<detail::Wide>(0) : 0;
    for (const char byte : unscaled) value = value << 8 | static_cast<unsigned char>(byte);
    if (negative) value = 0 - value;
    char digits[40];
    std::size_t count = 0;
    if (value >> 64 == 0) {
      count = static_cast<std::size_t>(std::to_chars(digits, digits + sizeof digits, static_cast<uint64_t>(value)).ptr - digits);
    } else {
      count = detail::write_magnitude(digits, value);
    }
    return detail::place_point(negative, {digits, count}, scale, rows);
  }
  std::string magnitude(unscaled);
  if (negative) {
    bool carry = true;
    for (auto byte = magnitude.rbegin(); byte != magnitude.rend(); ++byte) {
      *byte = static_cast<char>(~*byte);
      if (carry) carry = ++*byte == 0;
    }
  }
  return detail::place_point(negative, detail::write_large_magnitude(magnitude), scale, rows);
}

}  // namespace cdcrt::sdk
