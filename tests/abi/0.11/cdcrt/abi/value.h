/* Values, types, shapes and rows as they cross the boundary. Element structs are frozen: their stride is ABI. */
#ifndef CDCRT_ABI_VALUE_H
#define CDCRT_ABI_VALUE_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a cell holds. Times count from 1970-01-01 in the proleptic Gregorian calendar; a day has 86,400 s. */
typedef enum cdcrt_tag {
  CDCRT_ABSENT = 0, /* not in the event: the target's value stays (unchanged TOAST, partial update) */
  CDCRT_NULL = 1,
  CDCRT_BOOL = 2, /* integer 0 or 1 */
  CDCRT_I64 = 3,
  CDCRT_U64 = 4,
  CDCRT_F64 = 5,
  CDCRT_DECIMAL = 6,      /* text: -?digits[.digits], no exponent; or NaN, Infinity, -Infinity */
  CDCRT_DATE = 7,         /* integer: days; INT64_MAX / INT64_MIN: infinity / -infinity */
  CDCRT_TIME = 8,         /* integer: microseconds of the day; may be negative or beyond 24 h (MySQL TIME) */
  CDCRT_TIMESTAMP = 9,    /* integer: microseconds, no zone; INT64_MAX / INT64_MIN: infinity / -infinity */
  CDCRT_TIMESTAMPTZ = 10, /* integer: microseconds UTC; infinities as above */
  CDCRT_STRING = 11,      /* UTF-8; also a date or time of a declared column that microseconds do not hold: its ISO 8601 text */
  CDCRT_BYTES = 12,
  CDCRT_JSON = 13,    /* JSON text, digits as produced */
  CDCRT_UUID = 14,    /* text, 36 characters, lower case */
  CDCRT_ARRAY = 15,   /* JSON text of an array; inside, bytes are base64, dates and times ISO 8601 */
  CDCRT_INTERVAL = 16 /* ISO 8601 duration text: P1Y2M3DT4H5M6.5S, PT-3.5S */
} cdcrt_tag;

typedef struct cdcrt_cell {
  uint8_t tag; /* cdcrt_tag */
  uint8_t reserved8;
  uint16_t reserved16;
  uint32_t size; /* bytes at `data`, for text and bytes */
  union {
    int64_t integer;  /* BOOL, I64, DATE, TIME, TIMESTAMP, TIMESTAMPTZ */
    uint64_t natural; /* U64 */
    double real;      /* F64 */
    const char* data; /* BORROWED: from the batch's arena or the message's bytes */
  } value;
} cdcrt_cell;

/* Logical type of a column. */
typedef enum cdcrt_type_kind {
  CDCRT_TYPE_UNKNOWN = 0, /* the event carries no types: the host learns it from the cells */
  CDCRT_TYPE_BOOL = 1,
  CDCRT_TYPE_INT8 = 2,
  CDCRT_TYPE_INT16 = 3,
  CDCRT_TYPE_INT32 = 4,
  CDCRT_TYPE_INT64 = 5,
  CDCRT_TYPE_UINT64 = 6,
  CDCRT_TYPE_FLOAT32 = 7,
  CDCRT_TYPE_FLOAT64 = 8,
  CDCRT_TYPE_DECIMAL = 9, /* precision 0: unbounded */
  CDCRT_TYPE_DATE = 10,
  CDCRT_TYPE_TIME = 11,
  CDCRT_TYPE_TIMETZ = 12, /* cells are STRING: 12:34:56.789Z */
  CDCRT_TYPE_TIMESTAMP = 13,
  CDCRT_TYPE_TIMESTAMPTZ = 14,
  CDCRT_TYPE_STRING = 15, /* length in characters; 0: unbounded */
  CDCRT_TYPE_BYTES = 16,
  CDCRT_TYPE_JSON = 17,
  CDCRT_TYPE_UUID = 18,
  CDCRT_TYPE_ARRAY = 19,
  CDCRT_TYPE_INTERVAL = 20
} cdcrt_type_kind;

typedef struct cdcrt_type {
  uint8_t kind;    /* cdcrt_type_kind */
  uint8_t element; /* ARRAY: cdcrt_type_kind of the innermost elements, whose scale and length stand below; 0: of any kind */
  int16_t scale;   /* DECIMAL */
  uint32_t length; /* STRING: characters; DECIMAL: precision in digits; 0: unbounded */
} cdcrt_type;

