#include "cli/target_trial.hpp"

#include <array>
#include <cstdio>
#include <random>
#include <vector>

#include "cdcrt/sdk/cell.hpp"
#include "cdcrt/sdk/status.hpp"

namespace cdcrt::cli {
namespace {

// More than any sink sends within a statement.
constexpr std::size_t kManyRows = 10'001;

cdcrt_column column(std::string_view name, uint8_t kind, uint32_t key_ordinal) {
  cdcrt_column column{};
  column.name = sdk::borrow(name);
  column.type.kind = kind;
  column.key_ordinal = key_ordinal;
  column.default_value = sdk::integer_cell(CDCRT_ABSENT, 0);
  return column;
}

cdcrt_change change_of(cdcrt_change_kind kind, const cdcrt_column* columns, uint32_t count) {
  cdcrt_change change{};
  change.kind = kind;
  change.columns = columns;
  change.column_count = count;
  return change;
}

// Of no other process, and of no table of anybody.
std::string unused_name() {
  std::random_device random;
  std::array<char, 40> name{};
  (void)std::snprintf(name.data(), name.size(), "cdcrt_doctor_%08x%08x", random(), random());
  return name.data();
}

Result<void> make_and_write(plugin::Connection& connection, const cdcrt_table& table, std::size_t rows) {
  const std::array columns{column("id", CDCRT_TYPE_INT64, 1), column("note", CDCRT_TYPE_STRING, 0), column("added", CDCRT_TYPE_INT64, 0)};
  if (auto made = connection.change(table, {change_of(CDCRT_CREATE_TABLE, columns.data(), 2)}); !made) return made;
  if (auto added = connection.change(table, {change_of(CDCRT_ADD_COLUMN, &columns[2], 1)}); !added) return added;
  std::vector<cdcrt_cell> cells;
  for (std::size_t row = 0; row < rows; ++row) {
    cells.push_back(sdk::integer_cell(CDCRT_I64, static_cast<int64_t>(row)));
    cells.push_back(sdk::text_cell(CDCRT_STRING, "cdcrt doctor"));
    cells.push_back(sdk::integer_cell(CDCRT_I64, 1));
  }
  cdcrt_write write{};
  write.kind = CDCRT_WRITE_APPEND;
  write.table = table;
  write.columns = columns.data();
  write.column_count = columns.size();
  write.cells = cells.data();
  write.row_count = rows;
  return connection.write(write);
}

}  // namespace

Result<void> try_schema(plugin::Connection& connection, const std::string& schema, bool many) {
  const std::string name = unused_name();
  cdcrt_table table{};
  if (!schema.empty()) table.schema = sdk::borrow(schema);
  table.name = sdk::borrow(name);
  if (auto begun = connection.begin(); !begun) return begun;
  Result<void> tried = make_and_write(connection, table, many ? kManyRows : 1);
  const Result<void> back = connection.rollback();
  if (!tried) return tried;
  if (!back) return back;
  // A target that changes definitions outside of transactions has the table still.
  auto left = connection.describe(table);
  if (!left) return std::move(left.error());
  if (left->get().exists == 0) return {};
  if (auto begun = connection.begin(); !begun) return begun;
  if (auto dropped = connection.change(table, {change_of(CDCRT_DROP_TABLE, nullptr, 0)}); !dropped) {
    (void)connection.rollback();
    return dropped;
  }
  return connection.commit();
}

}  // namespace cdcrt::cli
