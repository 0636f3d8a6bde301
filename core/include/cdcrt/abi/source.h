/* Source plugins (experimental): batches of messages, each of one partition. */
#ifndef CDCRT_ABI_SOURCE_H
#define CDCRT_ABI_SOURCE_H

#include "format.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cdcrt_extent {
  uint64_t done;  /* bytes (or messages) read so far */
  uint64_t total; /* 0: unknown */
} cdcrt_extent;

/* A piece of input that a source could not read as a message (half a line, noise, no position) still goes to the host: as a
 * message with one header of this name, whose value is the reason, and the raw bytes as its value. Where the piece does not say
 * where it belongs, topic, partition (-1) and offset are the source's own (file, line), ascending like any other. The host makes
 * a dead letter of it with that reason, without calling a format, and moves the progress of its partition past it. */
#define CDCRT_UNREADABLE_HEADER "cdcrt.unreadable"

enum { CDCRT_SOURCE_REWINDS = 1 /* seek backwards and fetch work */ };

/* All functions are called from one host thread, except fetch (any one thread, beside poll) and extent (any thread). */
typedef struct cdcrt_source {
  uint32_t size;
  uint32_t capabilities;
  int32_t (*create)(const cdcrt_host*, const cdcrt_config*, void** self, cdcrt_error*);
  /* Read `partition` of `topic` from `offset` on. Before start: where the target's progress ends; partitions never named
   * start at their beginning. After start: go there again; batches read after it carry `generation` (0 before any seek),
   * those already handed out keep theirs. UNSUPPORTED where the input cannot be read twice. */
  int32_t (*seek)(void* self, cdcrt_string topic, int32_t partition, int64_t offset, uint32_t generation, cdcrt_error*);
  int32_t (*start)(void* self, cdcrt_error*);
  /* The next batch; waits at most timeout_ms. OK with count 0: nothing now. END: everything was handed out (a later seek
   * makes poll go on). The host calls release on each batch, from any thread, any time later. */
  int32_t (*poll)(void* self, uint32_t timeout_ms, cdcrt_messages* out, cdcrt_error*);
  /* Read again the messages first..last (inclusive) of a partition: visit is called per message, in order; its answer other
   * than 0 stops. Missing offsets are no error. */
  int32_t (*fetch)(void* self, cdcrt_string topic, int32_t partition, int64_t first, int64_t last,
                   int (*visit)(void* context, const cdcrt_message*), void* context, cdcrt_error*);
  /* Everything before `offset` is durable in every target. A hint. */
  void (*commit)(void* self, cdcrt_string topic, int32_t partition, int64_t offset);
  cdcrt_extent (*extent)(void* self);
  void (*stop)(void* self); /* legal before start and twice */
  void (*destroy)(void* self);
} cdcrt_source;

#ifdef __cplusplus
}
#endif
#endif
