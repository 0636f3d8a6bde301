#include "sql/write_columns.hpp"

#include <string>

#include "sql/identifier.hpp"

namespace cdcrt::sql {

using sdk::Status;

Status choose_columns(const cdcrt_write& write, std::vector<uint32_t>& out) {
  out.clear();
  const bool by_key = write.kind == CDCRT_WRITE_UPSERT || write.kind == CDCRT_WRITE_PATCH || write.kind == CDCRT_WRITE_DELETE ||
                      write.kind == CDCRT_WRITE_REPLACE;
  bool keyed = false;
  for (uint32_t column = 0; column < write.column_count; ++column) {
    const bool is_key = write.columns[column].key_ordinal > 0;
    keyed = keyed || is_key;
    if (is_key || write.kind != CDCRT_WRITE_DELETE) out.push_back(column);
  }
  if (by_key && !keyed) return Status::fatal("a write by key into table " + shown(sdk::view(write.table.name)) + " lists no key column");
  if (!by_key) return {};
  // The host sends none. A database would do with it what it likes: SQLite invents a key.
  for (const uint32_t column : out) {
    if (write.columns[column].key_ordinal == 0) continue;
    const cdcrt_cell* cell = write.cells + column;
    for (uint64_t row = 0; row < write.row_count; ++row, cell += write.column_count) {
      if (cell->tag > CDCRT_NULL) continue;
      return Status::bad_record("key column " + shown(sdk::view(write.columns[column].name)) + " of table " +
                                shown(sdk::view(write.table.name)) + (cell->tag == CDCRT_NULL ? " is NULL" : " has no value"));
    }
  }
  return {};
}

}  // namespace cdcrt::sql