enum {
  CDCRT_COLUMN_NOT_NULL = 1,
  CDCRT_COLUMN_DEFAULT = 2,         /* `default_value` is a constant of the source's definition */
  CDCRT_COLUMN_DEFAULT_CERTAIN = 4, /* the definition's text confirms it (else a temporal zero may stand for now()) */
  CDCRT_COLUMN_MAY_CUT = 8,         /* write: a text that the target's column cannot hold may be cut, between characters (on_overflow) */
  CDCRT_COLUMN_MAY_NULL = 16,       /* write: a value that the target's column cannot hold may become NULL (on_overflow) */
  CDCRT_COLUMN_KEEP = 32,   /* write: an operator's column that may not be altered, also not by a sink that widens columns by itself;
                               description: one whose type says more than the logical one (a domain), which altering would lose */
  CDCRT_COLUMN_ROUTED = 64, /* shape: no column of the source's table; a transform added it to the key. Excluded, it leaves the key */
  CDCRT_COLUMN_MAY_CUT_FRACTION =
      128, /* write: digits of a second that the target's column does not keep may be cut (on_overflow, and by default) */
  CDCRT_COLUMN_OF_HOST = 256, /* change, write, read: of a table of the host's own, which nobody else defines */
  CDCRT_COLUMN_HEX = 512, /* shape: where the table's column is one of bytes, a STRING is their hexadecimal digits, with or without 0x */
  CDCRT_COLUMN_ROUNDED = 1024 /* shape: an F64 is what is left of a number that lost digits; only a column of floats takes it */
};

typedef struct cdcrt_column {
  cdcrt_string name;
  cdcrt_type type;
  uint32_t flags;
  uint32_t key_ordinal; /* 1-based place in the primary key; 0: not in it */
  cdcrt_cell default_value;
  cdcrt_string target_type; /* host to sink only: raw type of the target; NULL: from `type` */
  cdcrt_string former_name; /* shape of a DEFINITION, change RENAME_COLUMN: the column's name until now; NULL: the same */
} cdcrt_column;

enum {
  CDCRT_SHAPE_DECLARED = 1,             /* types come from a schema, and a column that is not here does not exist at the source then */
  CDCRT_SHAPE_KEYED = 2,                /* the event says what the key is (an empty key then means: none) */
  CDCRT_SHAPE_KEY_IN_ONE_PARTITION = 4, /* rows that are equal in the key's columns come from one partition, as where the producer
                               partitions by them; else the host takes the newer of two rows of a key by its source_order */
  CDCRT_SHAPE_KEY_ELSEWHERE = 8,        /* the table has, or may have, a key that these events do not tell: a DEFINITION in the stream (of
                               any partition, earlier or later) or the manifest does. Rows wait until it is known, and are never applied
                               without a key. Beside KEYED, in a DEFINITION: of a table whose rows do not tell it */
  CDCRT_SHAPE_ABSENT_IS_NULL = 16,      /* the producer leaves NULLs out: a column of the table that this shape lacks is NULL in its rows */
  CDCRT_SHAPE_RENAMED = 32 /* DEFINITION: of all columns of the table after one of them was renamed. Where no former name is told,
                  it is the one column that is gone, if there is one alone, and one that is new */
};

/* The columns of one source table as one event knew them. */
typedef struct cdcrt_shape {
  uint32_t size;
  uint32_t flags;
  cdcrt_string database, schema, table; /* NULL where the source has none */
  const cdcrt_column* columns;
  uint32_t column_count;
  uint32_t column_size; /* from one column to the next, bytes */
  cdcrt_string server;  /* which of several servers with tables of one name it is; NULL: unknown */
} cdcrt_shape;

typedef enum cdcrt_operation {
  CDCRT_SNAPSHOT = 1,
  CDCRT_INSERT = 2,
  CDCRT_UPDATE = 3,
  CDCRT_DELETE = 4,
  CDCRT_TRUNCATE = 5,   /* no cells */
  CDCRT_DEFINITION = 6, /* the shape itself is the news; no cells */
  CDCRT_MARKER = 7      /* transaction boundary, heartbeat: counted, never a table */
} cdcrt_operation;

#define CDCRT_NO_CELLS UINT32_MAX

/* One change. Cells stand in the order of the shape's columns. */
typedef struct cdcrt_row {
  uint32_t shape;    /* id from the builder's intern(); ignored for MARKER */
  uint32_t message;  /* index of the message it came from */
  uint8_t operation; /* cdcrt_operation */
  uint8_t reserved8[3];
  uint32_t cells;     /* first cell of the row after the change; for DELETE of the row that is deleted (or its key, others ABSENT) */
  uint32_t before;    /* first cell of the image before the change; CDCRT_NO_CELLS: not in the event */
  uint32_t other_key; /* key change in two events: cells (whole row, all but the key ABSENT) of the new key on a DELETE, the old key on an
                         INSERT; else CDCRT_NO_CELLS */
  cdcrt_string source_order; /* bytes that compare in source order (memcmp, then length); NULL: the event has none */
  int64_t source_time_us;    /* commit time at the source, microseconds since 1970; 0: unknown */
} cdcrt_row;

#ifdef __cplusplus
}
#endif
#endif
