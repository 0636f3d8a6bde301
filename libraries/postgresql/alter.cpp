#include "postgresql/alter.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "postgresql/catalog.hpp"
#include "postgresql/session.hpp"
#include "postgresql/value.hpp"
#include "sql/identifier.hpp"

namespace cdcrt::postgresql {

using sdk::Status;
using sql::Moment;

Status ensure_schema(sql::Session& session, const sql::Dialect& dialect, const cdcrt_table& table, const std::string& what) {
  // Asked for first: CREATE SCHEMA IF NOT EXISTS needs a right that a loader need not have.
  std::string text;
  bool null = false;
  Status status =
      answer(session, "SELECT 1::text FROM pg_catalog.pg_namespace WHERE nspname = ?::text", {sdk::view(table.schema)}, text, null, what);
  if (!status || !null) return status;
  std::string create = "CREATE SCHEMA IF NOT EXISTS ";
  status = sql::append_identifier(create, sdk::view(table.schema), dialect.name_limit(), "schema");
  return status ? session.execute(create, Moment::kChange, what) : std::move(status);
}

Status alter_column_type(sql::Session& session, const sql::Dialect& dialect, const cdcrt_table& table, const cdcrt_change& change,
                         std::string& text) {
  const cdcrt_column& column = change.columns[0];
  CatalogTable catalog;
  Status status = read_catalog(session, sdk::view(table.schema), sdk::view(table.name), catalog);
  if (!status) return status;
  const CatalogColumn* found = nullptr;
  for (const CatalogColumn& candidate : catalog.columns) {
    if (candidate.name == sdk::view(column.name)) found = &candidate;
  }
  if (found == nullptr) {
    return Status::error(CDCRT_STALE_SCHEMA,
                         "table " + sql::shown(sdk::view(table.name)) + " has no column " + sql::shown(sdk::view(column.name)))
        .with_native(0, "42703");
  }
  // Another process may have made this change already: convert what is there, not what was believed to be.
  const cdcrt_type now = type_of(*found);
  const bool stays = column.type.kind == CDCRT_TYPE_ARRAY && column.type.element == CDCRT_TYPE_BYTES;
  if (now.kind == CDCRT_TYPE_ARRAY && now.element == CDCRT_TYPE_BYTES && !stays) {
    return Status::unsupported("column " + sql::shown(found->name) + " of table " + sql::shown(sdk::view(table.name)) + " is " +
                                   found->type + ", and the bytes inside cannot become what the source made of them",
                               "change the column by hand, or drop it: it is made anew, with NULL in the rows that are there");
  }
  const cdcrt_type from = now.kind == CDCRT_TYPE_UNKNOWN ? change.from : now;
  std::string name;
  status = dialect.append_column(name, sdk::view(column.name));
  if (!status) return status;
  std::string fallback;
  bool none = false;
  status = answer(session,
                  "SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_catalog.pg_attrdef d JOIN pg_catalog.pg_attribute a ON a.attrelid = "
                  "d.adrelid AND a.attnum = d.adnum "
                  "JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
                  "WHERE n.nspname = ?::text AND c.relname = ?::text AND a.attname = ?::text AND a.attgenerated = ''",
                  {sdk::view(table.schema), sdk::view(table.name), sdk::view(column.name)}, fallback, none,
                  "cannot read the default of a column");
  if (!status) return status;
  const std::string type = dialect.column_type(column);
  text = "ALTER TABLE ";
  status = dialect.append_table(text, table);
  if (!status) return status;
  // The old default may have no cast to the new type of its own accord.
  if (!none) text += " ALTER COLUMN " + name + " DROP DEFAULT,";
  text += " ALTER COLUMN " + name + " TYPE " + type + " USING " + sql::postgresql_conversion(name, from, column.type, type);
  if ((column.flags & CDCRT_COLUMN_DEFAULT) != 0 && column.default_value.tag > CDCRT_NULL) {
    text += ", ALTER COLUMN " + name + " SET DEFAULT ";
    return dialect.append_default(text, column);
  }
  if (!none) text += ", ALTER COLUMN " + name + " SET DEFAULT " + sql::postgresql_conversion("(" + fallback + ")", from, column.type, type);
  return {};
}

Status rename_column(sql::Session& session, const sql::Dialect& dialect, const cdcrt_table& table, const cdcrt_column& column,
                     const std::string& what) {
  CatalogTable catalog;
  Status status = read_catalog(session, sdk::view(table.schema), sdk::view(table.name), catalog);
  if (!status) return status;
  const auto has = [&](cdcrt_string name) {
    return std::any_of(catalog.columns.begin(), catalog.columns.end(),
                       [&](const CatalogColumn& each) { return each.name == sdk::view(name); });
  };
  if (!has(column.former_name)) {
    // Another process may have made this change already.
    if (has(column.name)) return {};
    return Status::error(CDCRT_STALE_SCHEMA, what + ": there is no column " + sql::shown(sdk::view(column.former_name)))
        .with_native(0, "42703");
  }
  std::vector<std::string> texts;
  status = dialect.rename_column(texts, table, sdk::view(column.former_name), sdk::view(column.name), has(column.name));
  for (const std::string& each : texts) {
    if (status) status = session.execute(each, sql::Moment::kChange, what);
  }
  return status;
}

}  // namespace cdcrt::postgresql
