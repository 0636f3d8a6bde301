// Looking at JSON bytes without parsing them: extents of values, the two parts of a JsonConverter message, UTF-8.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace cdcrt::debezium {

/// Where the value that begins at `text[begin]` (no white space before it) ends; npos when the text ends first. Strings and
/// brackets are followed, nothing else is checked. Iterative: safe for any nesting.
std::size_t skip_value(std::string_view text, std::size_t begin);

/// First byte at or after `begin` that is no JSON white space.
std::size_t skip_space(std::string_view text, std::size_t begin);

/// A message of Kafka Connect's JsonConverter with schemas: an object of exactly `schema` (object or null) and `payload`.
struct ConverterMessage {
  std::string_view schema;
  std::string_view payload;
  std::size_t prefix = 0;  ///< bytes before the payload when the schema stands first and the payload is last, else 0
};
std::optional<ConverterMessage> split_converter_message(std::string_view text);

/// Offset of the first byte that is not well-formed UTF-8 (overlong forms and surrogates are not); npos when all is well.
std::size_t find_invalid_utf8(std::string_view text);

}  // namespace cdcrt::debezium
