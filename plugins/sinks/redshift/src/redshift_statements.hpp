// Redshift's set-based statements between a staging table and its target. Pure text; names are quoted and folded here.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cdcrt/abi/sink.h"
#include "cdcrt/sdk/status.hpp"
#include "redshift_types.hpp"

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
  std::string row_number;  ///< quoted name of the column with the row's index, or the batch's number; empty: none
  uint64_t batch = 0;      ///< of a stage that is used again: rows of other batches do not count; 0: all rows do
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

/// Removing exactly one copy per staged row, NULL-safely, where nothing tells copies apart (there is no ctid): all copies of the staged
/// rows are deleted, and those beyond what was asked for are inserted again. Wide columns are joined by, never sorted, grouped or carried
/// along: Redshift does that in rows of at most 65,535 bytes [r_CREATE_TABLE_NEW].
struct CopyRemoval {
  std::string equals;  ///< (row number, the smallest one among its equals) of every staged row
  std::string copies;  ///< (row number, how many copies the target has) where there is one
  std::string remove;  ///< DELETE
};
CopyRemoval remove_copies(const StageShape& shape);
/// Once more what is staged as these rows: copies of rows without columns outside of the write.
std::string insert_staged_again(const StageShape& shape, const std::vector<uint64_t>& rows);

/// The same with all columns of the table, some of which may differ among copies: taken before the DELETE and given back after it.
struct CopyHold {
  std::string hold;     ///< CREATE TEMP TABLE held AS ...
  std::string restore;  ///< INSERT of those that stay
};
/// `removed`: row number of each set of equals, and how many of its copies go.
CopyHold hold_copies(const StageShape& shape, std::string_view quoted_held, const std::map<uint64_t, uint64_t>& removed);

}  // namespace cdcrt::sql::redshift
