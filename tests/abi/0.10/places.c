/* A source plugin of ABI 0.10 in C11, built from the headers as 0.10 had them: what any host that takes 0.10 has to load and to run.
 * It is asked for many partitions at once: each begins at its number and ends ten later; of negative ones it tells nothing. */
#include <string.h>

#include "cdcrt/abi/plugin.h"

static int instance;

static int32_t create(const cdcrt_host* host, const cdcrt_config* config, void** self, cdcrt_error* error) {
  (void)host;
  (void)config;
  (void)error;
  *self = &instance;
  return CDCRT_OK;
}

static int32_t seek(void* self, cdcrt_string topic, int32_t partition, int64_t offset, uint32_t generation, cdcrt_error* error) {
  (void)self;
  (void)topic;
  (void)partition;
  (void)offset;
  (void)generation;
  (void)error;
  return CDCRT_OK;
}

static int32_t start(void* self, const cdcrt_source_events* events, cdcrt_error* error) {
  (void)self;
  (void)events;
  (void)error;
  return CDCRT_OK;
}

static int32_t poll(void* self, uint32_t timeout_ms, cdcrt_messages* out, cdcrt_error* error) {
  (void)self;
  (void)timeout_ms;
  (void)out;
  (void)error;
  return CDCRT_END;
}

static int32_t fetch(void* self, cdcrt_string topic, int32_t partition, int64_t first, int64_t last,
                     int32_t (*visit)(void* context, const cdcrt_message*), void* context, cdcrt_error* error) {
  (void)self;
  (void)topic;
  (void)partition;
  (void)first;
  (void)last;
  (void)visit;
  (void)context;
  (void)error;
  return CDCRT_OK;
}

static void commit(void* self, cdcrt_string topic, int32_t partition, int64_t offset) {
  (void)self;
  (void)topic;
  (void)partition;
  (void)offset;
}

static cdcrt_extent extent(void* self) {
  const cdcrt_extent none = {0, 0};
  (void)self;
  return none;
}

static void nothing(void* self) { (void)self; }

static const cdcrt_place* place_at(const cdcrt_places* places, uint64_t index) {
  return (const cdcrt_place*)(const void*)((const char*)places->places + (size_t)places->place_size * index);
}

static int32_t bounds_of(void* self, const cdcrt_places* places, void (*answer)(void* context, uint64_t index, const cdcrt_bounds*),
                         void* context, cdcrt_error* error) {
  (void)self;
  (void)error;
  for (uint64_t i = 0; i < places->count; ++i) {
    const int32_t number = place_at(places, i)->partition;
    const cdcrt_bounds bounds = {number, number + 10};
    if (number >= 0) answer(context, i, &bounds);
  }
  return CDCRT_OK;
}

static int32_t messages_at(void* self, const cdcrt_places* places, void (*answer)(void* context, uint64_t index, const cdcrt_message*),
                           void* context, cdcrt_error* error) {
  (void)self;
  (void)error;
  for (uint64_t i = 0; i < places->count; ++i) {
    const cdcrt_place* place = place_at(places, i);
    cdcrt_message message;
    memset(&message, 0, sizeof message);
    message.offset = place->offset;
    message.timestamp_ms = 1000 + place->offset;
    if (place->partition < 0) continue;
    answer(context, i, place->offset < place->partition + 10 ? &message : NULL);
  }
  return CDCRT_OK;
}

static const cdcrt_source functions = {sizeof(cdcrt_source),
                                       0,
                                       create,
                                       NULL,
                                       NULL,
                                       NULL,
                                       NULL,
                                       NULL,
                                       seek,
                                       start,
                                       poll,
                                       NULL,
                                       fetch,
                                       commit,
                                       extent,
                                       nothing,
                                       nothing,
                                       bounds_of,
                                       NULL,
                                       messages_at};
static const cdcrt_plugin plugin = {
    sizeof(cdcrt_plugin), CDCRT_ABI_MAJOR, CDCRT_ABI_MINOR, CDCRT_SOURCE, 0, "places", "1.0.0", "Places.", "MIT", NULL, &functions, NULL};
static const cdcrt_plugin* const plugins[] = {&plugin};

const cdcrt_plugin* const* cdcrt_plugin_entry(uint32_t* count) {
  *count = 1;
  return plugins;
}
