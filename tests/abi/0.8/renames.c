/* A format plugin of ABI 0.8 in C11, built from the headers as 0.8 had them: what any host that takes 0.8 has to load and to run.
 * A message is "former>name": the definition of a table with a column that was renamed. */
#include <stdlib.h>
#include <string.h>

#include "cdcrt/abi/plugin.h"

static int32_t fail(cdcrt_error* error, cdcrt_code code, const char* message) {
  error->code = (int32_t)code;
  error->message = message;
  return (int32_t)code;
}

static int32_t create(const cdcrt_host* host, const cdcrt_config* config, void** self, cdcrt_error* error) {
  (void)host;
  (void)config;
  *self = malloc(1);
  return *self != NULL ? CDCRT_OK : fail(error, CDCRT_FATAL, "out of memory");
}

static void set_text(cdcrt_string* to, const char* text, uint64_t size) {
  to->data = text;
  to->size = size;
}

static int32_t decode(void* self, const cdcrt_messages* messages, cdcrt_rows* rows, cdcrt_error* error) {
  (void)self;
  for (uint32_t i = 0; i < messages->count; ++i) {
    const cdcrt_message* message = (const cdcrt_message*)(const void*)((const char*)messages->messages + (size_t)messages->message_size * i);
    const char* text = message->value.data;
    const char* mark = text == NULL ? NULL : memchr(text, '>', message->value.size);
    if (mark == NULL) {
      cdcrt_error reason;
      memset(&reason, 0, sizeof reason);
      reason.size = sizeof reason;
      (void)fail(&reason, CDCRT_BAD_RECORD, "no renaming");
      rows->reject(rows, i, &reason);
      continue;
    }
    cdcrt_column columns[2];
    cdcrt_shape shape;
    memset(columns, 0, sizeof columns);
    memset(&shape, 0, sizeof shape);
    set_text(&columns[0].name, "id", 2);
    columns[0].type.kind = CDCRT_TYPE_INT64;
    columns[0].key_ordinal = 1;
    set_text(&columns[1].name, mark + 1, message->value.size - (uint64_t)(mark + 1 - text));
    set_text(&columns[1].former_name, text, (uint64_t)(mark - text));
    columns[1].type.kind = CDCRT_TYPE_STRING;
    shape.size = sizeof shape;
    shape.flags = CDCRT_SHAPE_DECLARED | CDCRT_SHAPE_KEYED;
    shape.table = messages->topic;
    shape.columns = columns;
    shape.column_count = 2;
    shape.column_size = sizeof columns[0];
    const uint32_t id = rows->intern(rows, &shape);
    if (rows->row_count == rows->row_capacity && rows->grow(rows, 1, 0) != 0) return fail(error, CDCRT_FATAL, "out of memory");
    cdcrt_row* row = rows->rows + rows->row_count++;
    memset(row, 0, sizeof *row);
    row->shape = id;
    row->message = i;
    row->operation = CDCRT_DEFINITION;
    row->cells = row->before = row->other_key = CDCRT_NO_CELLS;
  }
  return CDCRT_OK;
}

static const cdcrt_format functions = {sizeof(cdcrt_format), 0, create, decode, free};
static const cdcrt_plugin plugin = {sizeof(cdcrt_plugin), CDCRT_ABI_MAJOR, CDCRT_ABI_MINOR, CDCRT_FORMAT, 0, "renames", "1.0.0", "Renames.", "MIT", NULL, &functions, NULL};
static const cdcrt_plugin* const plugins[] = {&plugin};

const cdcrt_plugin* const* cdcrt_plugin_entry(uint32_t* count) {
  *count = 1;
  return plugins;
}
