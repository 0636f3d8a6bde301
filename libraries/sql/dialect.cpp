#include "sql/dialect.hpp"

#include "sql/definition.hpp"
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

Status Dialect::append_column(std::string& out, std::string_view name) const {
  return append_identifier(out, name, name_limit(), "column");
}

std::string Dialect::column_type(const cdcrt_column& column) const {
  const std::string_view requested = requested_type(column);
  return requested.empty() ? type_name(types(), column.type) : std::string(requested);
}

std::string Dialect::key_column_type(const cdcrt_column& column, bool /*only_key*/) const { return column_type(column); }

Status Dialect::append_definition(std::string& out, const cdcrt_column& column, bool only_key) const {
  Status status = append_column(out, sdk::view(column.name));
  if (!status) return status;
  out += ' ';
  out += column.key_ordinal > 0 ? key_column_type(column, only_key) : column_type(column);
  if (has_default(column)) {
    out += " DEFAULT ";
    status = append_default(out, column);
  }
  return status;
}

Status Dialect::create_table(std::string& out, const cdcrt_table& table, const cdcrt_column* columns, uint32_t count) const {
  std::string quoted;
  Status status = append_table(quoted, table);
  if (!status) return status;
  const bool only_key = key_columns(columns, count).size() == 1;
  return append_create_table(
      out, quoted, columns, count, true,
      [&](std::string& text, const cdcrt_column& column) { return append_column(text, sdk::view(column.name)); },
      [&](std::string& text, const cdcrt_column& column) { return append_definition(text, column, only_key); });
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

Status Dialect::rename_column(std::vector<std::string>& out, const cdcrt_table& table, std::string_view former, std::string_view name,
                              bool merges) const {
  std::string quoted, from, to;
  Status status = append_table(quoted, table);
  if (status) status = append_column(from, former);
  if (status) status = append_column(to, name);
  if (!status) return status;
  if (merges) {
    out.push_back("UPDATE " + quoted + " SET " + from + " = " + to + " WHERE " + to + " IS NOT NULL");
    out.push_back("ALTER TABLE " + quoted + " DROP COLUMN " + to);
  }
  out.push_back("ALTER TABLE " + quoted + " RENAME COLUMN " + from + " TO " + to);
  return {};
}

}  // namespace cdcrt::sql
