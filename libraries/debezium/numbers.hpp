// Exact numbers and bytes: base64, two's complement to decimal text, exponents written out, bit strings.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "cdcrt/sdk/row_builder.hpp"

namespace cdcrt::debezium {

/// Longest decimal that an exponent may be expanded to, and longest plain number taken from JSON: digits.
constexpr std::size_t kMaximumDigits = 2000;
/// Longest unscaled value of a binary decimal, bytes: PostgreSQL's numeric has at most 147,455 digits.
constexpr std::size_t kMaximumDecimalBytes = 62 * 1024;

/// Standard or URL-safe alphabet, padding optional, into the arena. nullopt: not base64.
std::optional<std::string_view> decode_base64(std::string_view text, sdk::RowBuilder& rows);
/// Bytes that `text` stands for when it is well-formed base64.
std::size_t base64_capacity(std::string_view text);

/// Big-endian two's complement over 10^scale, digit for digit, into the arena. nullopt: no bytes, or too many.
std::optional<std::string_view> write_decimal(std::string_view unscaled, int32_t scale, sdk::RowBuilder& rows);

/// A JSON number without its exponent, borrowed when it has none, else in the arena. nullopt: too long.
std::optional<std::string_view> plain_decimal(std::string_view number, sdk::RowBuilder& rows);

/// -?digits[.digits]
bool is_plain_decimal(std::string_view text);

/// 0 and 1, most significant first, of little-endian bytes; `length` digits, or from the highest set bit when it is 0.
std::string_view write_bits(std::string_view bytes, uint32_t length, sdk::RowBuilder& rows);

/// ISO 8601 of a duration: PT-3.5S. `count` of 10^-digits seconds (6 or 9).
std::string_view write_duration(int64_t count, int digits, sdk::RowBuilder& rows);

}  // namespace cdcrt::debezium
