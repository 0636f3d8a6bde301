/* What a shared object exports: one symbol, `cdcrt_plugin_entry`, returning static descriptors. Identity is (kind, name). */
#ifndef CDCRT_ABI_PLUGIN_H
#define CDCRT_ABI_PLUGIN_H

#include "format.h"
#include "sink.h"
#include "source.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum cdcrt_plugin_kind { CDCRT_SOURCE = 1, CDCRT_FORMAT = 2, CDCRT_SINK = 3 } cdcrt_plugin_kind;

/* Static, lives as long as the shared object. The first three members never move, in any version. */
typedef struct cdcrt_plugin {
  uint32_t size;
  uint16_t abi_major, abi_minor;
  uint32_t kind; /* cdcrt_plugin_kind */
  uint32_t option_count;
  const char* name;            /* lower case, digits and '-' */
  const char* version;         /* semantic */
  const char* summary;         /* one line */
  const char* license;         /* SPDX */
  const cdcrt_option* options; /* each as far from the next as the first one's `size` says */
  const void* functions;       /* cdcrt_source, cdcrt_format or cdcrt_sink */
  const char* notes;           /* Markdown printed by `plugin describe` (type mapping and the like); NULL: none */
} cdcrt_plugin;

/* Sizes, by version, of what comes out of a plugin: a host takes nothing shorter than the oldest version has that it speaks. */
enum {
  CDCRT_PLUGIN_SIZE_0_7 = 72,
  CDCRT_OPTION_SIZE_0_7 = 64,
  CDCRT_SOURCE_SIZE_0_7 = 128,
  CDCRT_FORMAT_SIZE_0_7 = 32,
  CDCRT_SINK_SIZE_0_7 = 184,
  CDCRT_SHAPE_SIZE_0_7 = 88,
  CDCRT_COLUMN_SIZE_0_7 = 80,
  CDCRT_MESSAGE_SIZE_0_7 = 80
};

#if defined(__GNUC__)
#define CDCRT_EXPORT __attribute__((visibility("default")))
#else
#define CDCRT_EXPORT
#endif

/* The plugins of this shared object; `count` receives how many. Runs no code that can fail. */
typedef const cdcrt_plugin* const* (*cdcrt_plugin_entry_function)(uint32_t* count);
CDCRT_EXPORT const cdcrt_plugin* const* cdcrt_plugin_entry(uint32_t* count);

#ifdef __cplusplus
}
#endif
#endif
