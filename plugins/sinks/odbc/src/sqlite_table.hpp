// What SQLite's catalog says about one table, and changing a column's type, which SQLite has no statement for.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "odbc/session.hpp"
#include "sqlite_dialect.hpp"

namespace cdcrt::odbc {

struct SqliteColumn {
  std::string name;
  std::string type;      ///< as declared
  std::string fallback;  ///< default, as written
  bool has_default = false;
  bool not_null = false;
  bool generated = false;
  uint32_t key_ordinal = 0;
};

struct SqliteTable {
  bool exists = false;
  bool is_view = false;
  std::string name;  ///< as it was created: SQLite's names do not tell case apart
  std::string definition;
  bool collates = false;  ///< some column may have another equality than that of its bytes
  std::vector<SqliteColumn> columns;
};

struct SqliteIndex {
  std::string name;
  std::string definition;  ///< empty: made by a constraint
  bool unique = false;
  bool partial = false;
  std::vector<std::string> columns;  ///< empty names stand for expressions
};

bool same_name(std::string_view left, std::string_view right);
sdk::Status read_table(Session& session, std::string_view table, SqliteTable& out);
sdk::Status read_indexes(Session& session, std::string_view table, std::vector<SqliteIndex>& out);
/// A name of the rowid that no column hides; empty when all are.
std::string row_identifier(const SqliteTable& table);

/// Gives a column a new type (or drops its NOT NULL, when `change` says so) and converts its values, inside the transaction
/// that is open. UNSUPPORTED where rebuilding the table would lose what the operator defined.
sdk::Status alter_column(Session& session, const SqliteTable& table, const cdcrt_change& change, const std::string& doing);

}  // namespace cdcrt::odbc
