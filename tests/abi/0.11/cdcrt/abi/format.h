/* Format plugins: a batch of messages in, rows out. */
#ifndef CDCRT_ABI_FORMAT_H
#define CDCRT_ABI_FORMAT_H

#include "value.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cdcrt_header {
  cdcrt_string name;
  cdcrt_string value;
} cdcrt_header;

/* One message. Its bytes are const: a decoder that parses in situ copies into its own padded scratch first. */
typedef struct cdcrt_message {
  cdcrt_string key;   /* data NULL: null key */
  cdcrt_string value; /* data NULL: tombstone */
  const cdcrt_header* headers;
  uint32_t header_count;
  uint32_t reserved;
  int64_t offset;
  int64_t timestamp_ms; /* of the message in the log; -1: unknown */
  /* Of the source, never of whoever produced the message: not NULL where a piece of input could not be read as a message (half a
   * line, noise, no position). It says why, and `value` holds the raw bytes; no format sees it. See cdcrt_source. */
  cdcrt_string unreadable;
} cdcrt_message;

/* Messages of one partition, offsets ascending. */
typedef struct cdcrt_messages {
  uint32_t size;
  int32_t partition;
  cdcrt_string topic;
  const cdcrt_message* messages;
  uint32_t count;
  uint32_t message_size; /* from one message to the next, bytes */
  uint32_t generation;   /* see cdcrt_source.seek */
  uint32_t reserved;
  uint64_t bytes; /* memory the batch holds until it is released */
  void* owner;
  void (*release)(struct cdcrt_messages*); /* any thread, once */
} cdcrt_messages;

/* Where a decoder writes. Rows and cells are plain arrays that the plugin fills (see sdk/row_builder.hpp) and the host reads
 * when decode returns. Owned by the host; cells borrow from the arena or the messages; all die when the host clears it. */
typedef struct cdcrt_rows {
  uint32_t size;
  uint32_t row_count, row_capacity;
  uint32_t cell_count, cell_capacity;
  uint32_t reserved;
  cdcrt_row* rows;
  cdcrt_cell* cells;
  char* arena_next; /* bump allocator: take bytes from here up to arena_end, else call arena_grow */
  char* arena_end;
  void* self;
  /* Make room for that many more; 0: done, else memory is exhausted. Pointers above may change. */
  int32_t (*grow)(struct cdcrt_rows*, uint32_t more_rows, uint32_t more_cells);
  char* (*arena_grow)(struct cdcrt_rows*, uint64_t bytes); /* a block of at least `bytes`, taken; NULL: exhausted */
  /* Id of a shape, equal for equal shapes, valid for the life of the instance: call once per shape and cache. Copies. UINT32_MAX:
   * the shape is broken; decode need not care, the host says why and stops. */
  uint32_t (*intern)(struct cdcrt_rows*, const cdcrt_shape*);
  /* This message cannot be decoded: dead letter with the error's code and message. Rows it produced so far are dropped. Copies. */
  void (*reject)(struct cdcrt_rows*, uint32_t message, const cdcrt_error*);
} cdcrt_rows;

/* One instance per decode worker, used by one thread at a time; several instances run in parallel. An instance keeps nothing
 * that changes results: caches only. A message may produce no row, one or many, in message order. */
typedef struct cdcrt_format {
  uint32_t size;
  uint32_t capabilities;
  int32_t (*create)(const cdcrt_host*, const cdcrt_config*, void** self, cdcrt_error*);
  /* Not OK: the plugin itself failed (FATAL), nothing of the batch counts. Bad messages are reject()ed instead. */
  int32_t (*decode)(void* self, const cdcrt_messages*, cdcrt_rows*, cdcrt_error*);
  void (*destroy)(void* self);
} cdcrt_format;

#ifdef __cplusplus
}
#endif
#endif
