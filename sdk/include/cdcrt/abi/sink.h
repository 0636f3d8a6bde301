/* Sink plugins (experimental): connections that read a catalog, change it, and write sets of rows in transactions.
 *
 * The host owns the protocol: folding, evolution, leases, progress, dead letters. Its own records (progress, learned types)
 * are ordinary tables that it creates, reads and writes through the same functions, in the same transaction as the rows. */
#ifndef CDCRT_ABI_SINK_H
#define CDCRT_ABI_SINK_H

#include "value.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
  CDCRT_SINK_TRANSACTIONS = 1, /* begin/commit/rollback are atomic, read works: the host keeps progress in the target */
  CDCRT_SINK_SCHEMAS = 2,      /* tables live in schemas; else cdcrt_table.schema is ignored */
  CDCRT_SINK_EVENTS = 8,       /* wants every change in order (APPEND writes with operations), no folding: file, blackhole */
  CDCRT_SINK_TABLE_LOCKS = 16, /* rows cannot be locked: cdcrt_read.lock is ignored, the host calls `lock` first in a transaction */
  CDCRT_SINK_SAVEPOINTS = 32,  /* a part of a transaction can be taken back: see `savepoint` */
  CDCRT_SINK_RESTS = 128, /* whoever asks it anything keeps it awake, and that is paid for: while nothing happens the host asks nothing */
  CDCRT_SINK_LEAVES_THINGS = 512 /* keeps things outside of the target that outlive its process: the host calls `abandoned` */
};

typedef struct cdcrt_table {
  cdcrt_string schema; /* NULL: the connection's default */
  cdcrt_string name;
} cdcrt_table;

/* What the target's catalog says. The callee fills; the host releases. */
typedef struct cdcrt_table_description {
  uint32_t size;
  uint32_t exists;             /* 0: no such table */
  const cdcrt_column* columns; /* type: the nearest logical type (kind UNKNOWN when there is none); target_type: the raw one; key_ordinal:
                                  of the primary key */
  uint32_t column_count;
  uint32_t column_size; /* from one column to the next, bytes */
  uint32_t is_view;
  uint32_t folds_names; /* the names above are as the target keeps them, which does not tell ASCII case apart */
  void* owner;
  void (*release)(struct cdcrt_table_description*);
} cdcrt_table_description;

typedef enum cdcrt_change_kind {
  CDCRT_CREATE_TABLE = 1, /* and its schema when missing; columns in order; key_ordinal makes the primary key; no error if it exists */
  CDCRT_ADD_COLUMN =
      2, /* with its constant default, which fills existing rows and later inserts that lack the column; no error if it exists */
  CDCRT_ALTER_TYPE = 3,  /* existing values are converted: from.type -> column.type */
  CDCRT_DROP_COLUMN = 4, /* no error if it is gone */
  CDCRT_DROP_NOT_NULL = 5,
  CDCRT_DROP_TABLE = 6,   /* one that the host made and emptied, before it is made anew with another key; no error if it is gone */
  CDCRT_RENAME_COLUMN = 7 /* former_name -> name, with its values; no error if it was done already. Where the table has both, `name` holds
                             what rows have written since: it counts where it is not NULL, and `former_name`'s value elsewhere */
} cdcrt_change_kind;

typedef struct cdcrt_change {
  uint32_t size; /* also from one change to the next */
  uint32_t kind; /* cdcrt_change_kind */
  const cdcrt_column* columns;
  uint32_t column_count;      /* CREATE_TABLE: all; else 1 */
  uint32_t column_size;       /* from one column to the next, bytes */
  cdcrt_type from;            /* ALTER_TYPE: the logical type until now */
  const cdcrt_config* layout; /* CREATE_TABLE: by `layout_options`; NULL: the defaults (tables of the host) */
  uint64_t reserved[2];
} cdcrt_change;

typedef enum cdcrt_write_kind {
  CDCRT_WRITE_APPEND = 1, /* insert; columns not listed get their defaults */
  CDCRT_WRITE_UPSERT = 2, /* insert, or update the columns listed, by key; no key twice in one write */
  CDCRT_WRITE_PATCH = 3,  /* update by key; rows that match nothing are reported through `missing` */
  CDCRT_WRITE_DELETE =
      4, /* by the key columns listed, which may be the first ones of the key: every row that has them; missing rows are no error */
  CDCRT_WRITE_REPLACE = 5, /* delete by key, then insert: columns not listed get their defaults */
  CDCRT_WRITE_REMOVE = 6,  /* table without key: delete exactly one copy per row, all listed columns compared NULL-safely; a row may be
                              listed several times; missing ones are reported */
  CDCRT_WRITE_CLEAR = 7    /* delete every row, inside the transaction */
} cdcrt_write_kind;

