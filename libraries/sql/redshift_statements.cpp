#include "sql/redshift_statements.hpp"

#include <algorithm>

#include "sql/identifier.hpp"
#include "sql/redshift_literal.hpp"

namespace cdcrt::sql::redshift {
namespace {

template <class Text>
std::string each(const StageShape& shape, std::string_view join, Text&& text, bool keys = true, bool others = true) {
  std::string out;
  bool first = true;
  for (const StageColumn& column : shape.columns) {
    if (column.key ? !keys : !others) continue;
    if (!first) out += join;
    first = false;
    out += text(column);
  }
  return out;
}

std::string names(const StageShape& shape) {
  return each(shape, ", ", [](const StageColumn& column) { return column.name; });
}

std::string operand(const StageColumn& column, const std::string& qualifier) {
  return comparable(qualifier.empty() ? column.name : qualifier + "." + column.name, column.type.storage);
}

std::string same_key(const StageShape& shape, const std::string& left, const std::string& right) {
  return each(
      shape, " AND ", [&](const StageColumn& column) { return operand(column, left) + " = " + operand(column, right); }, true, false);
}

std::string neutral(Storage storage) {
  switch (storage) {
    case Storage::kBool:
      return "false";
    case Storage::kInteger:
    case Storage::kDecimal:
    case Storage::kFloat:
      return "0";
    case Storage::kDate:
      return "DATE '1970-01-01'";
    case Storage::kTime:
      return "TIME '00:00:00'";
    case Storage::kTimetz:
      return "TIMETZ '00:00:00+00'";
    case Storage::kTimestamp:
      return "TIMESTAMP '1970-01-01 00:00:00'";
    case Storage::kTimestamptz:
      return "TIMESTAMPTZ '1970-01-01 00:00:00+00'";
    default:
      return "''";
  }
}

/// NULL equals NULL, by nothing but equalities: other joins are refused in UPDATE and DELETE, or are nested loops.
std::string same_row(const StageShape& shape, const std::string& left, const std::string& right) {
  return each(shape, " AND ", [&](const StageColumn& column) {
    const std::string a = operand(column, left);
    const std::string b = operand(column, right);
    if (column.not_null) return a + " = " + b;
    const std::string none = neutral(column.type.storage);
    return "COALESCE(" + a + ", " + none + ") = COALESCE(" + b + ", " + none + ") AND CASE WHEN " + a +
           " IS NULL THEN 1 ELSE 0 END = CASE WHEN " + b + " IS NULL THEN 1 ELSE 0 END";
  });
}

std::string operands(const StageShape& shape, const std::string& qualifier) {
  return each(shape, ", ", [&](const StageColumn& column) { return operand(column, qualifier); });
}

const StageColumn* first_key(const StageShape& shape) {
  const auto found = std::find_if(shape.columns.begin(), shape.columns.end(), [](const StageColumn& column) { return column.key; });
  return found == shape.columns.end() ? nullptr : &*found;
}

}  // namespace

std::string folded(std::string_view name, bool case_sensitive) {
  std::string out(name);
  if (case_sensitive) return out;
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

sdk::Status append_name(std::string& out, std::string_view name, std::string_view what, bool case_sensitive) {
  return append_identifier(out, folded(name, case_sensitive), kNameLimit, what);
}

std::string create_stage(const StageShape& shape) {
  std::string text = "CREATE TEMP TABLE " + shape.stage + " (";
  if (!shape.row_number.empty()) text += shape.row_number + " BIGINT, ";
  text += each(shape, ", ", [](const StageColumn& column) { return column.name + " " + column.type.name; });
  text += ")";
  // Beside the target's rows where that is distributed by its key, as tables made here are.
  const StageColumn* key = first_key(shape);
  if (key != nullptr && key->type.storage != Storage::kSuper && key->type.storage != Storage::kBytes) text += " DISTKEY(" + key->name + ")";
  return text;
}

std::string insert_from_stage(const StageShape& shape) {
  return "INSERT INTO " + shape.table + " (" + names(shape) + ") SELECT " + names(shape) + " FROM " + shape.stage;
}

std::string delete_by_stage(const StageShape& shape) {
  return "DELETE FROM " + shape.table + " USING " + shape.stage + " WHERE " + same_key(shape, shape.qualifier, shape.stage);
}

std::string update_from_stage(const StageShape& shape) {
  const std::string set = each(
      shape, ", ", [&](const StageColumn& column) { return column.name + " = " + shape.stage + "." + column.name; }, false);
  if (set.empty()) return {};
  return "UPDATE " + shape.table + " SET " + set + " FROM " + shape.stage + " WHERE " + same_key(shape, shape.qualifier, shape.stage);
}

namespace {

std::string from_stage_without_target(const StageShape& shape) {
  return " FROM " + shape.stage + " LEFT JOIN " + shape.table + " ON " + same_key(shape, shape.qualifier, shape.stage) + " WHERE " +
         shape.qualifier + "." + first_key(shape)->name + " IS NULL";
}

}  // namespace

std::string insert_missing(const StageShape& shape) {
  return "INSERT INTO " + shape.table + " (" + names(shape) + ") SELECT " +
         each(shape, ", ", [&](const StageColumn& column) { return shape.stage + "." + column.name; }) + from_stage_without_target(shape);
}

std::string select_missing(const StageShape& shape) {
  return "SELECT " + shape.stage + "." + shape.row_number + from_stage_without_target(shape) + " ORDER BY 1";
}

CopyRemoval remove_copies(const StageShape& shape, std::string_view quoted_held) {
  const std::string held(quoted_held);
  const std::string& table = shape.qualifier;
  std::string all = each(shape, ", ", [&](const StageColumn& column) { return table + "." + column.name; });
  std::string all_names = names(shape);
  for (const std::string& other : shape.others) {
    all += ", " + table + "." + other;
    all_names += ", " + other;
  }
  // The wanted rows, one per set of equals, named by their smallest row number: it stands for the values.
  const std::string wanted = "(SELECT " + names(shape) + ", " + shape.row_number + " AS cdcrt_first, COUNT(*) OVER (PARTITION BY " +
                             operands(shape, "") + ") AS cdcrt_wanted, ROW_NUMBER() OVER (PARTITION BY " + operands(shape, "") +
                             " ORDER BY " + shape.row_number + ") AS cdcrt_copy FROM " + shape.stage + ")";
  CopyRemoval removal;
  removal.hold =
      "CREATE TEMP TABLE " + held + " AS SELECT " + all +
      ", w.cdcrt_first, w.cdcrt_wanted, ROW_NUMBER() OVER (PARTITION BY w.cdcrt_first ORDER BY w.cdcrt_first) AS cdcrt_number FROM " +
      shape.table + " JOIN " + wanted + " w ON " + same_row(shape, table, "w") + " AND w.cdcrt_copy = 1";
  removal.missing = "SELECT a." + shape.row_number + " FROM (SELECT " + shape.row_number + ", MIN(" + shape.row_number +
                    ") OVER (PARTITION BY " + operands(shape, "") + ") AS cdcrt_first, ROW_NUMBER() OVER (PARTITION BY " +
                    operands(shape, "") + " ORDER BY " + shape.row_number + ") AS cdcrt_copy FROM " + shape.stage +
                    ") a LEFT JOIN (SELECT cdcrt_first, COUNT(*) AS cdcrt_held FROM " + held +
                    " GROUP BY cdcrt_first) h ON a.cdcrt_first = h.cdcrt_first WHERE a.cdcrt_copy > COALESCE(h.cdcrt_held, 0) ORDER BY 1";
  removal.remove = "DELETE FROM " + shape.table + " USING " + shape.stage + " WHERE " + same_row(shape, table, shape.stage);
  removal.restore =
      "INSERT INTO " + shape.table + " (" + all_names + ") SELECT " + all_names + " FROM " + held + " WHERE cdcrt_number > cdcrt_wanted";
  return removal;
}

}  // namespace cdcrt::sql::redshift
