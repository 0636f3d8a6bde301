#include "cdcrt/sdk/option.hpp"
#include "file_source.hpp"

namespace {

using cdcrt::sdk::option;

constexpr const char* const kLayouts[] = {"kcat", "values", nullptr};

constexpr cdcrt_option kOptions[] = {
    option(CDCRT_OPTION_PATHS, CDCRT_OPTION_REQUIRED, "paths",
           "The files, read in this order; those of a pattern as people count, `part-2` before `part-10`. Gzip is recognised by its content. `\"-\"` is standard input.", nullptr,
           "[\"events/*.jsonl.gz\"]"),
    option(CDCRT_OPTION_ENUM, 0, "layout",
           "What a line is: `kcat`, a message as `kcat -C -J` prints it, or `values`, the plain value of a message without key.", "kcat",
           "\"values\"", kLayouts),
    option(CDCRT_OPTION_STRING, 0, "topic",
           "Topic of plain values (`layout = \"values\"`). Without it, the file's name without its ending.", nullptr,
           "\"shop.public.orders\""),
    option(CDCRT_OPTION_LIST, 0, "topics",
           "Topics to take: globs, in which `*` also crosses dots, or `re:` and a regular expression. Without it, all of them.", nullptr,
           "[\"shop.*\", \"re:audit[0-9]+\"]"),
    option(CDCRT_OPTION_BYTES, CDCRT_OPTION_ADVANCED, "max_line",
           "A longer line becomes a dead letter with its first 64 KiB. Bounds the memory that one line can take.", "64MiB", nullptr,
           nullptr, 1024, 1024.0 * 1024 * 1024),
    option(CDCRT_OPTION_INTEGER, CDCRT_OPTION_ADVANCED, "batch_messages", "Most messages handed to a decode worker at once.", "1000",
           nullptr, nullptr, 1, 1'000'000),
    option(CDCRT_OPTION_BYTES, CDCRT_OPTION_ADVANCED, "batch_bytes", "Bytes of keys and values after which a batch is handed on.", "1MiB",
           nullptr, nullptr, 1, 256.0 * 1024 * 1024),
};

}  // namespace

CDCRT_SOURCE("file", "0.1.0", cdcrt::file_source::FileSource, kOptions)
