// What kind of message it is: a row whatever its columns are called, a marker, or another tool's message that is named.
#include <doctest/doctest.h>

#include "decoded.hpp"
#include "foreign_messages.hpp"

using namespace cdcrt::test;

namespace {

const Options kIgnore{{"tombstones", "ignore"}};

TestMessage flattened(const std::string& value, const std::string& key = R"({"id":1})") { return {key, value, {}}; }

/// The one row of a flattened value; its cells.
std::map<std::string, std::string> row_of(const std::string& value, const std::string& topic = "srv.public.audit",
                                          const std::string& key = R"({"id":1})") {
  CAPTURE(value);
  const Decoded decoded = decode({flattened(value, key)}, topic, kIgnore);
  for (const auto& reject : decoded.rejects) CAPTURE(reject.text);
  REQUIRE(decoded.rejects.empty());
  REQUIRE(decoded.rows.size() == 1);
  CHECK(decoded.rows[0].operation == "INSERT");
  return decoded.rows[0].cells;
}

bool is_marker(const std::string& value, const std::string& topic = "srv.public.audit", const std::string& key = R"({"id":1})") {
  const Decoded decoded = decode({flattened(value, key)}, topic, kIgnore);
  return decoded.rejects.empty() && decoded.rows.size() == 1 && decoded.rows[0].operation == "MARKER";
}

std::string reject_of(const std::string& value, const Options& options = kIgnore, const std::string& key = R"({"id":1})") {
  const Decoded decoded = decode({flattened(value, key)}, "srv.public.audit", options);
  return decoded.rejects.size() == 1 && decoded.rows.empty() ? decoded.rejects[0].text : "";
}

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string schema_of(const std::vector<std::pair<std::string, std::string>>& columns, const std::string& name) {
  std::string fields;
  for (const auto& [column, type] : columns) {
    fields += (fields.empty() ? "" : ",") + std::string(R"({"optional":true,"field":")") + column + R"(","type":")" + type + "\"}";
  }
  return R"({"schema":{"type":"struct","optional":false,"fields":[)" + fields + "]" + (name.empty() ? "" : ",\"name\":\"" + name + "\"") +
         R"(},"payload":)";
}

constexpr const char* kSource = R"({"version":"3.2.0.Final","connector":"mysql","name":"srv","ts_ms":1,"db":"shop","table":"t"})";

}  // namespace

TEST_CASE("message kinds: what other tools write is named and never a row") {
  for (const auto& message : kForeignMessages) {
    CAPTURE(message.tool);
    CAPTURE(message.value);
    for (const Options& options : {kIgnore, Options{}, Options{{"events", "envelope"}}}) {
      const Decoded decoded = decode({TestMessage{message.key, message.value, {}}}, "srv.public.audit", options);
      CHECK(decoded.rows.empty());
      REQUIRE(decoded.rejects.size() == 1);
      CHECK_MESSAGE(says(decoded.rejects[0].text, message.named), decoded.rejects[0].text);
      CHECK(!decoded.rejects[0].hint.empty());
      CHECK_FALSE(says(decoded.rejects[0].hint, "tombstones"));
    }
  }
}

TEST_CASE("message kinds: columns may be called op and source, with a schema") {
  for (const std::string name : {"srv.public.audit.Value", "", "Audit"}) {
    const std::string schema = schema_of({{"id", "int32"}, {"op", "string"}, {"source", "string"}, {"note", "string"}}, name);
    CHECK(row_of(schema + R"({"id":1,"op":"login","source":"web","note":"x"}})").at("op") == "STRING login");
    CHECK(row_of(schema + R"({"id":2,"op":"c","source":null,"note":"y"}})").at("source") == "NULL");
  }
}

