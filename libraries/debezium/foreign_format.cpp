#include "debezium/foreign_format.hpp"

#include <algorithm>
#include <initializer_list>
#include <string>

namespace cdcrt::debezium {

using sdk::JsonTape;
using Kind = sdk::JsonKind;

namespace {

constexpr const char* kJsonConverter =
    "let the connector write plain JSON: value.converter = org.apache.kafka.connect.json.JsonConverter (and key.converter likewise)";

}  // namespace

const ForeignFormat kCloudEvents{"a CloudEvents message", kJsonConverter};
const ForeignFormat kCassandra{
    "an event of Debezium's Cassandra connector",
    "its cells ({\"value\", \"deletion_ts\", \"set\"}) are not supported yet; leave the topic out of the source's topics"};
const ForeignFormat kDebeziumMongo{
    "an event of Debezium's MongoDB connector, which names a collection and no table",
    "documents are not supported yet; leave the topic out of the source's topics, or let the connector write rows with Debezium's "
    "ExtractNewDocumentState"};
const ForeignFormat kConnectEvent{"an event of Debezium on Kafka Connect, whose message key tells the table's key",
                                  "read it with format.plugin = \"debezium-json\""};

namespace {

constexpr const char* kNotYet =
    "this tool's messages are not supported yet; leave the topic out of the source's topics, or capture the tables with a Debezium "
    "connector that writes JSON";
constexpr const char* kWholeDocuments = "documents are not supported yet; leave the topic out of the source's topics";

constexpr ForeignFormat kMaxwell{"a Maxwell message", kNotYet};
constexpr ForeignFormat kCanal{"a Canal message (canal-json)", kNotYet};
constexpr ForeignFormat kDms{"an AWS DMS message", "set format.plugin = \"dms\" for the source of this topic"};
constexpr ForeignFormat kGoldenGate{"an Oracle GoldenGate message", kNotYet};
constexpr ForeignFormat kTidb{"a TiCDC message", kNotYet};
constexpr ForeignFormat kTidbOpen{"a message of TiCDC's open protocol", kNotYet};
constexpr ForeignFormat kDynamo{"a DynamoDB stream record", kNotYet};
constexpr ForeignFormat kDatastream{"a Google Datastream message", kNotYet};
constexpr ForeignFormat kQlik{"a Qlik Replicate message", kNotYet};
constexpr ForeignFormat kStriim{"a Striim message", kNotYet};
constexpr ForeignFormat kWal2Json{"a wal2json message", kNotYet};
constexpr ForeignFormat kCockroach{"a CockroachDB changefeed message", kNotYet};
constexpr ForeignFormat kMongo{"a MongoDB change-stream message", kWholeDocuments};
constexpr ForeignFormat kMongoDocument{"a MongoDB document", kWholeDocuments};
constexpr ForeignFormat kSourceless{
    "an envelope of before and after without Debezium's \"source\"",
    "nothing in it names the table or the order; let the producer keep Debezium's source block, or leave the topic out of the source's "
    "topics"};
constexpr ForeignFormat kRegistry{"a message of a schema registry (magic byte 0: Avro, Protobuf or JSON Schema)", kJsonConverter};
constexpr ForeignFormat kGlue{"a message of the AWS Glue Schema Registry", kJsonConverter};
constexpr ForeignFormat kAvroFile{"an Avro file", kJsonConverter};

constexpr std::string_view kTelling[] = {"isDdl", "data",   "type",   "metadata", "specversion",     "operationType", "resolved",
                                         "after", "before", "action", "change",   "op_type",         "commitTs",      "__crdb__",
                                         "_id",   "u",      "d",      "dynamodb", "source_metadata", "message"};

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> all) {
  return std::find(all.begin(), all.end(), text) != all.end();
}

/// 1745525261013511000.0000000000: nanoseconds and a logical counter of ten digits.
bool is_hybrid_time(std::string_view text) {
  const std::size_t dot = text.find('.');
  return dot != std::string_view::npos && dot != 0 && text.size() == dot + 11 &&
         text.find_first_not_of("0123456789.") == std::string_view::npos;
}

/// An object's members by name.
class Object {
 public:
  Object(const JsonTape& tape, uint32_t object) : tape_(tape), object_(object) {}

