#include "dialect.hpp"

#include <algorithm>

#include "sql/identifier.hpp"

namespace cdcrt::sql {

using sdk::Status;

Status Dialect::append_table(std::string& out, const cdcrt_table& table) const {
  if (has_schemas() && table.schema.data != nullptr) {
    Status status = append_identifier(out, sdk::view(table.schema), name_limit(), "schema");
    if (!status) return status;
    out += '.';
  }
  return append_identifier(out, sdk::view(table.name), name_limit(), "table");
}

Status Dialect::append_column(std::string& out, std::string_view name) const { return append_identifier(out, name, name_limit(), "column"); }

std::string Dialect::column_type(const cdcrt_column& column) const {
  if (column.target_type.data != nullptr && column.target_type.size != 0) return std::string(sdk::view(column.target_type));
  return type_name(types(), column.type);
}

std::string Dialect::key_column_type(const cdcrt_column& column, bool /*only_key*/) const { return column_type(column); }

Status Dialect::append_definition(std::string& out, const cdcrt_column& column, bool only_key) const {
  Status status = append_column(out, sdk::view(column.name));
  if (!status) return status;
  out += ' ';
  out += column.key_ordinal > 0 ? key_column_type(column, only_key) : column_type(column);
  if ((column.flags & CDCRT_COLUMN_DEFAULT) != 0 && column.default_value.tag > CDCRT_NULL) {
    out += " DEFAULT ";
    status = append_default(out, column);
  }
  return status;
}

Status Dialect::create_table(std::string& out, const cdcrt_table& table, const cdcrt_column* columns, uint32_t count) const {
  out += "CREATE TABLE IF NOT EXISTS ";
  Status status = append_table(out, table);
  if (!status) return status;
  std::vector<const cdcrt_column*> keys;
  for (uint32_t i = 0; i < count; ++i) {
    if (columns[i].key_ordinal > 0) keys.push_back(&columns[i]);
  }
  std::stable_sort(keys.begin(), keys.end(), [](const auto* left, const auto* right) { return left->key_ordinal < right->key_ordinal; });
  out += " (";
  for (uint32_t i = 0; i < count; ++i) {
    if (i > 0) out += ", ";
    status = append_definition(out, columns[i], keys.size() == 1);
    if (!status) return status;
    if (columns[i].key_ordinal > 0) out += " NOT NULL";
  }
  if (!keys.empty()) {
    out += ", PRIMARY KEY (";
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (i > 0) out += ", ";
      status = append_column(out, sdk::view(keys[i]->name));
      if (!status) return status;
    }
    out += ')';
  }
  out += ')';
  return {};
}

Status Dialect::add_column(std::string& out, const cdcrt_table& table, const cdcrt_column& column, bool if_not_exists) const {
  out += "ALTER TABLE ";
  Status status = append_table(out, table);
  if (!status) return status;
  out += if_not_exists ? " ADD COLUMN IF NOT EXISTS " : " ADD COLUMN ";
  cdcrt_column plain = column;
  plain.key_ordinal = 0;
  return append_definition(out, plain, false);
}

Status Dialect::drop_column(std::string& out, const cdcrt_table& table, std::string_view column, bool if_exists) const {
  out += "ALTER TABLE ";
  Status status = append_table(out, table);
  if (!status) return status;
  out += if_exists ? " DROP COLUMN IF EXISTS " : " DROP COLUMN ";
  return append_column(out, column);
}

}  // namespace cdcrt::sql
