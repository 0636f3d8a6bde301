#include "sql/statement.hpp"

#include <algorithm>

namespace cdcrt::sql {

bool only_keys(const StatementShape& shape) { return std::all_of(shape.columns.begin(), shape.columns.end(), kKeyColumns); }

bool is_inexact(const StatementShape& shape) {
  return std::any_of(shape.columns.begin(), shape.columns.end(), [](const StatementColumn& column) { return column.inexact; });
}

void append_on_conflict(std::string& out, const StatementShape& shape, std::string (*same)(const StatementShape&, const StatementColumn&)) {
  const auto name = [](const StatementColumn& column) { return column.name; };
  const auto taken = [](const StatementColumn& column) { return column.name + " = EXCLUDED." + column.name; };
  const auto inexact = [](const StatementColumn& column) { return column.inexact; };
  out += " ON CONFLICT (" + joined(shape.columns, ", ", kKeyColumns, name) + ")";
  if (only_keys(shape)) {
    out += " DO NOTHING";
    return;
  }
  out += " DO UPDATE SET " + joined(shape.columns, ", ", kOtherColumns, taken);
  if (is_inexact(shape))
    out += " WHERE " + joined(shape.columns, " AND ", inexact, [&](const StatementColumn& column) { return same(shape, column); });
}

}  // namespace cdcrt::sql
