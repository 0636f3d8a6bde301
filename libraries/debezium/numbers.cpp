#include "debezium/numbers.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <string>
#include <vector>

namespace cdcrt::debezium {

namespace {

constexpr std::array<int8_t, 256> kBase64 = [] {
  std::array<int8_t, 256> table{};
  for (auto& value : table) value = -1;
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < alphabet.size(); ++i) table[static_cast<unsigned char>(alphabet[i])] = static_cast<int8_t>(i);
  table['-'] = 62;
  table['_'] = 63;
  return table;
}();

__extension__ using Wide = unsigned __int128;

/// Digits of a magnitude, most significant first; `out` has room for 40.
std::size_t write_magnitude(char* out, Wide value) {
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
std::string write_large_magnitude(std::string_view bytes) {
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

/// sign, digits and the place of the point (digits after it; negative: zeros to append) as one text.
std::string_view place_point(bool negative, std::string_view digits, int64_t scale, sdk::RowBuilder& rows) {
  const auto count = static_cast<int64_t>(digits.size());
  const int64_t leading = scale >= count ? scale - count + 1 : 0;
  const int64_t trailing = scale < 0 && digits != "0" ? -scale : 0;
  char* out = rows.allocate(static_cast<uint64_t>(count + leading + trailing + 2));
  char* next = out;
  if (negative) *next++ = '-';
  const int64_t whole = scale > 0 ? count + leading - scale : count;
  for (int64_t i = 0; i < count + leading; ++i) {
    if (i == whole) *next++ = '.';
    *next++ = i < leading ? '0' : digits[static_cast<std::size_t>(i - leading)];
  }
  for (int64_t i = 0; i < trailing; ++i) *next++ = '0';
  return {out, static_cast<std::size_t>(next - out)};
}

}  // namespace

std::size_t base64_capacity(std::string_view text) {
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  return text.size() / 4 * 3 + (text.size() % 4 == 0 ? 0 : text.size() % 4 - 1);
}

std::optional<std::string_view> decode_base64(std::string_view text, sdk::RowBuilder& rows) {
  const std::size_t padded = text.size();
  for (int i = 0; i < 2 && !text.empty() && text.back() == '='; ++i) text.remove_suffix(1);
  if ((padded != text.size() && padded % 4 != 0) || text.size() % 4 == 1) return std::nullopt;
  char* out = rows.allocate(base64_capacity(text));
  char* next = out;
  uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    const int value = kBase64[static_cast<unsigned char>(c)];
    if (value < 0) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(value);
    held += 6;
    if (held >= 8) {
      held -= 8;
      *next++ = static_cast<char>(bits >> held & 0xFF);
    }
  }
  return std::string_view(out, static_cast<std::size_t>(next - out));
}

std::optional<std::string_view> write_decimal(std::string_view unscaled, int32_t scale, sdk::RowBuilder& rows) {
  if (unscaled.empty() || unscaled.size() > kMaximumDecimalBytes) return std::nullopt;
  if (scale > 200'000 || scale < -200'000) return std::nullopt;
  const bool negative = (static_cast<unsigned char>(unscaled[0]) & 0x80) != 0;
  if (unscaled.size() <= 16) {
    Wide value = negative ? ~static_cast<Wide>(0) : 0;
    for (const char byte : unscaled) value = value << 8 | static_cast<unsigned char>(byte);
    if (negative) value = 0 - value;
    char digits[40];
    std::size_t count = 0;
    if (value >> 64 == 0) {
      count = static_cast<std::size_t>(std::to_chars(digits, digits + sizeof digits, static_cast<uint64_t>(value)).ptr - digits);
    } else {
      count = write_magnitude(digits, value);
    }
    return place_point(negative, {digits, count}, scale, rows);
  }
  std::string magnitude(unscaled);
  if (negative) {
    bool carry = true;
    for (auto byte = magnitude.rbegin(); byte != magnitude.rend(); ++byte) {
      *byte = static_cast<char>(~*byte);
      if (carry) carry = ++*byte == 0;
    }
  }
  return place_point(negative, write_large_magnitude(magnitude), scale, rows);
}

bool is_plain_decimal(std::string_view text) {
  if (!text.empty() && text[0] == '-') text.remove_prefix(1);
  const std::size_t point = text.find('.');
  const auto digits = [](std::string_view part) {
    return !part.empty() && std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  return point == std::string_view::npos ? digits(text) : digits(text.substr(0, point)) && digits(text.substr(point + 1));
}

std::optional<std::string_view> plain_decimal(std::string_view number, sdk::RowBuilder& rows) {
  const std::size_t e = number.find_first_of("eE");
  if (e == std::string_view::npos) {
    if (number.size() > kMaximumDigits + 2) return std::nullopt;
    return number;
  }
  const char* begin = number.data() + e + 1;
  const char* end = number.data() + number.size();
  if (begin != end && *begin == '+') ++begin;
  int64_t exponent = 0;
  if (std::from_chars(begin, end, exponent).ec != std::errc()) return std::nullopt;
  const std::string_view mantissa = number.substr(0, e);
  if (mantissa.size() > kMaximumDigits + 2 || exponent > 1'000'000 || exponent < -1'000'000) return std::nullopt;
  const bool negative = mantissa[0] == '-';
  std::string digits;
  int64_t scale = -exponent;
  bool fraction = false;
  for (const char c : mantissa.substr(negative ? 1 : 0)) {
    if (c == '.') {
      fraction = true;
      continue;
    }
    if (fraction) ++scale;
    digits.push_back(c);
  }
  const std::size_t zeros = std::min(digits.find_first_not_of('0'), digits.size() - 1);
  digits.erase(0, zeros);
  // 1.50E2 is 150: digits after the point that are zeros by the exponent's shift alone carry nothing.
  if (scale < 0 ? static_cast<std::size_t>(-scale) + digits.size() > kMaximumDigits : static_cast<std::size_t>(scale) > kMaximumDigits) {
    if (digits != "0") return std::nullopt;
    scale = 0;
  }
  return place_point(negative, digits, scale, rows);
}

std::string_view write_bits(std::string_view bytes, uint32_t length, sdk::RowBuilder& rows) {
  const auto bit = [&](std::size_t place) {
    return place / 8 < bytes.size() && (static_cast<unsigned char>(bytes[place / 8]) >> (place % 8) & 1) != 0;
  };
  std::size_t digits = length;
  if (length == 0) {
    digits = bytes.size() * 8;
    while (digits > 1 && !bit(digits - 1)) --digits;
    if (digits == 0) digits = 1;
  }
  char* out = rows.allocate(digits);
  for (std::size_t i = 0; i < digits; ++i) out[i] = bit(digits - 1 - i) ? '1' : '0';
  return {out, digits};
}

std::string_view write_duration(int64_t count, int digits, sdk::RowBuilder& rows) {
  const uint64_t unit = digits == 6 ? 1'000'000 : 1'000'000'000;
  const uint64_t magnitude = count < 0 ? 0 - static_cast<uint64_t>(count) : static_cast<uint64_t>(count);
  char buffer[48] = "PT";
  char* next = buffer + 2;
  if (count < 0) *next++ = '-';
  next = std::to_chars(next, buffer + sizeof buffer, magnitude / unit).ptr;
  if (uint64_t rest = magnitude % unit; rest != 0) {
    *next++ = '.';
    char fraction[9];
    for (int i = digits; i > 0; --i, rest /= 10) fraction[i - 1] = static_cast<char>('0' + rest % 10);
    int used = digits;
    while (fraction[used - 1] == '0') --used;
    std::memcpy(next, fraction, static_cast<std::size_t>(used));
    next += used;
  }
  *next++ = 'S';
  return rows.copy({buffer, static_cast<std::size_t>(next - buffer)});
}

}  // namespace cdcrt::debezium
