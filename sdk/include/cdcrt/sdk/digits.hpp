// Whole numbers in decimal digits, eight at a time. Header-only, C++17.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>

namespace cdcrt::sdk {
namespace detail {

/// Eight digits as a number; false: they are not eight digits.
inline bool eight_digits(const char* text, uint64_t& value) {
  uint64_t bytes = 0;
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  std::memcpy(&bytes, text, sizeof bytes);
#else
  for (int i = 7; i >= 0; --i) bytes = bytes << 8 | static_cast<unsigned char>(text[i]);
#endif
  constexpr uint64_t kZeros = 0x3030303030303030, kHigh = 0xF0F0F0F0F0F0F0F0, kAboveNine = 0x0606060606060606;
  if ((bytes & kHigh) != kZeros || ((bytes + kAboveNine) & kHigh) != kZeros) return false;
  bytes -= kZeros;
  bytes = bytes * 10 + (bytes >> 8);  // pairs, in every other byte
  constexpr uint64_t kPairs = 0x000000FF000000FF;
  value = ((bytes & kPairs) * (100 + (uint64_t{1'000'000} << 32)) + (bytes >> 16 & kPairs) * (1 + (uint64_t{10'000} << 32))) >> 32;
  return true;
}

}  // namespace detail

/// All of `text` as a number: decimal digits, as many as there are. False, and `value` as it was: it is none, or more than 64 bits.
inline bool parse_natural(std::string_view text, uint64_t& value) {
  constexpr std::size_t kMostDigits = std::numeric_limits<uint64_t>::digits10;  // 19, of which every number fits
  const char* at = text.data();
  std::size_t left = text.size();
  while (left > kMostDigits + 1 && *at == '0') ++at, --left;
  if (left == 0 || left > kMostDigits + 1) return false;
  const bool may_be_too_many = left > kMostDigits;
  uint64_t number = 0, eight = 0;
  for (; left >= 8; at += 8, left -= 8) {
    if (!detail::eight_digits(at, eight)) return false;
    number = number * 100'000'000 + eight;  // 16 digits at most
  }
  for (; left > 0; ++at, --left) {
    const auto digit = static_cast<uint64_t>(static_cast<unsigned char>(*at) - '0');
    if (digit > 9) return false;
    if (may_be_too_many && number > (std::numeric_limits<uint64_t>::max() - digit) / 10) return false;
    number = number * 10 + digit;
  }
  value = number;
  return true;
}

/// The same with a minus in front, or none.
inline bool parse_integer(std::string_view text, int64_t& value) {
  const bool is_negative = !text.empty() && text.front() == '-';
  uint64_t number = 0;
  if (!parse_natural(text.substr(is_negative ? 1 : 0), number)) return false;
  constexpr auto kMost = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (number > kMost + (is_negative ? 1 : 0)) return false;
  value = static_cast<int64_t>(is_negative ? 0 - number : number);
  return true;
}

}  // namespace cdcrt::sdk