/* A set of rows of one table with the same columns, row-major, stride column_count. Key columns have key_ordinal > 0. The host groups rows
 * by the columns that they have a value for, so that every cell is set; only sinks that take events (CDCRT_SINK_EVENTS) see ABSENT. */
typedef struct cdcrt_write {
  uint32_t size;
  uint32_t kind; /* cdcrt_write_kind */
  cdcrt_table table;
  const cdcrt_column* columns;
  uint32_t column_count;
  uint32_t column_size;    /* from one column to the next, bytes */
  uint32_t has_unique_key; /* the target has a unique index on exactly the key columns */
  uint32_t is_direct; /* 1: rows of the host's own, under locks that other processes wait for: through the connection alone, no files */
  const cdcrt_cell* cells;
  uint64_t row_count;
  const uint8_t* operations; /* EVENTS sinks: cdcrt_operation per row; else NULL */
  /* Called for each row that matched nothing (PATCH, REMOVE), with its index. May be NULL. */
  void (*missing)(void* context, uint64_t row);
  void* context;
  /* Told of changes that made values fit: cut or made NULL (CDCRT_COLUMN_MAY_CUT, _MAY_NULL), characters left out. May be NULL. */
  void (*overflowed)(void* context, uint64_t values);
} cdcrt_write;

/* One at a time, inside a transaction. */
typedef enum cdcrt_savepoint {
  CDCRT_SAVEPOINT_SET = 1,
  CDCRT_SAVEPOINT_RELEASE = 2,  /* what was done since stays. BAD_RECORD: the target refuses a row of it after all, ROLL_BACK follows */
  CDCRT_SAVEPOINT_ROLL_BACK = 3 /* what was done since is taken back, also where a statement failed, and the savepoint is gone */
} cdcrt_savepoint;

typedef enum cdcrt_lock { CDCRT_LOCK_NONE = 0, CDCRT_LOCK_SHARE = 1, CDCRT_LOCK_UPDATE = 2 } cdcrt_lock;

/* Rows of a table whose `key_count` first columns equal one of `key_rows` (row-major, stride key_count); all rows when key_count is 0. */
typedef struct cdcrt_read {
  uint32_t size; /* also from one read to the next, where there are several */
  uint32_t lock; /* cdcrt_lock; ignored where the sink has one writer */
  cdcrt_table table;
  const cdcrt_column* columns; /* wanted, keys first */
  uint32_t column_count;
  uint32_t column_size; /* from one column to the next, bytes */
  uint32_t key_count;
  uint32_t reserved;
  const cdcrt_cell* keys;
  uint64_t key_rows;
  int32_t (*visit)(void* context, const cdcrt_cell* row); /* cells borrowed for the call; other than 0 stops */
  void* context;
  uint64_t max_rows; /* with lock NONE: more are not wanted, and need not be fetched; 0: all */
} cdcrt_read;

/* What the target cannot exceed. 0: no limit. An event whose definition does is a dead letter, not a table that stops. */
typedef struct cdcrt_limits {
  uint32_t size;
  uint32_t name_bytes;         /* of a column's name */
  uint32_t columns;            /* of a table, dropped ones included */
  uint32_t unkeyable_types;    /* bits 1 << cdcrt_type_kind: no primary key can be made of them */
  cdcrt_string reserved_names; /* of columns, separated by blanks, compared in all letters: no table may have them; static */
  uint32_t
      has_keyable_arrays; /* 1: where arrays are among unkeyable_types, those whose elements have a type can be keys if that type can */
  uint32_t writers;       /* connections that may write at a time */
  int64_t time_us; /* the latest TIME, microseconds: the host makes an INTERVAL of a column whose times are lengths, later or negative */
  uint32_t bookkeeping_ms; /* records of the host that are no part of a write are written this seldom, because commits wait for one another;
                              0: as often as the host likes */
  uint32_t text_bytes;     /* of a text: what the host keeps for itself and may be longer goes into bytes, or is cut */
  uint32_t row_bytes;      /* of a row */
  uint32_t reserved;
} cdcrt_limits;

