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

}  // namespace cdcrt::debezium
