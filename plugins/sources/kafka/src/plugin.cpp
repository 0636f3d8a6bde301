#include "cdcrt/sdk/option.hpp"
#include "kafka/security_options.hpp"
#include "kafka_source.hpp"

namespace {

namespace option = cdcrt::sdk::option;
using namespace std::chrono_literals;

constexpr const char* kStops[] = {"never", "end", nullptr};
constexpr const char* kIsolationLevels[] = {"read_committed", "read_uncommitted", nullptr};
constexpr const char* kAssignments[] = {"cooperative", "eager", nullptr};

constexpr cdcrt_option kOwnOptions[] = {
    option::text("brokers")
        .required()
        .shared()
        .example("\"kafka1:9092,kafka2:9092\"")
        .doc("Brokers to begin with, `host:port`, separated by commas."),
    option::list("topics")
        .required()
        .place()
        .example("[\"shop.*\", \"re:audit[0-9]+\"]")
        .doc("Topics to read: names, globs in which `*` also crosses dots, or `re:` and a POSIX extended regular expression for the whole "
             "name. Topics that appear later and match are taken up. A plain name must exist at the start."),
    option::text("group")
        .example("\"shop-etl\"")
        .doc("Consumer group. Without it, the pipeline's name; give each Kafka source of a pipeline with several its own."),
    option::text("instance")
        .example("\"loader-1\"")
        .doc("Fixed name of this process within the group (`group.instance.id`): after a crash it takes its partitions up at once. Without "
             "it, the host's name; two processes on one host need one each. Empty: no fixed name."),
    option::text("start")
        .default_value("earliest")
        .example("\"2026-01-31T12:00:00Z\"")
        .doc("Where a partition begins for which the target holds no progress: `committed` (what the group has committed, else the "
             "beginning), `earliest`, `latest`, or a time as RFC 3339 writes it (beyond the last message: the end)."),
    option::one_of("stop", kStops)
        .default_value("never")
        .example("\"end\"")
        .doc("`end`: read up to the ends that the partitions had at the start, then end."),
    option::integer("max_messages_per_second")
        .default_value("0")
        .example("5000")
        .between(0, 1e9)
        .doc("Takes no more than that, for this process. 0: no limit."),
    option::one_of("isolation_level", kIsolationLevels)
        .default_value("read_committed")
        .doc("Whether messages of open and aborted transactions are read."),
    option::one_of("assignment", kAssignments)
        .default_value("cooperative")
        .example("\"eager\"")
        .doc("How a group shares out its partitions when members come and go: `cooperative` moves only those that change hands, `eager` "
             "takes all back first. The same in every process of the group."),
    option::bytes("queue_memory")
        .advanced()
        .default_value("16MiB")
        .between(1024 * 1024, 2.0 * 1024 * 1024 * 1024)
        .doc("Memory for messages that librdkafka holds, waiting or on their way."),
    option::integer("topics_per_client")
        .advanced()
        .default_value("200")
        .between(0, 100'000)
        .doc(
            "How many topics one client of librdkafka fetches. Where the group gives this process more, further clients share them, each with "
            "threads and connections of its own: one client looks through all its topics for each topic of each answer. 0: each topic has a client of its own."),
    option::duration("connect_timeout")
        .advanced()
        .default_value("10s")
        .between(100ms, 10min)
        .doc("How long a broker may take to answer, at the start and later."),
    option::map("librdkafka")
        .secret()
        .shared()
        .example("{ \"socket.keepalive.enable\" = true }")
        .doc("Properties of librdkafka, passed through and checked by it (see its CONFIGURATION.md). Those that this source needs for "
             "itself are refused with the option to use."),
};
constexpr auto kOptions = cdcrt::kafka::with_security(kOwnOptions);

}  // namespace

CDCRT_SOURCE("kafka", "0.1.0", cdcrt::kafka_source::KafkaSource, kOptions)