TEST_CASE("message kinds: columns may be called as the members of Debezium's messages, without a schema") {
  for (const std::string value : {R"({"id":1,"op":"c","source":"web"})",
                                  R"({"id":1,"op":"d","source":null})",
                                  R"({"id":1,"source":"web","ddl":"drop table t"})",
                                  R"({"id":1,"status":"DONE","event_count":5})",
                                  R"({"id":1,"status":"FAILED","event_count":0})",
                                  R"({"id":1,"status":"END","event_count":5,"data_collections":null})",
                                  R"({"id":1,"status":"BEGIN","event_count":null})",
                                  R"({"id":"a","status":"BEGIN","event_count":null,"data_collections":null})",
                                  R"({"id":1,"before":"x","after":"y","op":"u"})",
                                  R"({"id":1,"before":null,"after":null,"op":"u","source":null})",
                                  R"({"id":1,"historyRecord":"x","source":"y"})",
                                  R"({"id":1,"databaseName":"d","schemaName":"s","ddl":"x","tableChanges":"[]","source":"y"})",
                                  R"({"id":1,"message":"m","transaction":"t","ts_ms":5})",
                                  R"({"id":1,"schema":"s","payload":"p"})",
                                  R"({"id":1,"op":"c","source":null,"before":null,"after":"new","ts_ms":17000,"transaction":null})",
                                  R"({"id":1,"before":{"scale":0,"value":"BQ=="},"after":{"scale":1,"value":"Bg=="},"op":"u"})",
                                  R"({"id":1,"after":{"wkb":"AQE=","srid":null},"op":"u","source":"web"})",
                                  R"({"id":1,"schema":"public","payload":[1,2]})",
                                  R"({"id":1,"payload":{"type":"struct","x":[1]}})",
                                  R"({"id":1,"source":{"connector":"CCS","power":50}})",
                                  R"({"id":1,"diff":{"before":{"a":1},"after":{"a":2}},"source":"web"})"}) {
    CHECK(row_of(value).contains("id"));
  }
  CHECK(row_of(R"({"op":"c","source":"web","after":"x"})", "srv.public.audit", R"({"op":"c"})").at("after") == "STRING x");
  CHECK(row_of(R"({"ts_ms":5})", "srv.public.audit", R"({"ts_ms":5})").at("ts_ms") == "I64 5");
}

TEST_CASE("message kinds: a row of two columns called schema and payload is a row") {
  CHECK(row_of(R"({"schema":null,"payload":"p"})", "srv.public.audit", R"({"payload":"p"})").at("payload") == "STRING p");
}

TEST_CASE("message kinds: columns may be called as the members of other tools' messages") {
  for (const std::string value :
       {R"({"id":1,"type":"insert","database":"d","table":"t","ts":5,"data":"{}"})",
        R"({"id":1,"type":"INSERT","isDdl":false,"es":5,"data":null})", R"({"id":1,"metadata":"{}","data":"{}"})",
        R"({"id":"1","source":"/shop","specversion":"1.0","type":"order.placed","data":"{}"})",
        R"({"id":1,"operationType":"insert","ns":"shop","documentKey":"x"})", R"({"_id":"66f2a1b0c3d4e5f6a7000065","id":1})",
        R"({"id":1,"resolved":"yes"})", R"({"id":1,"resolved":true,"updated":"2026-01-01"})",
        R"({"id":1,"action":"I","schema":"s","table":"t"})",
        R"({"id":1,"table":"t","op_type":"I","op_ts":"2026","pos":"1","current_ts":5})", R"({"id":1,"commitTs":5,"type":"x","version":1})",
        R"({"id":1,"change":"[]"})", R"({"id":1,"u":"x","d":"y"})", R"({"u":1,"p":2,"d":3,"id":5})",
        R"({"id":1,"dynamodb":"x","eventName":"INSERT"})", R"({"id":1,"message":"hello","headers":"h"})",
        R"({"id":1,"source_metadata":"{}","payload":"{}"})",
        R"({"id":"1","type":"t","aggregate_type":"order","additional_data":"{}","timestamp":5})",
        R"({"id":1,"data":"x","old":"y","type":"insert"})"}) {
    CHECK(row_of(value).contains("id"));
  }
}

