#include "json_row.hpp"

#include <string_view>

#include "cdcrt/sdk/cell_json.hpp"
#include "cdcrt/sdk/json_text.hpp"
#include "cdcrt/sdk/operation.hpp"
#include "cdcrt/sdk/status.hpp"

namespace cdcrt::file_sink {
namespace {

std::string_view operation(const cdcrt_write& write, uint64_t row) {
  if (write.operations != nullptr) return sdk::operation_name(write.operations[row]);
  switch (write.kind) {
    case CDCRT_WRITE_UPSERT: return "upsert";
    case CDCRT_WRITE_PATCH: return "update";
    case CDCRT_WRITE_DELETE:
    case CDCRT_WRITE_REMOVE: return "delete";
    case CDCRT_WRITE_REPLACE: return "replace";
    case CDCRT_WRITE_CLEAR: return "truncate";
    default: return "insert";
  }
}

/// ,"name":{...} with the columns that are set; nothing when there are none.
void append_columns(const cdcrt_write& write, const cdcrt_cell* cells, bool keys_only, std::string_view name, std::string& out) {
  bool is_first = true;
  for (uint32_t i = 0; i < write.column_count; ++i) {
    if (cells[i].tag == CDCRT_ABSENT || (keys_only && write.columns[i].key_ordinal == 0)) continue;
    if (is_first) {
      out += ",\"";
      out += name;
      out += "\":{";
    } else {
      out += ',';
    }
    is_first = false;
    sdk::append_json_string(out, sdk::view(write.columns[i].name));
    out += ':';
    sdk::append_json_cell(out, cells[i]);
  }
  if (!is_first) out += '}';
}

}  // namespace

void append_line(const cdcrt_write& write, uint64_t row, std::string& out) {
  out += '{';
  if (write.table.schema.size > 0) {
    out += "\"schema\":";
    sdk::append_json_string(out, sdk::view(write.table.schema));
    out += ',';
  }
  out += "\"table\":";
  sdk::append_json_string(out, sdk::view(write.table.name));
  out += ",\"op\":\"";
  out += operation(write, row);
  out += '"';
  if (row < write.row_count) {
    const cdcrt_cell* cells = write.cells + row * write.column_count;
    append_columns(write, cells, true, "key", out);
    append_columns(write, cells, false, "row", out);
  }
  out += "}\n";
}

}  // namespace cdcrt::file_sink