  [[nodiscard]] bool has(std::string_view name) const { return tape_.find(object_, name) != 0; }
  [[nodiscard]] bool is(std::string_view name, Kind kind) const {
    const uint32_t value = tape_.find(object_, name);
    return value != 0 && tape_[value].kind == kind;
  }
  [[nodiscard]] bool is_or_lacks(std::string_view name, Kind kind) const { return !has(name) || is(name, kind); }
  [[nodiscard]] bool is_or_null(std::string_view name, Kind kind) const { return is(name, kind) || is(name, Kind::kNull); }
  [[nodiscard]] bool is_boolean(std::string_view name) const { return is(name, Kind::kTrue) || is(name, Kind::kFalse); }
  /// Empty when it is no text.
  [[nodiscard]] std::string_view text(std::string_view name) const {
    const uint32_t value = tape_.find(object_, name);
    return value != 0 && tape_[value].kind == Kind::kString ? tape_.text(value) : std::string_view();
  }
  [[nodiscard]] bool is_text(std::string_view name) const { return is(name, Kind::kString); }
  /// The member, which must be an object.
  [[nodiscard]] Object member(std::string_view name) const { return {tape_, tape_.find(object_, name)}; }
  /// An array whose first element is an object.
  [[nodiscard]] bool is_list_of_objects(std::string_view name) const {
    const uint32_t value = tape_.find(object_, name);
    return value != 0 && tape_[value].kind == Kind::kArray && tape_[value].size != 0 && tape_[value + 1].kind == Kind::kObject;
  }
  [[nodiscard]] bool has_only(std::initializer_list<std::string_view> names) const {
    return all_names([&](std::string_view name) { return is_one_of(name, names); });
  }
  [[nodiscard]] bool has_prefix(std::string_view prefix) const {
    return !all_names([&](std::string_view name) { return !name.starts_with(prefix); });
  }
  [[nodiscard]] uint32_t size() const { return tape_[object_].size; }
  /// Every member is an object for which it holds.
  template <typename Predicate>
  bool all_values(Predicate holds) const {
    uint32_t name = object_ + 1;
    for (uint32_t i = 0; i < tape_[object_].size; ++i) {
      if (tape_[name + 1].kind != Kind::kObject || !holds(Object(tape_, name + 1))) return false;
      name = tape_[name + 1].next;
    }
    return true;
  }