TEST_CASE("message kinds: heartbeats, transactions and changes of tables are markers") {
  CHECK(is_marker(R"({"ts_ms":5})", "__debezium-heartbeat.srv"));
  CHECK(is_marker(R"({"ts_ms":5})", "beat.srv", R"({"serverName":"srv"})"));
  CHECK(is_marker(R"({"status":"BEGIN","id":"565:100","event_count":null,"data_collections":null,"ts_ms":5})"));
  CHECK(is_marker(R"({"status":"BEGIN","id":"abc","event_count":null,"data_collections":null})", "srv.transaction"));
  CHECK(is_marker(R"({"status":"END","id":"565:100","event_count":2,"data_collections":[{"data_collection":"s.t","event_count":2}]})"));
  const std::string source = kSource;
  CHECK(is_marker(R"({"source":)" + source +
                  R"(,"ts_ms":5,"databaseName":"shop","schemaName":null,"ddl":"drop table t","tableChanges":[]})"));
  CHECK(is_marker(R"({"source":)" + source + R"(,"historyRecord":"{}"})"));
  CHECK(is_marker(
      R"({"id":"c485","type":"COMPLETED","aggregate_type":"Initial Snapshot","additional_data":{"connector_name":"srv"},"timestamp":1695817046353})"));
  CHECK(is_marker(schema_of({{"id", "string"}, {"type", "string"}}, "io.debezium.connector.common.Notification") +
                  R"({"id":"c485","type":"STARTED"}})"));
  CHECK(is_marker(R"({"op":"m","ts_ms":5,"source":)" + source + R"(,"message":{"transactional":true,"prefix":"p","content":"YQ=="}})"));
}

TEST_CASE("message kinds: an envelope without its operation is no row") {
  CHECK(
      says(reject_of(std::string(R"({"before":null,"after":{"id":1},"source":)") + kSource + "}"), "its \"op\" or \"source\" is missing"));
}

TEST_CASE("message kinds: CloudEvents whose attributes are headers are named") {
  TestMessage message = flattened(R"({"before":null,"after":{"id":1}})");
  message.headers = {{"ce_specversion", "1.0"}, {"ce_type", "io.debezium.connector.mysql.DataChangeEvent"}};
  const Decoded decoded = decode({message}, "srv.public.audit", kIgnore);
  REQUIRE(decoded.rejects.size() == 1);
  CHECK(says(decoded.rejects[0].text, "a CloudEvents message"));
}

TEST_CASE("message kinds: binary encodings are named") {
  CHECK(says(reject_of(std::string("\0\0\0\0\1xyz", 8)), "schema registry"));
  CHECK(says(reject_of(std::string("\3\0", 2) + std::string(20, 'x')), "Glue"));
  CHECK(says(reject_of("Obj\1abc"), "Avro"));
}

