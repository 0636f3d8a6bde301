// A format plugin of a later version of the ABI: everything that may grow has grown. Today's host takes what it knows of it.
#include <cstring>

#include "cdcrt/abi/plugin.h"

namespace {

struct LaterPlugin : cdcrt_plugin {
  const char* homepage;
};
struct LaterFormat : cdcrt_format {
  int32_t (*later)(void*);
};
struct LaterOption : cdcrt_option {
  const char* unit;
};
struct LaterColumn : cdcrt_column {
  uint64_t collation[2];
};
struct LaterShape : cdcrt_shape {
  cdcrt_string owner;
};

cdcrt_string text(const char* from) { return {from, std::strlen(from)}; }

int32_t create(const cdcrt_host*, const cdcrt_config*, void** self, cdcrt_error*) {
  *self = nullptr;
  return CDCRT_OK;
}

// A row of two numbers per message: its offset, and how many columns there are.
int32_t decode(void*, const cdcrt_messages* messages, cdcrt_rows* rows, cdcrt_error*) {
  LaterColumn columns[2] = {};
  columns[0].name = text("offset");
  columns[1].name = text("columns");
  for (auto& column : columns) {
    column.type.kind = CDCRT_TYPE_INT64;
    column.collation[0] = column.collation[1] = ~uint64_t{0};
  }
  LaterShape shape{};
  shape.size = sizeof shape;
  shape.flags = CDCRT_SHAPE_DECLARED;
  shape.table = text("later");
  shape.columns = columns;
  shape.column_count = 2;
  shape.column_size = sizeof columns[0];
  shape.owner = {nullptr, 99};
  const uint32_t id = rows->intern(rows, &shape);
  for (uint32_t i = 0; i < messages->count; ++i) {
    if (rows->grow(rows, 1, 2) != 0) return CDCRT_FATAL;
    cdcrt_cell* cells = rows->cells + rows->cell_count;
    std::memset(cells, 0, 2 * sizeof *cells);
    cells[0].tag = cells[1].tag = CDCRT_I64;
    cells[0].value.integer = messages->messages[i].offset;
    cells[1].value.integer = 2;
    cdcrt_row& row = rows->rows[rows->row_count++];
    row = {};
    row.shape = id;
    row.message = i;
    row.operation = CDCRT_INSERT;
    row.cells = rows->cell_count;
    row.before = row.other_key = CDCRT_NO_CELLS;
    rows->cell_count += 2;
  }
  return CDCRT_OK;
}

void destroy(void*) {}

LaterOption option(const char* key) {
  LaterOption made{};
  made.size = sizeof made;
  made.type = CDCRT_OPTION_INTEGER;
  made.key = key;
  made.doc = "A number.";
  made.unit = "m";
  return made;
}

}  // namespace

extern "C" CDCRT_EXPORT const cdcrt_plugin* const* cdcrt_plugin_entry(uint32_t* count) {
  static const LaterOption options[] = {option("first"), option("second"), option("third")};
  static const LaterFormat functions = [] {
    LaterFormat made{};
    made.size = sizeof made;
    made.create = create;
    made.decode = decode;
    made.destroy = destroy;
    return made;
  }();
  static const LaterPlugin plugin = [] {
    LaterPlugin made{};
    made.size = sizeof made;
    made.abi_major = CDCRT_ABI_MAJOR;
    made.abi_minor = CDCRT_ABI_MINOR;
    made.kind = CDCRT_FORMAT;
    made.option_count = 3;
    made.name = "later";
    made.version = "2.0.0";
    made.options = options;
    made.functions = &functions;
    made.homepage = "https://example.org";
    return made;
  }();
  static const cdcrt_plugin* const plugins[] = {&plugin};
  *count = 1;
  return plugins;
}
