// Descriptor of the plugin flink-cdc.
#include "flink_cdc.hpp"

namespace {

namespace option = cdcrt::sdk::option;

constexpr const char* kIdentities[] = {"default", "full", nullptr};

constexpr cdcrt_option kOptions[] = {
    option::one_of("replica_identity", kIdentities)
        .default_value("default")
        .example("full")
        .doc(
            "What PostgreSQL's tables say of a row before its change. `default`: of an image before, only the key counts, because the "
            "connector fills what it was not sent with zeros and empty texts. `full`: all tables have REPLICA IDENTITY FULL, and the image "
            "is the row; tables without key and complete deleted rows need it. Without meaning for MySQL."),
    cdcrt::debezium::kUnavailableOption,
};

}  // namespace

const char* cdcrt::flink_cdc::FlinkCdc::notes() {
  return "Events with and without schema are told apart by themselves; keys are not in the events: the route's `primary_key` or "
         "`primary_keys` in `[defaults]` say them, or the schema changes in the stream (`includeSchemaChanges`).\n\n"
         "With schemas the types are those of `debezium-json`. Without, integers, decimals, texts, booleans, objects and arrays are what "
         "they are in JSON, and the route's columns say what they mean: `parse = \"base64\"` with `type = \"decimal(20,0)\"` for BIGINT "
         "UNSIGNED, with the column's own scale for DECIMAL, `epoch_days`, `epoch_ms` (DATETIME(0) to (3)), `epoch_us` (DATETIME(4) to (6), "
         "TIME).";
}

CDCRT_FORMAT("flink-cdc", "1.0.0", cdcrt::flink_cdc::FlinkCdc, kOptions)