TEST_CASE("message kinds: a message that was encoded twice is no row") {
  CHECK(says(reject_of(R"("{\"id\":1}")"), "encoded twice"));
  CHECK(says(reject_of(R"({"schema":{"type":"string"},"payload":"{\"id\":1}"})"), "encoded twice"));
}

TEST_CASE("message kinds: events = flattened takes every value for a row") {
  const Options flat{{"tombstones", "ignore"}, {"events", "flattened"}};
  for (const auto& message : kForeignMessages) {
    if (message.value.front() != '{' || message.value.starts_with(R"({"schema")")) continue;
    CAPTURE(message.value);
    const Decoded decoded = decode({flattened(message.value)}, "srv.public.audit", flat);
    // The key {"id":1} is no column of some; some are Debezium's own envelopes, which nothing makes a row.
    for (const auto& reject : decoded.rejects) {
      CHECK_MESSAGE((says(reject.text, "key") || says(reject.text, "an event with an envelope")), reject.text);
    }
  }
  const Decoded decoded =
      decode({flattened(R"({"id":"1","status":"BEGIN","event_count":null,"data_collections":null})")}, "srv.transaction", flat);
  REQUIRE(decoded.rows.size() == 1);
  CHECK(decoded.rows[0].operation == "INSERT");
}

TEST_CASE("message kinds: events = envelope refuses rows without envelope") {
  const Options envelope{{"tombstones", "ignore"}, {"events", "envelope"}};
  CHECK(!reject_of(R"({"id":1,"v":2})", envelope).empty());
  CHECK(says(reject_of(schema_of({{"id", "int32"}}, "srv.public.audit.Value") + R"({"id":1}})", envelope), "without envelope"));
  CHECK(decode({without_schema("1")}, "srv.public.t", envelope).rows.size() == 1);
}

TEST_CASE("message kinds: what a message is does not depend on those beside it") {
  std::vector<TestMessage> messages;
  for (const auto& message : kForeignMessages) messages.push_back({message.key, message.value, {}});
  for (const std::string payload :
       {R"({"id":1,"op":"login","source":"web"}})", R"(null})", R"("x"})", R"({"id":1,"op":"login","source":"web"})",
        R"({"id":1},"more":1})", R"({"id":1} 5})", R"(})", R"({"id":1}} )"}) {
    messages.push_back(flattened(schema_of({{"id", "int32"}, {"op", "string"}, {"source", "string"}}, "") + payload));
  }
  messages.push_back(with_schema(R"("type":"int32","optional":true)", "7"));
  messages.push_back(without_schema("7"));
  const auto results = [&](const std::vector<std::size_t>& order, std::size_t batch) {
    std::vector<TestMessage> ordered;
    for (const std::size_t at : order) ordered.push_back(messages[at]);
    std::map<std::size_t, std::string> all;
    const Decoded decoded = decode(ordered, "srv.public.audit", kIgnore, batch);
    for (const auto& row : decoded.rows) all[order[row.message]] += row.operation + " " + row.table + "\n";
    for (const auto& reject : decoded.rejects) all[order[reject.message]] += reject.text + "\n";
    return all;
  };
  std::vector<std::size_t> order(messages.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::map<std::size_t, std::string> alone;
  for (const std::size_t at : order) alone.merge(results({at}, 0));
  CHECK(alone.size() == messages.size());
  CHECK(results(order, 0) == alone);
  CHECK(results({order.rbegin(), order.rend()}, 0) == alone);
  CHECK(results(order, 1) == alone);
}

TEST_CASE("message kinds: a change of a table of MySQL or MariaDB that has a key is a definition, which says what was renamed") {
  const auto record = [](const std::string& connector, const std::string& type, const std::string& ddl, const std::string& key) {
    return R"({"source":{"version":"3.2.0.Final","connector":")" + connector +
           R"(","name":"srv","ts_ms":1,"db":"shop","table":"orders","file":"bin.000003","pos":500},"ts_ms":5,"databaseName":"shop",)"
           R"("schemaName":null,"ddl":")" +
           ddl + R"(","tableChanges":[{"type":")" + type +
           R"(","id":"\"shop\".\"orders\"","table":{"defaultCharsetName":"utf8mb4","primaryKeyColumnNames":[)" + key +
           R"(],"columns":[{"name":"id","typeName":"INT"},{"name":"Remark","typeName":"VARCHAR","length":10}]}}]})";
  };
  const std::string renames = "ALTER TABLE `orders` RENAME COLUMN note TO `remark`";
  const auto with_schema = [](const std::string& payload) {
    return schema_of({{"ddl", "string"}}, "io.debezium.connector.mysql.SchemaChangeValue") + payload + "}";
  };
  const std::string altered = record("mysql", "ALTER", renames, "\"id\"");
  for (const std::string& value : {altered, with_schema(altered), record("mariadb", "ALTER", renames, "\"id\"")}) {
    const Decoded decoded = decode({flattened(value)}, "srv", kIgnore);
    REQUIRE(decoded.rejects.empty());
    REQUIRE(decoded.rows.size() == 1);
    const TestRow& row = decoded.rows[0];
    CHECK(row.operation == "DEFINITION");
    CHECK(row.table == "shop.-.orders");
    CHECK(row.declared);
    CHECK_FALSE(row.keyed);
    CHECK(row.names == std::vector<std::string>{"id", "Remark"});
    CHECK(row.columns.at("id").former_name.empty());
    CHECK(row.columns.at("Remark").former_name == "note");
    CHECK(place_of(row.order) == "000000000000000300000000000001f400000000");
  }
  const Decoded created = decode({flattened(record("mysql", "CREATE", "CREATE TABLE orders (id INT)", "\"id\""))}, "srv", kIgnore);
  REQUIRE(created.rows.size() == 1);
  CHECK(created.rows[0].operation == "DEFINITION");
  CHECK(is_marker(record("mysql", "ALTER", renames, ""), "srv"));
  CHECK(is_marker(record("mysql", "DROP", "DROP TABLE orders", "\"id\""), "srv"));
  CHECK(is_marker(record("sqlserver", "ALTER", "", "\"id\""), "srv"));
}
