/* Ground of the plugin boundary: strings, codes, errors, option tables. C11, no allocation rules but the ones written here.
 *
 * Ownership, unless a declaration says otherwise: every pointer that crosses the boundary is BORROWED and valid until the
 * call it was passed to returns. No C++ type, exception or allocator crosses; no function may let an exception out.
 *
 * How it grows. A struct that begins with `size` is only ever appended to: whoever made it writes there how many bytes it has,
 * whoever reads it takes what both know, and what is not there counts as zero (a function: NULL, not offered). Structs in arrays
 * keep their distance: a struct with `size` is as far from the next as its `size` says, the same for all of an array; columns,
 * option values and messages have their distance beside their count (`column_size`, `value_size`, `message_size`). The others
 * (cdcrt_string, cdcrt_type, cdcrt_cell, cdcrt_row, cdcrt_header, cdcrt_table, cdcrt_extent, cdcrt_bounds) are frozen.
 * `reserved` members are zero, and nobody reads them. Pointers have 64 bits.
 *
 * ABI 0.x: a host takes plugins of the minors from CDCRT_ABI_OLDEST_MINOR to its own. From 1.0 on they must be equal in major. */
#ifndef CDCRT_ABI_BASE_H
#define CDCRT_ABI_BASE_H

#include <stddef.h>
#include <stdint.h>

#define CDCRT_ABI_MAJOR 0
#define CDCRT_ABI_MINOR 11
#define CDCRT_ABI_OLDEST_MINOR 7

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes, not NUL-terminated; UTF-8 where they are text. `data` may be NULL: absent, as a Kafka null is not an empty value. */
typedef struct cdcrt_string {
  const char* data;
  uint64_t size; /* bytes */
} cdcrt_string;

/* What a call answers. The class decides what the host does. */
typedef enum cdcrt_code {
  CDCRT_OK = 0,
  CDCRT_RETRY = 1,        /* transient: connection lost, deadlock, throttled; the host backs off and calls again */
  CDCRT_BAD_RECORD = 2,   /* this record (or one of these rows) cannot be decoded or stored; becomes a dead letter */
  CDCRT_BAD_CONFIG = 3,   /* the manifest is wrong; `config_key` names the option */
  CDCRT_AUTH = 4,         /* credentials refused */
  CDCRT_UNSUPPORTED = 5,  /* the outside system cannot do this */
  CDCRT_FATAL = 6,        /* the plugin cannot go on */
  CDCRT_STALE_SCHEMA = 7, /* a table or column is missing or differs from what the host believes: read the catalog again */
  CDCRT_UNREACHABLE = 8,  /* environment: host not found, driver missing, file not there */
  CDCRT_END = 9,          /* source: end of the input, nothing will follow */
  CDCRT_BUSY = 10         /* sink: this table is locked by others (lock timeout, deadlock, serialization); the connection is
                           * fine, the transaction is over; it is tried again, and after `stall_after` the table is detached */
} cdcrt_code;

/* An error. The caller zeroes it and sets `size`; the callee fills it; whoever holds it calls `release` once if not NULL. */
typedef struct cdcrt_error {
  uint32_t size;
  int32_t code;     /* cdcrt_code */
  int32_t native;   /* the outside system's own number, 0 when none */
  char sqlstate[6]; /* NUL-terminated, empty when none */
  char reserved[6];
  const char* message;    /* what happened, where, why; values last; never a secret */
  const char* hint;       /* what to do; NULL when nothing is known */
  const char* config_key; /* dotted option key below the plugin's table, for BAD_CONFIG; the host prints file:line:column */
  void* owner;
  void (*release)(struct cdcrt_error*);
} cdcrt_error;

/* ---- options: the one declaration of a plugin's settings ---- */

typedef enum cdcrt_option_type {
  CDCRT_OPTION_STRING = 1,
  CDCRT_OPTION_INTEGER = 2,
  CDCRT_OPTION_FLOAT = 3,
  CDCRT_OPTION_BOOLEAN = 4,
  CDCRT_OPTION_DURATION = 5, /* "30s", "250ms"; crosses as microseconds */
  CDCRT_OPTION_BYTES = 6,    /* "64MiB"; crosses as bytes */
  CDCRT_OPTION_ENUM = 7,     /* one of enum_values; crosses as string */
  CDCRT_OPTION_LIST = 8,     /* list of strings */
  CDCRT_OPTION_MAP = 9,      /* table of string keys to strings, numbers and booleans; crosses as strings */
  CDCRT_OPTION_PATH = 10,    /* relative to the manifest's folder; crosses absolute. "-" stays "-" */
  CDCRT_OPTION_PATHS = 11    /* one path or a list of them; globs allowed; crosses as list of absolute paths */
} cdcrt_option_type;

