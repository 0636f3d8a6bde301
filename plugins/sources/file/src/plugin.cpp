#include "cdcrt/sdk/option.hpp"
#include "file_source.hpp"

namespace {

namespace option = cdcrt::sdk::option;

constexpr const char* kLayouts[] = {"kcat", "values", nullptr};

constexpr cdcrt_option kOptions[] = {
    option::paths("paths")
        .required()
        .example("[\"events/*.jsonl.gz\"]")
        .doc("The files, read in this order; those of a pattern as people count, `part-2` before `part-10`. Gzip is recognised by its "
             "content. `\"-\"` is standard input."),
    option::one_of("layout", kLayouts)
        .default_value("kcat")
        .example("\"values\"")
        .doc("What a line is: `kcat`, a message as `kcat -C -J` prints it, or `values`, the plain value of a message without key."),
    option::text("topic")
        .example("\"shop.public.orders\"")
        .doc("Topic of plain values (`layout = \"values\"`). Without it, the file's name without its ending."),
    option::list("topics")
        .example("[\"shop.*\", \"re:audit[0-9]+\"]")
        .doc("Topics to take: globs, in which `*` also crosses dots, or `re:` and a regular expression. Without it, all of them."),
    option::bytes("max_line")
        .advanced()
        .default_value("64MiB")
        .between(1024, 1024.0 * 1024 * 1024)
        .doc("A longer line becomes a dead letter with its first 64 KiB. Bounds the memory that one line can take."),
    option::integer("batch_messages")
        .advanced()
        .default_value("1000")
        .between(1, 1'000'000)
        .doc("Most messages handed to a decode worker at once."),
    option::bytes("batch_bytes")
        .advanced()
        .default_value("1MiB")
        .between(1, 256.0 * 1024 * 1024)
        .doc("Bytes of keys and values after which a batch is handed on."),
};

}  // namespace

CDCRT_SOURCE("file", "0.1.0", cdcrt::file_source::FileSource, kOptions)
