#include "sql/statement.hpp"

#include <algorithm>

namespace cdcrt::sql {

bool only_keys(const StatementShape& shape) { return std::all_of(shape.columns.begin(), shape.columns.end(), kKeyColumns); }

void append_on_conflict(std::string& out, const StatementShape& shape) {
  const auto name = [](const StatementColumn& column) { return column.name; };
  const auto taken = [](const StatementColumn& column) { return column.name + " = EXCLUDED." + column.name; };
  out += " ON CONFLICT (" + joined(shape.columns, ", ", kKeyColumns, name) + ")";
  out += only_keys(shape) ? " DO NOTHING" : " DO UPDATE SET " + joined(shape.columns, ", ", kOtherColumns, taken);
}

}  // namespace cdcrt::sql
