// The two parts of a JsonConverter message, found without parsing it.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace cdcrt::debezium {

/// A message of Kafka Connect's JsonConverter with schemas: an object of exactly `schema` (object or null) and `payload`.
struct ConverterMessage {
  std::string_view schema;
  std::string_view payload;
  std::size_t prefix = 0;  ///< bytes before the payload when the schema stands first and the payload is last, else 0
};
std::optional<ConverterMessage> split_converter_message(std::string_view text);

}  // namespace cdcrt::debezium
