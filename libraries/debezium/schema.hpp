// Connect schemas as JsonConverter writes them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cdcrt::debezium {

/// One node of a schema. Owned by its parent; immutable after parsing.
struct ConnectSchema {
  std::string type;   ///< int8 .. int64, float, double, boolean, string, bytes, array, map, struct
  std::string name;   ///< semantic type: io.debezium.time.Date; empty when there is none
  std::string field;  ///< name within the enclosing struct
  bool optional = false;
  std::optional<std::string> default_json;  ///< JSON text of the default
  std::vector<std::pair<std::string, std::string>> parameters;
  std::vector<ConnectSchema> fields;     ///< struct
  std::unique_ptr<ConnectSchema> items;  ///< array; values of a map

  /// nullptr when there is no such parameter.
  [[nodiscard]] const std::string* parameter(std::string_view key) const;
  /// nullptr when there is no such field.
  [[nodiscard]] const ConnectSchema* find(std::string_view field_name) const;
};

/// `problem` says why when nothing is answered.
std::optional<ConnectSchema> parse_schema(std::string_view json, std::string& problem);

}  // namespace cdcrt::debezium
