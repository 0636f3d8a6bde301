#include "debezium/numbers.hpp"

#include <charconv>
#include <cstring>

namespace cdcrt::debezium {

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
