// What Redshift's catalog says about one table.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cdcrt/sdk/status.hpp"
#include "redshift_types.hpp"
#include "target_session.hpp"

namespace cdcrt::redshift {

struct CatalogColumn {
  std::string name;  ///< as the catalog spells it
  sql::redshift::ColumnType type;
  bool not_null = false;
};

struct CatalogTable {
  bool exists = false;
  bool is_view = false;
  std::vector<CatalogColumn> columns;

  /// `name` folded; nullptr: no such column.
  [[nodiscard]] const CatalogColumn* find(std::string_view name) const;
};

bool operator==(const CatalogColumn& left, const CatalogColumn& right);

/// `schema` and `table` as they are spelled in the catalog. Tables on which the user has no right at all are not seen.
sdk::Status read_catalog(TargetSession& session, std::string_view schema, std::string_view table, CatalogTable& out);

/// The same of several tables, by schema and table, in one statement. Those that do not exist are there with `exists` false.
using CatalogTables = std::map<std::pair<std::string, std::string>, CatalogTable>;
sdk::Status read_catalogs(TargetSession& session, CatalogTables& tables);

/// Whether the column is the table's DISTKEY or part of its SORTKEY: such a column can be neither dropped nor retyped. Inside of a
/// transaction only (it sets the search path for the rest of it, which PG_TABLE_DEF depends on).
sdk::Status read_layout(TargetSession& session, std::string_view schema, std::string_view table, std::string_view column, bool& distkey,
                        bool& sortkey);

}  // namespace cdcrt::redshift
