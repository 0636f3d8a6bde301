// The table that a topic stands for, for events that do not name their table.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cdcrt/sdk/status.hpp"

namespace cdcrt::debezium {

/// Parts that the source does not have are empty.
struct TableName {
  std::string database, schema, table;
};

/// The option table_from_topic.
class TopicRule {
 public:
  /// "true" or empty: the last part of the topic is the table, the one before the schema when there are three or more.
  /// "false": never. A pattern of parts with {database}, {schema}, {table}, {any}, matched against the last parts of the topic;
  /// "re:" and a POSIX extended regular expression with groups named (?<database>...), (?<schema>...), (?<table>...), matched
  /// against the whole topic.
  static sdk::Status parse(std::string_view option, TopicRule& rule);

  /// The option was given: the topic decides, whatever a flattened event says.
  [[nodiscard]] bool is_given() const { return given_; }
  [[nodiscard]] std::optional<TableName> table(std::string_view topic) const;

 private:
  enum class Way { kDefault, kNever, kPattern, kExpression };
  Way way_ = Way::kDefault;
  bool given_ = false;
  std::vector<std::string> parts_;   ///< kPattern
  std::string expression_;           ///< kExpression, without names
  std::vector<std::string> groups_;  ///< kExpression: name of each group, empty for unnamed ones
};

}  // namespace cdcrt::debezium
