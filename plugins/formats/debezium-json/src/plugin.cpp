// Descriptor of the plugin debezium-json.
#include "debezium_json.hpp"

namespace {

namespace option = cdcrt::sdk::option;

constexpr const char* kTombstones[] = {"auto", "delete", "ignore", nullptr};
constexpr const char* kEvents[] = {"auto", "envelope", "flattened", nullptr};
constexpr const char* kKeys[] = {"auto", "ignore", nullptr};

constexpr cdcrt_option kOptions[] = {
    option::text("table_from_topic")
        .example("{any}.{schema}.{table}")
        .doc("Which table a flattened event (ExtractNewRecordState) belongs to. `true`: the last part of the topic is the table, the one "
             "before its schema when there are three or more. A pattern of the topic's last parts with `{database}`, `{schema}`, `{table}` "
             "and `{any}`; or `re:` and a POSIX extended regular expression with groups `(?<table>...)` and so on. When set, null values "
             "delete by their key. When not set, the topic is asked only where the event has no `__table`. Events with an envelope always "
             "name their table themselves."),
    option::one_of("tombstones", kTombstones)
        .default_value("auto")
        .example("delete")
        .doc("What a null value is. `delete`: it deletes the row of its key (flattened streams, the transform's default). `ignore`: it is "
             "counted and nothing else (streams with an envelope, whose delete came just before). `auto`: `delete` when `table_from_topic` "
             "is set, else `ignore`, and flattened rows without `__deleted` are refused because their deletes would be lost."),
    option::one_of("events", kEvents)
        .default_value("auto")
        .example("flattened")
        .doc("`auto`: an event with an envelope and a flattened row are told apart by the schema's name, else by the whole shape, and "
             "messages of other tools are refused by name. `envelope`: whatever is no envelope is refused. `flattened`: every value is a "
             "row, whatever its columns are called; only for tables whose rows look like another message."),
    option::one_of("keys", kKeys)
        .default_value("auto")
        .example("ignore")
        .doc("`auto`: the fields of the message's key (JSON, with or without schema) are the key columns. `ignore`: keys are not read; "
             "give the route's `primary_key`. Needed where keys are plain text or a bare value."),
    cdcrt::debezium::kUnavailableOption,
    option::text("metadata_prefix").advanced().default_value("__").example("__").doc("`add.fields.prefix` of ExtractNewRecordState."),
};

}  // namespace

const char* cdcrt::debezium_json::DebeziumJson::notes() {
  return "Events with schemas, without, and flattened by ExtractNewRecordState are told apart by themselves.\n\n"
         "| Connect or Debezium type | type |\n|---|---|\n"
         "| boolean, int8 to int64, Year | BOOL, INT8 to INT64, INT32 |\n"
         "| float, double | FLOAT32, FLOAT64 |\n"
         "| Decimal, VariableScaleDecimal | DECIMAL, digit for digit |\n"
         "| Date, IsoDate, StructuredDate | DATE |\n| Time, MicroTime, NanoTime, IsoTime, StructuredTime | TIME |\n"
         "| ZonedTime, StructuredZonedTime | TIMETZ |\n"
         "| Timestamp, MicroTimestamp, NanoTimestamp, IsoTimestamp, StructuredTimestamp | TIMESTAMP |\n"
         "| ZonedTimestamp, StructuredZonedTimestamp | TIMESTAMPTZ |\n"
         "| MicroDuration, NanoDuration, Interval, StructuredDuration | INTERVAL |\n"
         "| string, Xml, Enum, EnumSet, Ltree, Bits (0 and 1) | STRING |\n| bytes | BYTES |\n| Uuid | UUID |\n"
         "| Json, map, struct, geometry, SparseVector | JSON |\n| array, DoubleVector, FloatVector | ARRAY |\n\n"
         "Without schemas integers, decimals, texts, booleans, objects and arrays are what they are in JSON; the route's columns say what "
         "they "
         "mean. VariableScaleDecimal and structured dates and times are known by their members.\n\n"
         "Messages of Canal, Maxwell, AWS DMS, CloudEvents, CockroachDB, TiCDC, GoldenGate, wal2json, DynamoDB, Google Datastream, Qlik "
         "Replicate, "
         "Striim, MongoDB, and of Debezium's Cassandra and MongoDB connectors are named and refused.";
}

CDCRT_FORMAT("debezium-json", "1.0.0", cdcrt::debezium_json::DebeziumJson, kOptions)
