#include "apply/target_trial.hpp"

#include "cdcrt/sdk/status.hpp"

namespace cdcrt::apply {

// A new table needs of the server's disk what rows of any other may need.
Result<void> try_row(plugin::Connection& connection, bool has_schemas, const std::string& progress_schema) {
  const std::string name = has_schemas ? "trial" : progress_schema + "_trial";
  const cdcrt_table table{has_schemas ? sdk::borrow(progress_schema) : cdcrt_string{nullptr, 0}, sdk::borrow(name)};
  cdcrt_column column{};
  column.name = sdk::borrow("value");
  column.type.kind = CDCRT_TYPE_INT64;
  cdcrt_change create{};
  create.kind = CDCRT_CREATE_TABLE;
  create.columns = &column;
  create.column_count = 1;
  cdcrt_cell cell{};
  cell.tag = CDCRT_I64;
  cell.value.integer = 1;
  cdcrt_write write{};
  write.size = sizeof write;
  write.kind = CDCRT_WRITE_APPEND;
  write.table = table;
  write.columns = &column;
  write.column_count = 1;
  write.cells = &cell;
  write.row_count = 1;
  if (auto begun = connection.begin(); !begun) return begun;
  auto done = connection.change(table, {create});
  if (done) done = connection.write(write);
  auto ended = connection.rollback();
  return done ? std::move(ended) : std::move(done);
}

}  // namespace cdcrt::apply
