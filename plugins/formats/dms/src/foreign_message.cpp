#include "foreign_message.hpp"

#include <initializer_list>
#include <string_view>

namespace cdcrt::dms {

using sdk::Status;

Status foreign_message(const sdk::JsonTape& tape) {
  const auto has = [&](std::initializer_list<std::string_view> names) {
    for (const std::string_view name : names) {
      if (tape.find(0, name) == 0) return false;
    }
    return true;
  };
  const uint32_t payload = tape.find(0, "payload");
  const bool has_schema = has({"schema", "payload"}) && tape[payload].kind == sdk::JsonKind::kObject;
  if (has({"historyRecord"})) {
    return Status::bad_record("value: a message of Flink CDC; this format reads records of AWS DMS",
                              "set format.plugin = \"flink-cdc\" for the source of this topic");
  }
  if (has_schema || has({"op", "source"}) || has({"before", "after"})) {
    return Status::bad_record(
        "value: an event of Debezium; this format reads records of AWS DMS",
        "set format.plugin = \"debezium-json\" for the source of this topic (\"flink-cdc\" for what Flink CDC wrote)");
  }
  if (has({"isDdl", "es"})) return Status::bad_record("value: a Canal message; this format reads records of AWS DMS");
  if (has({"database", "table", "type", "ts"})) {
    return Status::bad_record("value: a Maxwell message; this format reads records of AWS DMS");
  }
  return Status::bad_record("value: no record of AWS DMS: it has no metadata that names an operation and a table",
                            "object mapping: use rule-action map-record-to-record; map-record-to-document leaves operation and table out");
}

}  // namespace cdcrt::dms
