// Which columns a DDL statement renames: Debezium's records of schema changes say it in the statement's text alone.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cdcrt::debezium {

struct ColumnRename {
  std::string former, name;
  bool operator==(const ColumnRename&) const = default;
};

/// Renames of `table` (without its database) in an ALTER TABLE of MySQL, MariaDB or Oracle, all of which happen at once: CHANGE [COLUMN] a
/// b, RENAME COLUMN a TO b. Names as they are written there. None where the statement is another one, or cannot be read for certain.
std::vector<ColumnRename> renames_of(std::string_view ddl, std::string_view table);

/// Per column of `names`, which a statement left the table with: the name it had before; empty: the same. None where one of the new names is
/// no column: Debezium has read the statement otherwise.
std::vector<std::string> former_names(std::string_view ddl, std::string_view table, const std::vector<std::string_view>& names);

}  // namespace cdcrt::debezium
