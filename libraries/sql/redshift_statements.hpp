// Redshift's set-based statements between a staging table and its target. Pure text; names are quoted and folded here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cdcrt/abi/sink.h"
#include "cdcrt/sdk/status.hpp"
#include "sql/redshift_types.hpp"

namespace cdcrt::sql::redshift {

/// Redshift folds ASCII letters to lower case, quoted or not, unless enable_case_sensitive_identifier is on.
std::string folded(std::string_view name, bool case_sensitive);

/// Appends the folded name in double quotes. BAD_CONFIG for what cannot be a name there (see append_identifier).
sdk::Status append_name(std::string& out, std::string_view name, std::string_view what, bool case_sensitive);

/// One column of a write. Its stage column has the same name and type, and may be NULL.
struct StageColumn {
  std::string name;  ///< quoted
  ColumnType type;
  bool key = false;
  bool not_null = false;
};

/// A staging table and where its rows go.
struct StageShape {
  std::string table;       ///< quoted, with schema
  std::string qualifier;   ///< the table's own quoted name: how its columns are called in conditions
  std::string stage;       ///< quoted
  std::string row_number;  ///< quoted name of the column with the row's index; empty: none
  std::vector<StageColumn> columns;
  std::vector<std::string> others;  ///< quoted columns of the target outside of the write
};

std::string create_stage(const StageShape& shape);
std::string insert_from_stage(const StageShape& shape);
std::string delete_by_stage(const StageShape& shape);
/// Empty where there is nothing but keys.
std::string update_from_stage(const StageShape& shape);
/// Inserts the rows whose key the target lacks.
std::string insert_missing(const StageShape& shape);
/// Row numbers whose key the target lacks.
std::string select_missing(const StageShape& shape);

/// Removing exactly one copy per staged row, NULL-safely, where nothing tells copies apart (there is no ctid): every copy of a
/// staged row goes to the table `held` with its number among its equals, all are deleted, and those beyond what was asked for come
/// back with all their columns.
struct CopyRemoval {
  std::string hold;     ///< CREATE TEMP TABLE held AS ...
  std::string missing;  ///< row numbers that found no copy
  std::string remove;   ///< DELETE
  std::string restore;  ///< INSERT of those that stay
};
CopyRemoval remove_copies(const StageShape& shape, std::string_view quoted_held);

}  // namespace cdcrt::sql::redshift