 private:
  template <typename Predicate>
  bool all_names(Predicate holds) const {
    uint32_t name = object_ + 1;
    for (uint32_t i = 0; i < tape_[object_].size; ++i) {
      if (!holds(tape_.text(name))) return false;
      name = tape_[name + 1].next;
    }
    return true;
  }
  const JsonTape& tape_;
  uint32_t object_;
};

bool is_maxwell(const Object& message) {
  const std::string_view type = message.text("type");
  const bool row = is_one_of(type, {"insert", "update", "delete"});
  // What Flink writes under this name: the row and what happened.
  if (message.has_only({"data", "old", "type"})) return row && message.is("data", Kind::kObject);
  if (!message.is_text("database") || !message.is("ts", Kind::kNumber)) return false;
  if (row || type.starts_with("bootstrap-")) return message.is_text("table") && message.is("data", Kind::kObject);
  return (type.starts_with("table-") || type.starts_with("database-")) && message.is_text("sql");
}

bool is_canal(const Object& message) {
  if (message.has_only({"data", "old", "type"})) {
    return is_one_of(message.text("type"), {"INSERT", "UPDATE", "DELETE"}) && message.is_list_of_objects("data");
  }
  return message.is_boolean("isDdl") && message.is("es", Kind::kNumber) && message.is_text("database") && message.is_text("type") &&
         (message.is_list_of_objects("data") || message.is("data", Kind::kNull) || !message.has("data"));
}

bool is_dms(const Object& message) {
  if (!message.is("metadata", Kind::kObject)) return false;
  const Object metadata = message.member("metadata");
  return is_one_of(metadata.text("record-type"), {"data", "control"}) && metadata.is_text("operation");
}

bool is_cloud_event(const Object& message) {
  if (!message.is_text("specversion") || !message.is_text("id") || !message.is_text("source") || !message.is_text("type")) return false;
  // A table that stores such events has their data as text.
  return message.has_prefix("iodebezium") || message.text("type").starts_with("io.debezium.") || message.is("data", Kind::kObject);
}

bool is_mongo(const Object& message) {
  if (!message.is_text("operationType")) return false;
  if (message.is("ns", Kind::kObject)) return message.member("ns").is_text("db");
  if (message.is("_id", Kind::kObject)) return message.is("clusterTime", Kind::kObject);
  // Flink writes both as texts.
  return message.text("_id").starts_with("{\"_data\"") && message.text("clusterTime").starts_with("{\"$timestamp\"");
}

/// {"_id":{"$oid":...}} or another of MongoDB's wrappers.
bool is_mongo_document(const Object& message) {
  if (!message.is("_id", Kind::kObject)) return false;
  const Object id = message.member("_id");
  return id.size() == 1 && id.has_prefix("$");
}

/// What a transform left of the source still names a collection.
bool is_debezium_mongo(const Object& message) {
  if (!message.is("source", Kind::kObject) || !is_one_of(message.text("op"), {"c", "r", "u", "d"})) return false;
  const Object source = message.member("source");
  return source.is_text("collection") && !source.has("table") && (!message.has("after") || message.is_or_null("after", Kind::kString)) &&
         message.has_only(
             {"before", "after", "op", "source", "ts_ms", "ts_us", "ts_ns", "transaction", "updateDescription", "patch", "filter"});
}

bool is_cockroach(const Object& message, std::string_view key) {
  if (message.is("__crdb__", Kind::kObject)) return true;
  if (message.has_only({"resolved"})) return is_hybrid_time(message.text("resolved"));
  if (message.is("source", Kind::kObject) && message.is_text("op")) {
    const Object source = message.member("source");
    return source.text("origin") == "cockroachdb" || (source.is_text("changefeed_sink") && source.is_text("job_id"));
  }
  if (!message.is_or_null("after", Kind::kObject) ||
      !message.has_only({"after", "before", "key", "updated", "mvcc_timestamp", "topic", "op", "ts_ns"})) {
    return false;
  }
  const bool image = message.is("after", Kind::kObject) || message.is("before", Kind::kObject);
  return is_hybrid_time(message.text("updated")) || is_hybrid_time(message.text("mvcc_timestamp")) ||
         (message.is("key", Kind::kArray) && image) || (key.starts_with('[') && message.is_or_lacks("key", Kind::kArray));
}

/// before, after and op, and nothing that names a table: Flink's debezium-json and its like.
bool is_sourceless(const Object& message) {
  const bool image = message.is("after", Kind::kObject) || message.is("before", Kind::kObject);
  return image && (!message.has("before") || message.is_or_null("before", Kind::kObject)) &&
         (!message.has("after") || message.is_or_null("after", Kind::kObject)) && is_one_of(message.text("op"), {"c", "r", "u", "d"}) &&
         message.has_only({"before", "after", "op", "ts_ms", "ts_us", "ts_ns", "source", "transaction", "key"});
}

bool is_golden_gate(const Object& message) {
  return message.is_text("table") && message.is_text("op_type") && message.is_text("op_ts") && message.is_text("pos") &&
         (message.is("before", Kind::kObject) || message.is("after", Kind::kObject) || message.is_text("current_ts"));
}

bool is_wal2json(const Object& message) {
  if (message.is_list_of_objects("change")) return message.has_only({"change", "xid", "nextlsn", "timestamp"});
  return is_one_of(message.text("action"), {"I", "U", "D"}) && message.is_text("schema") && message.is_text("table") &&
         (message.is_list_of_objects("columns") || message.is_list_of_objects("identity"));
}

bool is_tidb(const Object& message) {
  return message.is("commitTs", Kind::kNumber) && message.is_text("type") && message.is("version", Kind::kNumber) &&
         (message.is("buildTs", Kind::kNumber) || message.is("data", Kind::kObject));
}

/// {"u":{"id":{"t":3,"h":true,"v":1}}}
bool is_tidb_open(const Object& message) {
  if (!message.has_only({"u", "p", "d"})) return false;
  const std::string_view row = message.has("u") ? "u" : "d";
  if (!message.is(row, Kind::kObject)) return false;
  const Object columns = message.member(row);
  return columns.size() != 0 && columns.all_values([](const Object& column) { return column.is("t", Kind::kNumber) && column.has("v"); });
}

bool is_dynamo(const Object& message) { return message.is("dynamodb", Kind::kObject) && message.is_text("eventName"); }

bool is_datastream(const Object& message) { return message.is("source_metadata", Kind::kObject) && message.is("payload", Kind::kObject); }

bool is_qlik(const Object& message) {
  if (!message.is("message", Kind::kObject)) return false;
  const Object change = message.member("message");
  return change.is("headers", Kind::kObject) && (change.is_or_null("data", Kind::kObject) || change.is("beforeData", Kind::kObject));
}

bool is_striim(const Object& message) {
  return message.is("metadata", Kind::kObject) && message.member("metadata").is_text("OperationName") && message.has("data");
}

}  // namespace

