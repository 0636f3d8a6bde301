#include "redshift_statements.hpp"

#include <algorithm>

#include "redshift_comparison.hpp"
#include "sql/identifier.hpp"
#include "sql/statement.hpp"

namespace cdcrt::sql::redshift {
namespace {

std::string names(const StageShape& shape) { return joined_names(shape.columns); }

std::string of(const std::string& qualifier, const StageColumn& column) { return qualifier + "." + column.name; }

std::string same_key(const StageShape& shape, const std::string& left, const std::string& right) {
  return joined(shape.columns, " AND ", kKeyColumns,
                [&](const StageColumn& column) { return same(of(left, column), of(right, column), column.type); });
}

std::string same_row(const StageShape& shape, const std::string& left, const std::string& right) {
  return joined(shape.columns, " AND ", kAllColumns, [&](const StageColumn& column) {
    return column.not_null ? same(of(left, column), of(right, column), column.type)
                           : same_or_null(of(left, column), of(right, column), column.type);
  });
}

std::string numbers(const std::vector<uint64_t>& rows) {
  std::string text;
  for (const uint64_t row : rows) text += (text.empty() ? "" : ", ") + std::to_string(row);
  return text;
}

std::string of_batch(const StageShape& shape, std::string_view before) {
  if (shape.batch == 0) return {};
  return std::string(before) + shape.stage + "." + shape.row_number + " = " + std::to_string(shape.batch);
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
  text += joined(shape.columns, ", ", kAllColumns, [](const StageColumn& column) { return column.name + " " + column.type.name; });
  text += ")";
  // Beside the target's rows where that is distributed by its key, as tables made here are.
  const StageColumn* key = first_key(shape);
  const bool distributes = key != nullptr && key->type.storage != Storage::kSuper && key->type.storage != Storage::kBytes;
  return text + (distributes ? " DISTKEY(" + key->name + ")" : " DISTSTYLE EVEN");
}

std::string insert_from_stage(const StageShape& shape) {
  return "INSERT INTO " + shape.table + " (" + names(shape) + ") SELECT " + names(shape) + " FROM " + shape.stage +
         of_batch(shape, " WHERE ");
}

std::string delete_by_stage(const StageShape& shape) {
  return "DELETE FROM " + shape.table + " USING " + shape.stage + " WHERE " + same_key(shape, shape.qualifier, shape.stage) +
         of_batch(shape, " AND ");
}

std::string update_from_stage(const StageShape& shape) {
  const std::string set = joined(shape.columns, ", ", kOtherColumns,
                                 [&](const StageColumn& column) { return column.name + " = " + shape.stage + "." + column.name; });
  if (set.empty()) return {};
  return "UPDATE " + shape.table + " SET " + set + " FROM " + shape.stage + " WHERE " + same_key(shape, shape.qualifier, shape.stage) +
         of_batch(shape, " AND ");
}

namespace {

std::string from_stage_without_target(const StageShape& shape) {
  return " FROM " + shape.stage + " LEFT JOIN " + shape.table + " ON " + same_key(shape, shape.qualifier, shape.stage) + " WHERE " +
         shape.qualifier + "." + first_key(shape)->name + " IS NULL" + of_batch(shape, " AND ");
}

}  // namespace

std::string insert_missing(const StageShape& shape) {
  return "INSERT INTO " + shape.table + " (" + names(shape) + ") SELECT " +
         joined(shape.columns, ", ", kAllColumns, [&](const StageColumn& column) { return shape.stage + "." + column.name; }) +
         from_stage_without_target(shape);
}

std::string select_missing(const StageShape& shape) {
  return "SELECT " + shape.stage + "." + shape.row_number + from_stage_without_target(shape) + " ORDER BY 1";
}

CopyRemoval remove_copies(const StageShape& shape) {
  const std::string number = "." + shape.row_number;
  CopyRemoval removal;
  removal.equals = "SELECT a" + number + ", MIN(b" + number + ") FROM " + shape.stage + " a JOIN " + shape.stage + " b ON " +
                   same_row(shape, "a", "b") + " GROUP BY a" + number;
  removal.copies = "SELECT " + shape.stage + number + ", COUNT(*) FROM " + shape.table + " JOIN " + shape.stage + " ON " +
                   same_row(shape, shape.qualifier, shape.stage) + " GROUP BY " + shape.stage + number;
  removal.remove = "DELETE FROM " + shape.table + " USING " + shape.stage + " WHERE " + same_row(shape, shape.qualifier, shape.stage);
  return removal;
}

std::string insert_staged_again(const StageShape& shape, const std::vector<uint64_t>& rows) {
  return insert_from_stage(shape) + " WHERE " + shape.row_number + " IN (" + numbers(rows) + ")";
}

CopyHold hold_copies(const StageShape& shape, std::string_view quoted_held, const std::map<uint64_t, uint64_t>& removed) {
  const std::string held(quoted_held);
  std::string all = joined(shape.columns, ", ", kAllColumns, [&](const StageColumn& column) { return of(shape.qualifier, column); });
  std::string all_names = names(shape);
  for (const std::string& other : shape.others) {
    all += ", " + shape.qualifier + "." + other;
    all_names += ", " + other;
  }
  std::map<uint64_t, std::vector<uint64_t>> by_count;
  std::vector<uint64_t> rows;
  for (const auto& [row, count] : removed) {
    by_count[count].push_back(row);
    rows.push_back(row);
  }
  const std::string number = shape.stage + "." + shape.row_number;
  CopyHold hold;
  hold.hold = "CREATE TEMP TABLE " + held + " AS SELECT " + all + ", " + number + " AS cdcrt_first, ROW_NUMBER() OVER (PARTITION BY " +
              number + " ORDER BY " + number + ") AS cdcrt_number FROM " + shape.table + " JOIN " + shape.stage + " ON " +
              same_row(shape, shape.qualifier, shape.stage) + " WHERE " + number + " IN (" + numbers(rows) + ")";
  hold.restore = "INSERT INTO " + shape.table + " (" + all_names + ") SELECT " + all_names + " FROM " + held + " WHERE ";
  bool first = true;
  for (const auto& [count, its] : by_count) {
    hold.restore +=
        std::string(first ? "" : " OR ") + "(cdcrt_number > " + std::to_string(count) + " AND cdcrt_first IN (" + numbers(its) + "))";
    first = false;
  }
  return hold;
}

}  // namespace cdcrt::sql::redshift