/* In the order of its life: the instance, its connections, and within a transaction. Instance functions may be called from any
 * thread; a connection is used by one thread at a time. After RETRY or UNREACHABLE inside a transaction the host calls rollback,
 * and close when that fails too. */
typedef struct cdcrt_sink {
  uint32_t size;
  uint32_t capabilities;
  /* Settings of one target table that count when it is made, given in a route's `layout`. NULL and 0: there are none. */
  const cdcrt_option* layout_options;
  uint32_t layout_option_count;
  uint32_t reserved;
  /* What the option table cannot judge: BAD_CONFIG with the option as key. Touches nothing outside the process, any thread. May be NULL. */
  int32_t (*check_layout)(const cdcrt_config* layout, cdcrt_error*);

  int32_t (*create)(const cdcrt_host*, const cdcrt_config*, void** self, cdcrt_error*);
  uint32_t (*capabilities_of)(void* self); /* once created: may depend on the settings (dialect); NULL: `capabilities` */
  /* Once created, after `capabilities_of`; zeros but for `size` come in. NULL: no limits are known. */
  void (*limits_of)(void* self, cdcrt_limits*);
  /* For sinks that keep things outside of the target, such as staged files; both may be NULL. `identify` is called once, before
   * the first open: what this process leaves outside is to be found again by `pipeline` and `process` (unique among processes,
   * also among past ones). `abandoned`: that process holds no lease any more; whatever it left can go. May be called again for a
   * process whose things are gone, and for processes that left nothing. */
  int32_t (*identify)(void* self, cdcrt_string pipeline, cdcrt_string process, cdcrt_error*);
  int32_t (*abandoned)(void* self, cdcrt_string process, cdcrt_error*);

  int32_t (*open)(void* self, void** connection, cdcrt_error*);
  int32_t (*begin)(void* connection, cdcrt_error*);
  /* TABLE_LOCKS: locks these tables of the host alone until the transaction ends, in this order; the transaction sees what was
   * committed before it got them. Called right after begin, with tables that exist; may be NULL where the capability is not set. */
  int32_t (*lock)(void* connection, const cdcrt_table* tables, uint32_t count, cdcrt_error*);
  /* What the catalog says of these tables is asked for soon, in this transaction: at once is cheaper than one by one. `fresh`: by
   * `describe`, and answers it once for each; else by writes and reads, where the connection may know it already. Writes of these tables in
   * this transaction may then be answered before they are done: where a later call says STALE_SCHEMA, the host does all of it again. NULL:
   * it is of no use. */
  int32_t (*expect)(void* connection, const cdcrt_table* tables, uint32_t count, uint32_t fresh, cdcrt_error*);
  int32_t (*describe)(void* connection, const cdcrt_table*, cdcrt_table_description*, cdcrt_error*);
  int32_t (*change)(void* connection, const cdcrt_table*, const cdcrt_change* changes, uint32_t count, cdcrt_error*);
  /* Of rows of the host under CDCRT_LOCK_SHARE the first answer in a transaction may be what a committed one was told, if COMMIT fails
   * (BUSY) where they are others by then. */
  int32_t (*read)(void* connection, const cdcrt_read*, cdcrt_error*);
  /* Several reads at once, which give their rows in any order; lock is NONE in all of them. NULL: the host reads one by one. */
  int32_t (*read_together)(void* connection, const cdcrt_read* reads, uint32_t count, cdcrt_error*);
  /* SAVEPOINTS: by cdcrt_savepoint. After a write that answered BAD_RECORD only ROLL_BACK, or the rollback of everything, may follow.
   * May be NULL where the capability is not set. */
  int32_t (*savepoint)(void* connection, uint32_t action, cdcrt_error*);
  int32_t (*write)(void* connection, const cdcrt_write*, cdcrt_error*);
  int32_t (*commit)(void* connection, cdcrt_error*); /* RETRY: the answer was lost, it may have happened */
  int32_t (*rollback)(void* connection, cdcrt_error*);
  void (*close)(void* connection);
  void (*destroy)(void* self); /* after all its connections were closed */
  /* Asks the clocks of other machines that matter to the sink what time they have. Outside of a transaction. NULL: there are none, or they
   * do not tell. Since 0.9. */
  int32_t (*clocks)(void* connection, void (*visit)(void* context, const cdcrt_clock*), void* context, cdcrt_error*);
} cdcrt_sink;

#ifdef __cplusplus
}
#endif
#endif
