// Texts of bit strings and durations.
#pragma once

#include <cstdint>
#include <string_view>

#include "cdcrt/sdk/row_builder.hpp"

namespace cdcrt::debezium {

/// 0 and 1, most significant first, of little-endian bytes; `length` digits, or from the highest set bit when it is 0.
std::string_view write_bits(std::string_view bytes, uint32_t length, sdk::RowBuilder& rows);

/// ISO 8601 of a duration: PT-3.5S. `count` of 10^-digits seconds (6 or 9).
std::string_view write_duration(int64_t count, int digits, sdk::RowBuilder& rows);

}  // namespace cdcrt::debezium
