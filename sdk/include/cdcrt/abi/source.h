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

enum {
  CDCRT_SOURCE_REWINDS = 1, /* seek backwards and fetch work */
  CDCRT_SOURCE_GROUPS = 2,  /* partitions are assigned to this process and taken away while it runs; list, bounds, origin and
                             * offset_at work. Without it every partition is this process's own from the start. */
  CDCRT_SOURCE_NOTES = 4    /* not with GROUPS: the source keeps notes beside the progress, see CDCRT_NOTE_PARTITION */
};

/* Partitions with this number and below are notes of the source's own: what it must know again at the next start, as an offset above 0
 * under a name. A message of one only raises it: nothing decodes it. Whoever moves progress leaves them. Before start the host gives every
 * note that is kept to seek, after the progress; then it asks list for all notes that are to be kept and origin for their offsets, and
 * what is new of them is durable before start. */
#define CDCRT_NOTE_PARTITION (-2)

/* What a source with GROUPS tells the host, from within poll, serve or stop, on their thread. The host only takes note. */
typedef struct cdcrt_source_events {
  uint32_t size;
  uint32_t reserved;
  void* self;
  /* This process may read the partition now. Nothing of it is handed out before the host's seek. */
  void (*assigned)(void* self, cdcrt_string topic, int32_t partition);
  /* Taken away (or lost): nothing more of it is handed out, a seek to it that comes late is ignored. */
  void (*revoked)(void* self, cdcrt_string topic, int32_t partition);
} cdcrt_source_events;

/* Offsets of a partition as its log stands now. */
typedef struct cdcrt_bounds {
  int64_t first; /* of the oldest message that can still be read */
  int64_t end;   /* the one after the last message */
} cdcrt_bounds;

/* A place in a log. Frozen. */
typedef struct cdcrt_place {
  cdcrt_string topic;
  int32_t partition;
  int32_t reserved;
  int64_t offset;
} cdcrt_place;

/* Places that are asked for together, each of another partition. Since 0.10. */
typedef struct cdcrt_places {
  uint32_t size;
  uint32_t place_size; /* from one place to the next, bytes */
  const cdcrt_place* places;
  uint64_t count;
} cdcrt_places;

/* What a source was asked for and what it met. */
typedef struct cdcrt_survey {
  uint32_t size;
  uint32_t files;    /* about as many files and connections a run has open for it; 0: not told, few. Since 0.11. */
  uint64_t left_out; /* messages that were read and that the settings (topics) do not want, since the last rewind */
  /* An entry of the option `key` that nothing met so far. */
  void (*unmet)(void* context, cdcrt_string key, cdcrt_string entry);
  void* context;
} cdcrt_survey;

/* In the order of its life. start, poll, serve, seek, commit and stop are called from one host thread; fetch from any one thread
 * beside it; list, bounds, origin, offset_at, bounds_of, origins_of, survey and extent from any thread, also without start; messages_at
 * from the thread that calls fetch.
 *
 * A piece of input that a source cannot read as a message goes to the host all the same, see cdcrt_message.unreadable. Where the
 * piece does not say where it belongs, topic, partition (-1) and offset are the source's own (file, line), ascending like any
 * other. The host makes a dead letter of it with that reason and moves the progress of its partition past it. */
typedef struct cdcrt_source {
  uint32_t size;
  uint32_t capabilities;
  int32_t (*create)(const cdcrt_host*, const cdcrt_config*, void** self, cdcrt_error*);
  /* GROUPS: every partition of the topics that the settings name now; NOTES: every note that is to be kept. Other than 0 from visit stops.
   */
  int32_t (*list)(void* self, int32_t (*visit)(void* context, cdcrt_string topic, int32_t partition), void* context, cdcrt_error*);
  int32_t (*bounds)(void* self, cdcrt_string topic, int32_t partition, cdcrt_bounds* out, cdcrt_error*);
  /* GROUPS: where the source's own settings (`start`) say that reading begins when the target holds no progress. NOTES: of a note. */
  int32_t (*origin)(void* self, cdcrt_string topic, int32_t partition, int64_t* offset, cdcrt_error*);
  /* GROUPS: offset of the first message at or after that time (milliseconds since 1970); the end when there is none. */
  int32_t (*offset_at)(void* self, cdcrt_string topic, int32_t partition, int64_t timestamp_ms, int64_t* offset, cdcrt_error*);
  /* Where GROUPS sources ask their server; of others what was read since start counts. May be NULL. */
  int32_t (*survey)(void* self, cdcrt_survey* out, cdcrt_error*);
  /* Read `partition` of `topic` from `offset` on. Before start: where the target's progress ends; partitions never named
   * start at their beginning. A partition may be named twice, the second time for a place a little lower: what lies between was
   * applied, and is asked for only to see whether it is still the same. After start: go there again; batches read after it carry
   * `generation` (0 before any seek), those already handed out keep theirs. UNSUPPORTED where the input cannot be read twice. */
  int32_t (*seek)(void* self, cdcrt_string topic, int32_t partition, int64_t offset, uint32_t generation, cdcrt_error*);
  int32_t (*start)(void* self, const cdcrt_source_events* events /* outlives the instance */, cdcrt_error*);
  /* The next batch; waits at most timeout_ms. OK with count 0: nothing now. END: everything was handed out (a later seek
   * makes poll go on). `out` comes zeroed but for `size`. The host calls release on each batch, from any thread, any time later. */
  int32_t (*poll)(void* self, uint32_t timeout_ms, cdcrt_messages* out, cdcrt_error*);
  /* Called instead of poll while the host has no room for messages: keeps membership alive, tells of assignments. */
  int32_t (*serve)(void* self, cdcrt_error*);
  /* Read again the messages first..last (inclusive) of a partition: visit is called per message, in order; its answer other
   * than 0 stops. Missing offsets are no error. */
  int32_t (*fetch)(void* self, cdcrt_string topic, int32_t partition, int64_t first, int64_t last,
                   int32_t (*visit)(void* context, const cdcrt_message*), void* context, cdcrt_error*);
  /* Everything before `offset` is durable in every target. A hint. */
  void (*commit)(void* self, cdcrt_string topic, int32_t partition, int64_t offset);
  cdcrt_extent (*extent)(void* self);
  void (*stop)(void* self); /* legal before start and twice */
  void (*destroy)(void* self);
  /* Of many partitions what bounds answers of one, in few requests; offsets are not read. `answer` is called within the call, once at most
   * for each place; the host asks bounds for what was not answered, and hears there why. May be NULL, as what follows. Since 0.10. */
  int32_t (*bounds_of)(void* self, const cdcrt_places*, void (*answer)(void* context, uint64_t index, const cdcrt_bounds*), void* context,
                       cdcrt_error*);
  /* Of many partitions what origin answers of one; as bounds_of. Since 0.10. */
  int32_t (*origins_of)(void* self, const cdcrt_places*, void (*answer)(void* context, uint64_t index, int64_t offset), void* context,
                        cdcrt_error*);
  /* The messages at these offsets, in few requests. The message is NULL where the log has none at the offset (any more); the host asks
   * fetch for what was not answered. Since 0.10. */
  int32_t (*messages_at)(void* self, const cdcrt_places*, void (*answer)(void* context, uint64_t index, const cdcrt_message*),
                         void* context, cdcrt_error*);
} cdcrt_source;

#ifdef __cplusplus
}
#endif
#endif
