#include "event_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

namespace cdcrt::bench {
namespace {

constexpr int64_t kDay = 86'400'000'000;  // microseconds

}  // namespace

void add_number(std::string& text, int64_t number) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  text.append(digits.data(), end);
}

void add_padded(std::string& text, int64_t number, int width) {
  std::string digits = std::to_string(number);
  text.append(static_cast<std::size_t>(width) > digits.size() ? static_cast<std::size_t>(width) - digits.size() : 0, '0');
  text += digits;
}

void add_escaped(std::string& text, std::string_view raw) {
  for (const char character : raw) {
    if (character == '"' || character == '\\') text += '\\';
    text += character;
  }
}

std::string json_text(std::string_view raw) {
  std::string text = "\"";
  add_escaped(text, raw);
  return text + '"';
}

std::string csv_text(std::string_view raw) {
  std::string text = "\"";
  for (const char character : raw) text.append(character == '"' ? 2 : 1, character);
  return text + '"';
}

std::string real_text(double value) {
  std::array<char, 32> digits{};
  return {digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr};
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) group = group << 8 | (at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0);
    for (std::size_t i = 0; i < 4; ++i) text += i <= bytes.size() - at ? kAlphabet[group >> (18 - 6 * i) & 63] : '=';
  }
  return text;
}

std::string big_endian(int64_t number) {
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(static_cast<uint64_t>(number) >> shift & 0xff);
  std::size_t skip = 0;
  while (skip < 7 && ((bytes[skip] == 0 && (bytes[skip + 1] & 0x80) == 0) || (bytes[skip] == '\xff' && (bytes[skip + 1] & 0x80) != 0)))
    ++skip;
  return bytes.substr(skip);
}

void add_moment(std::string& text, int64_t microseconds, char separator, std::string_view zone) {
  const int64_t days = microseconds / kDay + 719468;
  const int64_t era = days / 146097, of_era = days % 146097;
  const int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  const int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t shifted = (5 * of_year + 2) / 153;
  const int64_t month = shifted < 10 ? shifted + 3 : shifted - 9;
  const int64_t rest = microseconds % kDay;
  add_padded(text, year_of_era + era * 400 + (month <= 2 ? 1 : 0), 4);
  text += '-';
  add_padded(text, month, 2);
  text += '-';
  add_padded(text, of_year - (153 * shifted + 2) / 5 + 1, 2);
  text += separator;
  add_padded(text, rest / 3'600'000'000, 2);
  text += ':';
  add_padded(text, rest / 60'000'000 % 60, 2);
  text += ':';
  add_padded(text, rest / 1'000'000 % 60, 2);
  text += '.';
  add_padded(text, rest % 1'000'000, 6);
  text += zone;
}

}  // namespace cdcrt::bench
