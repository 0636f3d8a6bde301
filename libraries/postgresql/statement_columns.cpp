#include "postgresql/statement_columns.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include "sql/identifier.hpp"

namespace cdcrt::postgresql {

using sdk::Status;

Status leave_out_generated(const CatalogTable& catalog, const cdcrt_write& write, const std::vector<uint32_t>& columns,
                           std::vector<uint32_t>& out) {
  for (const uint32_t index : columns) {
    const std::string_view name = sdk::view(write.columns[index].name);
    const auto found =
        std::find_if(catalog.columns.begin(), catalog.columns.end(), [&](const CatalogColumn& column) { return column.name == name; });
    if (found == catalog.columns.end() || !found->generated) {
      out.push_back(index);
    } else if (write.columns[index].key_ordinal > 0) {
      return Status::unsupported(
          "column " + sql::shown(name) + " of table " + sql::shown(sdk::view(write.table.name)) +
              " is a generated column, and a part of the route's key",
          "give the route another primary_key, or make it a plain column: ALTER TABLE ... ALTER COLUMN ... DROP EXPRESSION");
    }
  }
  return {};
}

Status make_shape(const sql::Dialect& dialect, const CatalogTable& catalog, const cdcrt_table& table, const cdcrt_column* columns,
                  const std::vector<uint32_t>& chosen, sql::StatementShape& shape, std::vector<const CatalogColumn*>& found_columns) {
  Status status = dialect.append_table(shape.table, table);
  if (!status) return status;
  found_columns.clear();
  std::size_t hint = 0;
  for (const uint32_t index : chosen) {
    const std::string_view name = sdk::view(columns[index].name);
    const CatalogColumn* found = nullptr;
    for (std::size_t i = 0; i < catalog.columns.size() && found == nullptr; ++i) {
      const CatalogColumn& candidate = catalog.columns[(hint + i) % catalog.columns.size()];
      if (candidate.name == name) found = &candidate, hint = (hint + i + 1) % catalog.columns.size();
    }
    if (found == nullptr) {
      return Status::error(CDCRT_STALE_SCHEMA, "table " + sql::shown(sdk::view(table.name)) + " has no column " + sql::shown(name))
          .with_native(0, "42703");
    }
    sql::StatementColumn column;
    status = dialect.append_column(column.name, name);
    if (!status) return status;
    column.target_type = found->cast;
    // lc_monetary has a say in money's text.
    if (found->base_type == "money") column.sent_as = "numeric";
    if (found->element == "money") column.target_type = "numeric[]::money[]";
    shape.overrides_identity = shape.overrides_identity || found->identity;
    found_columns.push_back(found);
    column.is_array = found->is_array;
    column.compare_as_text = found->compare_as_text;
    column.key = columns[index].key_ordinal > 0;
    column.inexact = column.key && found->inexact;
    shape.columns.push_back(std::move(column));
  }
  return {};
}

// To char(n) "a" and "a " are one, and nothing that is stored tells which it was.
Status check_key(const CatalogColumn& target, const cdcrt_column& column, const cdcrt_cell& cell) {
  if (target.limit.kind != sql::ColumnLimit::Kind::kBlanks || cell.tag != CDCRT_STRING || cell.size == 0 ||
      cell.value.data[cell.size - 1] != ' ')
    return {};
  return Status::bad_record("key column " + sql::shown(sdk::view(column.name)) + " is " + target.type +
                                " in the target, where blanks at the end do not count: this key ends with one and could meet another row's",
                            "let the target's column be text or varchar(n): ALTER TABLE ... ALTER COLUMN ... TYPE text");
}
Status same_to_the_target(const cdcrt_table& table, const sql::StatementShape& shape) {
  const auto column = std::find_if(shape.columns.begin(), shape.columns.end(), [](const auto& each) { return each.inexact; });
  return Status::bad_record("a key of table " + sql::shown(sdk::view(table.name)) +
                                " is equal to that of another row for the target (column " + column->name +
                                " does not tell case or accents apart), but not for the source",
                            "let the target's key column be text with a deterministic collation");
}
bool has_inexact_key(const sql::StatementShape& shape) {
  return std::any_of(shape.columns.begin(), shape.columns.end(), [](const auto& column) { return column.inexact; });
}

}  // namespace cdcrt::postgresql