enum {
  CDCRT_OPTION_REQUIRED = 1,
  CDCRT_OPTION_SECRET = 2,
  CDCRT_OPTION_ADVANCED = 4,
  CDCRT_OPTION_NOT_YET = 8,  /* refused as not yet available */
  CDCRT_OPTION_MINIMUM = 16, /* `minimum` is the least value allowed */
  CDCRT_OPTION_MAXIMUM = 32 /* `maximum` is the greatest value allowed */,
  CDCRT_OPTION_SHARED = 64, /* a sink and a source of one name have it, with one meaning: how to connect */
  CDCRT_OPTION_PLACE = 128  /* sink: where rows go when it keeps dead letters, which it can; the source of its name: what it reads */
};

/* Static, lives as long as the shared object. Keys may be dotted ("batch.max_rows"). */
typedef struct cdcrt_option {
  uint32_t size;
  uint16_t type; /* cdcrt_option_type */
  uint16_t flags;
  const char* key;
  const char* doc;                /* one or two sentences; Markdown */
  const char* default_value;      /* as written in a manifest, without quotes; NULL: none */
  const char* example;            /* as written in a manifest; NULL: none */
  const char* const* enum_values; /* NULL-terminated; NULL unless ENUM */
  double minimum, maximum;        /* inclusive, in the crossing unit; they count where `flags` say so */
  /* Names that the key had before, separated by blanks, in the same table of the manifest ("batch.age" of "batch.max_age"): still read,
   * with a warning. NULL: none. Since 0.9. */
  const char* former_keys;
} cdcrt_option;

/* One typed value. Only the member that the type names is set. */
typedef struct cdcrt_option_value {
  const char* key;
  uint16_t type;
  uint16_t is_set; /* 0: neither given nor defaulted */
  uint32_t count;  /* LIST, PATHS: strings; MAP: pairs (keys at [2i], values at [2i+1]) */
  int64_t integer; /* INTEGER, BOOLEAN, DURATION (us), BYTES */
  double real;
  cdcrt_string string;
  const cdcrt_string* strings;
  uint64_t reserved[2];
} cdcrt_option_value;

/* A plugin's settings: checked, defaulted, interpolated, in the order of its option table. Borrowed for the call. */
typedef struct cdcrt_config {
  uint32_t size;
  uint32_t count;
  const cdcrt_option_value* values;
  uint32_t value_size; /* from one value to the next, bytes */
  uint32_t reserved;
  cdcrt_string name;     /* of the component in the manifest: "warehouse" of [sinks.warehouse] */
  cdcrt_string pipeline; /* name of the pipeline */
} cdcrt_config;

/* A clock of another machine, that of the target or of what the sink uses beside it. Since 0.9. */
typedef struct cdcrt_clock {
  uint32_t size;
  uint32_t reserved;
  cdcrt_string owner;  /* "the database", "S3" */
  int64_t ahead_us;    /* how far it is ahead of this machine's; negative: behind */
  int64_t accuracy_us; /* how far that may be from the truth: the time that the question took, the digits of the answer */
  int64_t allowed_us;  /* beyond this difference it refuses what is signed here; 0: it does not look at times */
} cdcrt_clock;

typedef enum cdcrt_log_level { CDCRT_LOG_DEBUG = 1, CDCRT_LOG_INFO = 2, CDCRT_LOG_WARNING = 3, CDCRT_LOG_ERROR = 4 } cdcrt_log_level;

/* Services of the host. Valid for the life of the process; every function may be called from any thread. */
typedef struct cdcrt_host {
  uint32_t size;
  uint16_t abi_major, abi_minor;
  void* self;
  const int32_t* log_level; /* read before formatting: below it, log() drops */
  void (*log)(void* self, int32_t level, cdcrt_string component, cdcrt_string message);
  /* Other than 0: the process stops and waits no longer. Calls that wait for something outside end, with RETRY. Any thread; may be
   * NULL. */
  int32_t (*leaves)(void* self);
} cdcrt_host;

#ifdef __cplusplus
}
#endif
#endif
