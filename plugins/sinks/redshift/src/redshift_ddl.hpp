// Redshift's definitions: creating tables, adding and changing columns within what it allows. Pure text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cdcrt/abi/sink.h"
#include "cdcrt/sdk/status.hpp"
#include "redshift_types.hpp"

namespace cdcrt::sql::redshift {

/// How new tables are laid out.
struct Layout {
  enum class Distribution : uint8_t { kKey, kAuto, kEven, kAll };
  Distribution distribution = Distribution::kKey;  ///< kKey: by `distkey`, else the first column of the key, else AUTO
  std::string distkey;                             ///< a column's name
  bool sort_by_key = true;                         ///< where `sortkey` is empty
  std::vector<std::string> sortkey;                ///< columns, in order
  bool primary_key = false;                        ///< declared; Redshift does not enforce it, and its planner believes it
  /// Columns' encodings, by name; those not named are left to Redshift.
  std::vector<std::pair<std::string, std::string>> encodings;
};

struct Names {
  bool case_sensitive = false;
  uint32_t unbounded_varchar = kMaxVarchar;  ///< bytes
};

/// `column.target_type` when given, else from the type.
std::string column_type(const cdcrt_column& column, const Names& names);
/// Constant of a column's default.
sdk::Status append_default(std::string& out, const cdcrt_column& column, const Names& names);
/// BAD_CONFIG where a name cannot be, where two names are one after folding, and where the layout names a column that is not there.
sdk::Status create_table(std::string& out, std::string_view quoted_table, const cdcrt_column* columns, uint32_t count, const Layout& layout,
                         const Names& names);
sdk::Status add_column(std::string& out, std::string_view quoted_table, const cdcrt_column& column, const Names& names);

/// Expression that turns the values of a column (quoted) into those of another type, the same text as the host gives new values.
std::string conversion(std::string_view quoted_column, const ColumnType& from, const ColumnType& to);

/// A row where the column of SUPER or VARBYTE has a value that no text holds; empty: its storage has none.
std::string select_too_long_for_text(std::string_view quoted_table, std::string_view quoted_column, Storage from);

/// ALTER COLUMN ... TYPE, which may only make VARCHAR and VARBYTE longer, and never inside of a transaction.
std::string widen(std::string_view quoted_table, std::string_view quoted_column, const ColumnType& type, uint32_t bytes);

/// The statements that change a column's type in a transaction: add, fill, drop, rename. The column then stands last.
/// `fallback`: text of a DEFAULT constant; empty: none.
std::vector<std::string> change_type(std::string_view quoted_table, std::string_view quoted_column, std::string_view quoted_temporary,
                                     const ColumnType& from, const ColumnType& to, std::string_view fallback);

}  // namespace cdcrt::sql::redshift
