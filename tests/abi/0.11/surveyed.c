/* A source plugin of ABI 0.11 in C11, built from the headers as 0.11 had them: what any host that takes 0.11 has to load and to run.
 * It tells how many files a run of it opens. */
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

static int32_t survey(void* self, cdcrt_survey* out, cdcrt_error* error) {
  (void)self;
  (void)error;
  out->left_out = 3;
  out->files = 4711;
  return CDCRT_OK;
}

static const cdcrt_source functions = {sizeof(cdcrt_source),
                                       0,
                                       create,
                                       NULL,
                                       NULL,
                                       NULL,
                                       NULL,
                                       survey,
                                       seek,
                                       start,
                                       poll,
                                       NULL,
                                       fetch,
                                       commit,
                                       extent,
                                       nothing,
                                       nothing,
                                       NULL,
                                       NULL,
                                       NULL};
static const cdcrt_plugin plugin = {
    sizeof(cdcrt_plugin), CDCRT_ABI_MAJOR, CDCRT_ABI_MINOR, CDCRT_SOURCE, 0, "surveyed", "1.0.0", "Surveyed.", "MIT", NULL, &functions, NULL};
static const cdcrt_plugin* const plugins[] = {&plugin};

const cdcrt_plugin* const* cdcrt_plugin_entry(uint32_t* count) {
  *count = 1;
  return plugins;
}
