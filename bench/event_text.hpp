// Pieces of text that generated events are made of.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cdcrt::bench {

void add_number(std::string& text, int64_t number);
void add_padded(std::string& text, int64_t number, int width);
/// JSON's escapes for the characters that occur here: quotes and backslashes.
void add_escaped(std::string& text, std::string_view raw);
/// In quotes, with those escapes.
std::string json_text(std::string_view raw);
/// In quotes, which are doubled inside.
std::string csv_text(std::string_view raw);
/// The shortest that is read back as the same number.
std::string real_text(double value);
std::string base64(std::string_view bytes);
/// Two's complement, big endian, as short as it goes.
std::string big_endian(int64_t number);
/// 2023-11-14{separator}22:13:20.000001{zone}; years 1970 to 2100 only.
void add_moment(std::string& text, int64_t microseconds, char separator, std::string_view zone);

}  // namespace cdcrt::bench
