#include "odbc/row_groups.hpp"

#include <map>
#include <string>

#include "sql/identifier.hpp"

namespace cdcrt::odbc {

using sdk::Status;

Status group_rows(const cdcrt_write& write, std::vector<RowGroup>& out) {
  out.clear();
  const uint32_t width = write.column_count;
  const bool by_key = write.kind == CDCRT_WRITE_UPSERT || write.kind == CDCRT_WRITE_PATCH || write.kind == CDCRT_WRITE_DELETE ||
                      write.kind == CDCRT_WRITE_REPLACE;
  const bool keys_only = write.kind == CDCRT_WRITE_DELETE;
  std::vector<uint32_t> chosen;
  bool keyed = false;
  for (uint32_t column = 0; column < width; ++column) {
    keyed = keyed || write.columns[column].key_ordinal > 0;
    if (!keys_only || write.columns[column].key_ordinal > 0) chosen.push_back(column);
  }
  if (by_key && !keyed)
    return Status::fatal("a write by key into table " + sql::shown(sdk::view(write.table.name)) + " lists no key column");
  bool absent = false;
  for (uint64_t row = 0; row < write.row_count; ++row) {
    const cdcrt_cell* cells = write.cells + row * width;
    for (const uint32_t column : chosen) {
      if (cells[column].tag > CDCRT_NULL) continue;
      const bool is_key = by_key && write.columns[column].key_ordinal > 0;
      if (is_key || (write.kind == CDCRT_WRITE_REMOVE && cells[column].tag == CDCRT_ABSENT)) {
        return Status::bad_record(std::string(is_key ? "key column " : "column ") + sql::shown(sdk::view(write.columns[column].name)) +
                                  " of table " + sql::shown(sdk::view(write.table.name)) +
                                  (cells[column].tag == CDCRT_NULL ? " is NULL" : " has no value"));
      }
      absent = absent || cells[column].tag == CDCRT_ABSENT;
    }
  }
  if (!absent) {
    out.push_back(RowGroup{std::move(chosen), true, {}});
    return {};
  }
  std::map<std::string, std::size_t> known;
  std::string mask;
  for (uint64_t row = 0; row < write.row_count; ++row) {
    const cdcrt_cell* cells = write.cells + row * width;
    mask.assign(chosen.size(), '1');
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      if (cells[chosen[i]].tag == CDCRT_ABSENT) mask[i] = '0';
    }
    const auto [place, added] = known.emplace(mask, out.size());
    if (added) {
      RowGroup group;
      for (std::size_t i = 0; i < chosen.size(); ++i) {
        if (mask[i] == '1') group.columns.push_back(chosen[i]);
      }
      out.push_back(std::move(group));
    }
    out[place->second].rows.push_back(row);
  }
  return {};
}

}  // namespace cdcrt::odbc