bool may_be_foreign(std::string_view column) { return std::find(std::begin(kTelling), std::end(kTelling), column) != std::end(kTelling); }

const ForeignFormat* recognise_foreign(const JsonTape& tape, uint32_t object, std::string_view key) {
  const Object message(tape, object);
  if (is_canal(message)) return &kCanal;
  if (is_maxwell(message)) return &kMaxwell;
  if (is_dms(message)) return &kDms;
  if (is_cloud_event(message)) return &kCloudEvents;
  if (is_mongo(message)) return &kMongo;
  if (is_mongo_document(message)) return &kMongoDocument;
  if (is_debezium_mongo(message)) return &kDebeziumMongo;
  if (is_cockroach(message, key)) return &kCockroach;
  if (is_sourceless(message)) return &kSourceless;
  if (is_golden_gate(message)) return &kGoldenGate;
  if (is_wal2json(message)) return &kWal2Json;
  if (is_tidb(message)) return &kTidb;
  if (is_tidb_open(message)) return &kTidbOpen;
  if (is_dynamo(message)) return &kDynamo;
  if (is_datastream(message)) return &kDatastream;
  if (is_qlik(message)) return &kQlik;
  if (is_striim(message)) return &kStriim;
  return nullptr;
}

const ForeignFormat* recognise_binary(std::string_view bytes) {
  if (bytes.size() >= 5 && bytes[0] == '\0') return &kRegistry;
  if (bytes.size() >= 18 && bytes[0] == '\x03' && (bytes[1] == '\x00' || bytes[1] == '\x05')) return &kGlue;
  if (bytes.starts_with("Obj\x01")) return &kAvroFile;
  return nullptr;
}

sdk::Status foreign_status(const ForeignFormat& format, const char* reads) {
  const bool other = std::string_view(format.name).find("Debezium") == std::string_view::npos;
  return sdk::Status::bad_record(std::string("value: ") + format.name + (other ? std::string("; this format reads ") + reads : ""),
                                 format.advice);
}

}  // namespace cdcrt::debezium
