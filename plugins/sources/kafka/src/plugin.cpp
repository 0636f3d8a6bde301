#include "cdcrt/sdk/option.hpp"
#include "kafka_source.hpp"

namespace {

using cdcrt::sdk::option;

constexpr const char* const kStops[] = {"never", "end", nullptr};
constexpr const char* const kIsolationLevels[] = {"read_committed", "read_uncommitted", nullptr};
constexpr const char* const kAssignments[] = {"cooperative", "eager", nullptr};

constexpr cdcrt_option kOptions[] = {
    option(CDCRT_OPTION_STRING, CDCRT_OPTION_REQUIRED | CDCRT_OPTION_SHARED, "brokers", "Brokers to begin with, `host:port`, separated by commas.", nullptr,
           "\"kafka1:9092,kafka2:9092\""),
    option(CDCRT_OPTION_LIST, CDCRT_OPTION_REQUIRED | CDCRT_OPTION_PLACE, "topics",
           "Topics to read: names, globs in which `*` also crosses dots, or `re:` and a POSIX extended regular expression for the whole "
           "name. Topics that appear later and match are taken up. A plain name must exist at the start.",
           nullptr, "[\"shop.*\", \"re:audit[0-9]+\"]"),
    option(CDCRT_OPTION_STRING, 0, "group",
           "Consumer group. Without it, the pipeline's name; give each Kafka source of a pipeline with several its own.", nullptr,
           "\"shop-etl\""),
    option(CDCRT_OPTION_STRING, 0, "instance",
           "Fixed name of this process within the group (`group.instance.id`): after a crash it takes its partitions up at once. Without "
           "it, the host's name; two processes on one host need one each. Empty: no fixed name.",
           nullptr, "\"loader-1\""),
    option(CDCRT_OPTION_STRING, 0, "start",
           "Where a partition begins for which the target holds no progress: `committed` (what the group has committed, else the "
           "beginning), `earliest`, `latest`, or a time as RFC 3339 writes it (beyond the last message: the end).",
           "earliest", "\"2026-01-31T12:00:00Z\""),
    option(CDCRT_OPTION_ENUM, 0, "stop", "`end`: read up to the ends that the partitions had at the start, then end.", "never", "\"end\"",
           kStops),
    option(CDCRT_OPTION_INTEGER, 0, "max_messages_per_second", "Takes no more than that, for this process. 0: no limit.", "0", "5000",
           nullptr, 0, 1e9),
    option(CDCRT_OPTION_ENUM, 0, "isolation_level", "Whether messages of open and aborted transactions are read.", "read_committed",
           nullptr, kIsolationLevels),
    option(
        CDCRT_OPTION_ENUM, 0, "assignment",
        "How a group shares out its partitions when members come and go: `cooperative` moves only those that change hands, `eager` takes "
        "all back first. The same in every process of the group.",
        "cooperative", "\"eager\"", kAssignments),
    option(CDCRT_OPTION_BYTES, CDCRT_OPTION_ADVANCED, "queue_memory", "Memory for messages that librdkafka holds, waiting or on their way.",
           "16MiB", nullptr, nullptr, 1024 * 1024, 2.0 * 1024 * 1024 * 1024),
    option(CDCRT_OPTION_DURATION, CDCRT_OPTION_ADVANCED, "connect_timeout", "How long a broker may take to answer, at the start and later.",
           "10s", nullptr, nullptr, 100'000, 600'000'000),
    option(CDCRT_OPTION_MAP, CDCRT_OPTION_SECRET | CDCRT_OPTION_SHARED, "librdkafka",
           "Properties of librdkafka, passed through and checked by it (see its CONFIGURATION.md). Those that this source needs for itself "
           "are refused with the option to use.",
           nullptr, "{ \"security.protocol\" = \"SASL_SSL\" }"),
};

}  // namespace

CDCRT_SOURCE("kafka", "0.1.0", cdcrt::kafka_source::KafkaSource, kOptions)
