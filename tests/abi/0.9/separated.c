/* A format plugin of ABI 0.9 in C11, built from the headers as 0.9 had them: what any host that takes 0.9 has to load and to run.
 * As that of 0.7, and its option had another name before. */
#include <stdlib.h>
#include <string.h>

#include "cdcrt/abi/plugin.h"

typedef struct lines {
  char separator;
} lines;

static int32_t fail(cdcrt_error* error, cdcrt_code code, const char* message) {
  error->code = (int32_t)code;
  error->message = message;
  return (int32_t)code;
}

static int32_t create(const cdcrt_host* host, const cdcrt_config* config, void** self, cdcrt_error* error) {
  (void)host;
  lines* made = malloc(sizeof *made);
  if (made == NULL) return fail(error, CDCRT_FATAL, "out of memory");
  made->separator = ',';
  for (uint32_t i = 0; i < config->count; ++i) {
    const cdcrt_option_value* value =
        (const cdcrt_option_value*)(const void*)((const char*)config->values + (size_t)config->value_size * i);
    if (strcmp(value->key, "separator") != 0 || value->is_set == 0) continue;
    if (value->string.size != 1) {
      free(made);
      error->config_key = "separator";
      return fail(error, CDCRT_BAD_CONFIG, "must be one character");
    }
    made->separator = value->string.data[0];
  }
  *self = made;
  return CDCRT_OK;
}

static void set_name(cdcrt_string* name, const char* text) {
  name->data = text;
  name->size = strlen(text);
}

static uint32_t shape_of(const cdcrt_messages* messages, cdcrt_rows* rows) {
  cdcrt_column columns[2];
  cdcrt_shape shape;
  memset(columns, 0, sizeof columns);
  memset(&shape, 0, sizeof shape);
  set_name(&columns[0].name, "id");
  columns[0].type.kind = CDCRT_TYPE_INT64;
  columns[0].key_ordinal = 1;
  set_name(&columns[1].name, "name");
  columns[1].type.kind = CDCRT_TYPE_STRING;
  shape.size = sizeof shape;
  shape.flags = CDCRT_SHAPE_DECLARED | CDCRT_SHAPE_KEYED | CDCRT_SHAPE_KEY_IN_ONE_PARTITION;
  shape.table = messages->topic;
  shape.columns = columns;
  shape.column_count = 2;
  shape.column_size = sizeof columns[0];
  return rows->intern(rows, &shape);
}

static int32_t decode(void* self, const cdcrt_messages* messages, cdcrt_rows* rows, cdcrt_error* error) {
  const lines* settings = self;
  const uint32_t shape = shape_of(messages, rows);
  for (uint32_t i = 0; i < messages->count; ++i) {
    const cdcrt_message* message =
        (const cdcrt_message*)(const void*)((const char*)messages->messages + (size_t)messages->message_size * i);
    const char* text = message->value.data;
    const char* end = text == NULL ? NULL : memchr(text, settings->separator, message->value.size);
    if (end == NULL) {
      cdcrt_error reason;
      memset(&reason, 0, sizeof reason);
      reason.size = sizeof reason;
      (void)fail(&reason, CDCRT_BAD_RECORD, "no separator");
      rows->reject(rows, i, &reason);
      continue;
    }
    if ((rows->row_count == rows->row_capacity || rows->cell_capacity - rows->cell_count < 2) && rows->grow(rows, 1, 2) != 0) {
      return fail(error, CDCRT_FATAL, "out of memory");
    }
    cdcrt_cell* cells = rows->cells + rows->cell_count;
    memset(cells, 0, 2 * sizeof *cells);
    cells[0].tag = CDCRT_I64;
    for (const char* digit = text; digit != end; ++digit) cells[0].value.integer = cells[0].value.integer * 10 + (*digit - '0');
    cells[1].tag = CDCRT_STRING;
    cells[1].size = (uint32_t)(message->value.size - (uint64_t)(end + 1 - text));
    cells[1].value.data = end + 1;
    cdcrt_row* row = rows->rows + rows->row_count++;
    memset(row, 0, sizeof *row);
    row->shape = shape;
    row->message = i;
    row->operation = CDCRT_INSERT;
    row->cells = rows->cell_count;
    row->before = row->other_key = CDCRT_NO_CELLS;
    rows->cell_count += 2;
  }
  return CDCRT_OK;
}

static const cdcrt_option options[] = {
    {sizeof(cdcrt_option), CDCRT_OPTION_STRING, 0, "separator", "Between number and name.", ",", "\";\"", NULL, 0, 0, "delimiter"}};
static const cdcrt_format functions = {sizeof(cdcrt_format), 0, create, decode, free};
static const cdcrt_plugin plugin = {sizeof(cdcrt_plugin),
                                    CDCRT_ABI_MAJOR,
                                    CDCRT_ABI_MINOR,
                                    CDCRT_FORMAT,
                                    1,
                                    "separated",
                                    "1.0.0",
                                    "Lines.",
                                    "MIT",
                                    options,
                                    &functions,
                                    NULL};
static const cdcrt_plugin* const plugins[] = {&plugin};

const cdcrt_plugin* const* cdcrt_plugin_entry(uint32_t* count) {
  *count = 1;
  return plugins;
}
