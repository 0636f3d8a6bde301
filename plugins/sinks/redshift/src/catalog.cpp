#include "catalog.hpp"

#include <cstdlib>

#include "redshift_literal.hpp"
#include "sql/identifier.hpp"

namespace cdcrt::redshift {

using sdk::Status;

namespace {

long number(const Field& field) { return field ? std::strtol(field->c_str(), nullptr, 10) : 0; }

std::string literal(std::string_view text) {
  std::string out;
  sql::redshift::append_text(out, text);
  return out;
}

}  // namespace

const CatalogColumn* CatalogTable::find(std::string_view name) const {
  for (const CatalogColumn& column : columns) {
    if (column.name == name) return &column;
  }
  return nullptr;
}

bool operator==(const CatalogColumn& left, const CatalogColumn& right) {
  return left.name == right.name && left.type.name == right.type.name && left.not_null == right.not_null;
}

Status read_catalog(TargetSession& session, std::string_view schema, std::string_view table, CatalogTable& out) {
  CatalogTables one;
  one[{std::string(schema), std::string(table)}];
  Status status = read_catalogs(session, one);
  out = std::move(one.begin()->second);
  return status;
}

Status read_catalogs(TargetSession& session, CatalogTables& tables) {
  if (tables.empty()) return {};
  std::string condition;
  for (auto each = tables.begin(); each != tables.end();) {
    const std::string& schema = each->first.first;
    condition += (condition.empty() ? "(" : " OR ") + ("table_schema = " + literal(schema)) + " AND table_name IN (";
    for (bool first = true; each != tables.end() && each->first.first == schema; ++each, first = false) {
      condition += (first ? "" : ", ") + literal(each->first.second);
      each->second = CatalogTable();
    }
    condition += ')';
  }
  condition += ")";
  // Not as a join: of the two views that takes seconds where there are thousands of tables.
  const std::string text =
      "SELECT CAST(table_schema AS VARCHAR(256)), CAST(table_name AS VARCHAR(256)), CAST(table_type AS VARCHAR(64)), CAST(NULL AS VARCHAR(256)), "
      "CAST(NULL AS VARCHAR(256)), CAST(NULL AS INTEGER), CAST(NULL AS INTEGER), CAST(NULL AS INTEGER), CAST(NULL AS VARCHAR(3)), 0 "
      "FROM information_schema.tables WHERE " +
      condition +
      " UNION ALL SELECT CAST(table_schema AS VARCHAR(256)), CAST(table_name AS VARCHAR(256)), CAST(NULL AS VARCHAR(64)), CAST(column_name AS VARCHAR(256)), "
      "CAST(data_type AS VARCHAR(256)), CAST(character_maximum_length AS INTEGER), CAST(numeric_precision AS INTEGER), CAST(numeric_scale AS INTEGER), "
      "CAST(is_nullable AS VARCHAR(3)), CAST(ordinal_position AS INTEGER) FROM information_schema.columns WHERE " +
      condition + " ORDER BY 10";
  const std::string doing = tables.size() == 1 ? "cannot read the catalog for table " + sql::shown(tables.begin()->first.second)
                                               : "cannot read the catalog for " + std::to_string(tables.size()) + " tables";
  return session.select(text, 9, doing, [&](const std::vector<Field>& row) {
    const auto found = tables.find({row[0].value_or(""), row[1].value_or("")});
    if (found == tables.end()) return true;
    CatalogTable& out = found->second;
    out.exists = true;
    if (row[2]) out.is_view = row[2]->find("VIEW") != std::string::npos;
    if (!row[3]) return true;  // the table itself: the columns of a late-binding view are in no catalog
    CatalogColumn column;
    column.name = *row[3];
    column.type = sql::redshift::catalog_type(row[4].value_or(""), static_cast<uint32_t>(number(row[5])),
                                              static_cast<uint32_t>(number(row[6])), static_cast<int16_t>(number(row[7])));
    column.not_null = row[8] && *row[8] == "NO";
    out.columns.push_back(std::move(column));
    return true;
  });
}

Status read_layout(TargetSession& session, std::string_view schema, std::string_view table, std::string_view column, bool& distkey,
                   bool& sortkey) {
  const std::string doing = "cannot read how table " + sql::shown(table) + " is laid out";
  std::string path = "SET LOCAL search_path TO ";
  Status status = sql::append_identifier(path, schema, sql::redshift::kNameLimit, "schema");
  if (status) status = session.execute(path, doing);
  if (!status) return status;
  const std::string text = "SELECT CASE WHEN distkey THEN 1 ELSE 0 END, sortkey FROM pg_table_def WHERE schemaname = " + literal(schema) +
                           " AND tablename = " + literal(table) + " AND \"column\" = " + literal(column);
  return session.select(text, 2, doing, [&](const std::vector<Field>& row) {
    distkey = number(row[0]) != 0;
    sortkey = number(row[1]) != 0;
    return false;
  });
}

}  // namespace cdcrt::redshift
