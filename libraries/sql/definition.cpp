#include "sql/definition.hpp"

#include <algorithm>

namespace cdcrt::sql {

using sdk::Status;

std::vector<const cdcrt_column*> key_columns(const cdcrt_column* columns, uint32_t count) {
  std::vector<const cdcrt_column*> keys;
  for (uint32_t i = 0; i < count; ++i) {
    if (columns[i].key_ordinal > 0) keys.push_back(&columns[i]);
  }
  std::stable_sort(keys.begin(), keys.end(), [](const auto* left, const auto* right) { return left->key_ordinal < right->key_ordinal; });
  return keys;
}

bool has_default(const cdcrt_column& column) { return (column.flags & CDCRT_COLUMN_DEFAULT) != 0 && column.default_value.tag > CDCRT_NULL; }

std::string_view requested_type(const cdcrt_column& column) {
  return column.target_type.data == nullptr ? std::string_view() : sdk::view(column.target_type);
}

Status append_names(std::string& out, const std::vector<const cdcrt_column*>& columns, const AppendColumn& name) {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (i > 0) out += ", ";
    Status status = name(out, *columns[i]);
    if (!status) return status;
  }
  return {};
}

Status append_create_table(std::string& out, std::string_view quoted_table, const cdcrt_column* columns, uint32_t count, bool declares_key,
                           const AppendColumn& name, const AppendColumn& definition) {
  out += "CREATE TABLE IF NOT EXISTS ";
  out += quoted_table;
  out += " (";
  for (uint32_t i = 0; i < count; ++i) {
    if (i > 0) out += ", ";
    Status status = definition(out, columns[i]);
    if (!status) return status;
    if (columns[i].key_ordinal > 0) out += " NOT NULL";
  }
  const auto keys = key_columns(columns, count);
  if (declares_key && !keys.empty()) {
    out += ", PRIMARY KEY (";
    Status status = append_names(out, keys, name);
    if (!status) return status;
    out += ')';
  }
  out += ')';
  return {};
}

}  // namespace cdcrt::sql
