#include "manifest/route_options.hpp"

#include "cdcrt/sdk/option.hpp"

namespace cdcrt::manifest {
namespace {

namespace option = sdk::option;

// Each in the order of the enumeration that it stands for, in route/settings.hpp and types/reading.hpp.
constexpr const char* kModes[] = {"upsert", "append", nullptr};
constexpr const char* kOrderings[] = {"auto", "partition", "source", nullptr};
constexpr const char* kDeletes[] = {"apply", "ignore", nullptr};
constexpr const char* kSchemaChanges[] = {"evolve", "add_only", "ignore", "fail", nullptr};
constexpr const char* kParses[] = {"epoch_days", "epoch_s", "epoch_ms", "epoch_us", "epoch_ns", "base64", "hex", "iso8601", nullptr};
constexpr const char* kOverflows[] = {"dead_letter", "truncate", "null", "widen", nullptr};

constexpr LaterValue kLater[] = {{"mode", "history"}, {"mode", "deletes"}, {"deletes", "soft"}};

constexpr cdcrt_option not_yet(cdcrt_option option) {
  option.flags |= CDCRT_OPTION_NOT_YET;
  return option;
}

constexpr cdcrt_option kPatterns[] = {
    option::list("match").required().example("[\"sales.*\"]").doc("[Patterns](../manifest.md#patterns) of source tables."),
    option::list("except").example("[\"sales.*_tmp\"]").doc("Patterns of tables that this route does not take."),
};

constexpr cdcrt_option kRoute[] = {
    option::text("sink").example("\"warehouse\"").doc("Which sink; required where there are several, else the only one."),
    option::text("table")
        .example("\"shop.{table}\"")
        .doc("Name of the target table, with [placeholders](../manifest.md#names-of-targets). Without it a table keeps its own."),
    option::boolean("create_tables").default_value("true").example("false").doc("`false`: a table that is not in the target stops."),
    option::list("primary_key")
        .example("[\"id\"]")
        .doc(
            "Columns of the source that are the key, in place of what the events say; a name that the events lack stops the table with the "
            "nearest one. It must contain the message's key where the rows come from several partitions, else the table stops. Where it "
            "holds more than that and updates carry no image of the row before, the old row is looked up by the message's key and "
            "deleted: name those columns first, so that the index serves."),
    option::one_of("mode", kModes)
        .default_value("upsert")
        .example("\"append\"")
        .doc("`upsert`: the target's row is the source's. `append`: every change is a row more, exactly once: inserts and updates with the "
             "row after them, deletes with the row before (or its key, where the event has no more); no key, and truncates delete nothing. "
             "`history` and `deletes` are not yet available."),
    option::one_of("ordering", kOrderings)
        .default_value("auto")
        .example("\"source\"")
        .doc(
            "Which of two changes of a row is the newer one. `partition`: the later one in its partition; `source`: the one of the greater "
            "source order (lsn, binlog position), whichever partition, batch or process it comes from; `auto`: `partition`, until keys "
            "can be or are met in two partitions. See [operating](../operating.md#order-across-partitions)."),
    option::duration("tombstone_retention")
        .default_value("7d")
        .example("\"30d\"")
        .doc("Source order: for how long a deleted row is remembered, so that an older change does not bring it back."),
    option::one_of("deletes", kDeletes)
        .default_value("apply")
        .example("\"ignore\"")
        .doc("`apply`, or `ignore`: deletes change nothing (a truncate still empties the table, a change of the key still moves the row). "
             "`soft` is not yet available."),
    option::one_of("schema_changes", kSchemaChanges)
        .default_value("evolve")
        .example("\"add_only\"")
        .doc("What [changes of columns](../manifest.md#schema_changes) at the source do to the target."),
    not_yet(option::text("archive_deletes").example("\"shop.{table}_delete\"").doc("A table that takes the rows that are deleted.")),
    option::text("metadata.op")
        .example("\"_op\"")
        .doc("With `mode = \"append\"`: target column for the kind of the change: `r` (snapshot), `c`, `u` or `d`."),
    option::text("metadata.topic").example("\"_topic\"").doc("The same for the message's topic."),
    option::text("metadata.partition").example("\"_partition\"").doc("The same for its partition."),
    option::text("metadata.offset").example("\"_offset\"").doc("The same for its offset."),
    option::text("metadata.kafka_ts").example("\"_kafka_ts\"").doc("The same for its time."),
    not_yet(option::text("metadata.source_ts").example("\"_source_ts\"").doc("The time of the change at the source.")),
    not_yet(option::text("metadata.position").example("\"_position\"").doc("The position of the change in the source's log.")),
    not_yet(option::text("metadata.applied_at").example("\"_applied_at\"").doc("When the row was written.")),
};

constexpr cdcrt_option kColumn[] = {
    option::text("type")
        .example("\"timestamp\"")
        .doc("Logical type of the column: `bool`, `int8`, `int16`, `int32`, `int64`, `uint64`, `float32`, `float64`, `decimal`, "
             "`decimal(p,s)`, `date`, `time`, `timetz`, `timestamp`, `timestamptz`, `string`, `string(n)`, `bytes`, `json`, `uuid`, "
             "`array`, `interval`, and arrays of them (`int32[]`, `text[]`, `numeric(12,2)[]`); also the usual names of databases "
             "(`varchar(40)`, `bigint`, `numeric(12,2)`, `double precision`, ...). `int8` has 8 bits."),
    option::one_of("parse", kParses)
        .example("\"epoch_ms\"")
        .doc(
            "How a value without schema is read, together with `type` (where none is given: date for `epoch_days`, timestamp for the other "
            "epochs, bytes for `base64` and `hex`; `iso8601` needs one). Events with schemas do not need it."),
    option::one_of("on_overflow", kOverflows)
        .example("\"truncate\"")
        .doc("What happens to a value that the type does not hold. Without the key: digits of seconds finer than the column are cut and "
             "counted, everything else is a dead letter. `dead_letter`; `truncate` (texts of `string(n)` or longer than the target's "
             "column, never within a character; digits of seconds; others are dead letters), `null`, `widen` (the column's type grows "
             "until it holds the value)."),
    option::text("rename").example("\"name\"").doc("Name in the target."),
    option::text("target_type")
        .example("\"jsonb\"")
        .doc("The target's own type, word for word, for columns that cdcrt makes. Such a column's type is never changed later; what it "
             "would round or cut follows `on_overflow`."),
    option::boolean("exclude").example("true").doc("`true`: the column does not exist for cdcrt."),
    not_yet(option::text("hash").example("\"sha256\"").doc("The column holds a hash of the value.")),
};

}  // namespace

std::span<const cdcrt_option> route_options() { return kRoute; }
std::span<const cdcrt_option> pattern_options() { return kPatterns; }
std::span<const cdcrt_option> column_options() { return kColumn; }
std::span<const LaterValue> later_route_values() { return kLater; }

}  // namespace cdcrt::manifest
