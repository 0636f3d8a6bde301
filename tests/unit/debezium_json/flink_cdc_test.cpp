// Events of Flink CDC: no keys, snapshots that look like changes, schema changes as history records.
#include <doctest/doctest.h>

#include "decoded.hpp"

using namespace cdcrt::test;

namespace {

std::string mysql(const std::string& file, int pos, int row = 0, int64_t ts_ms = 1795370658000, int server_id = 7) {
  return R"({"version":"1.9.8.Final","connector":"mysql","name":"mysql_binlog_source","ts_ms":)" + std::to_string(ts_ms) +
         R"(,"snapshot":"false","db":"shop","sequence":null,"table":"t","server_id":)" + std::to_string(server_id) +
         R"(,"gtid":null,"file":")" + file + R"(","pos":)" + std::to_string(pos) + R"(,"row":)" + std::to_string(row) +
         R"(,"thread":null,"query":null})";
}

std::string postgres(int64_t lsn, int64_t ts_ms = 1795371173364) {
  const std::string number = std::to_string(lsn);
  return R"({"version":"1.9.8.Final","connector":"postgresql","name":"postgres_cdc_source","ts_ms":)" + std::to_string(ts_ms) +
         R"(,"snapshot":"false","db":"shop","sequence":"[null,\")" + number + R"(\"]","schema":"public","table":"t","txId":7,"lsn":)" +
         number + R"(,"xmin":null})";
}

std::string oracle(int64_t scn, const std::string& record = {}) {
  return R"({"version":"1.9.8.Final","connector":"oracle","name":"oracle_cdc","ts_ms":1795371173364,"snapshot":"false","db":"ORCL",)"
         R"("sequence":null,"schema":"S","table":"T","txId":"0a","scn":")" +
         std::to_string(scn) + R"(","commit_scn":"9","lcr_position":null,"rs_id":")" + record + R"(","ssn":0,"redo_thread":1})";
}

const std::string kMysqlSnapshot = mysql("", 0, 0, 0, 0);
const std::string kMysqlChange = mysql("binlog.000004", 7759);

TestMessage event(const std::string& before, const std::string& after, const std::string& operation, const std::string& source) {
  TestMessage message;
  message.value = "{\"before\":" + before + ",\"after\":" + after + ",\"source\":" + source + ",\"op\":\"" + operation +
                  R"(","ts_ms":1795370549095,"transaction":null})";
  return message;
}

/// `record`: the text of the history, as JSON.
TestMessage history(const std::string& record, bool with_schema = false) {
  std::string escaped;
  for (const char c : record) {
    if (c == '"' || c == '\\') escaped += '\\';
    escaped += c;
  }
  TestMessage message;
  message.value = "{\"source\":" + mysql("binlog.000004", 800) + ",\"historyRecord\":\"" + escaped + "\"}";
  if (with_schema) {
    message.value = R"({"schema":{"type":"struct","fields":[{"type":"struct","fields":[],"optional":false,"field":"source"},)"
                    R"({"type":"string","optional":false,"field":"historyRecord"}],"optional":false,)"
                    R"("name":"io.debezium.connector.mysql.SchemaChangeValue"},"payload":)" +
                    *message.value + "}";
  }
  return message;
}

std::string ddl(const std::string& text, const std::string& changes = "[]") {
  return R"({"source":{"file":"binlog.000004","pos":800},"position":{"file":"binlog.000004","pos":900},"databaseName":"shop","ddl":")" +
         text + R"(","tableChanges":)" + changes + "}";
}

const std::string kTable =
    R"([{"type":"ALTER","id":"\"shop\".\"t\"","table":{"defaultCharsetName":"utf8mb4","primaryKeyColumnNames":["b","id"],"columns":[)"
    R"({"name":"id","jdbcType":4,"typeName":"INT UNSIGNED","typeExpression":"INT UNSIGNED","charsetName":null,"position":1,"optional":false,)"
    R"("autoIncremented":true,"generated":true,"hasDefaultValue":true,"defaultValueExpression":"0"},)"
    R"({"name":"b","jdbcType":4,"typeName":"INT","position":2,"optional":false},)"
    R"({"name":"name","jdbcType":12,"typeName":"VARCHAR","length":300,"position":3,"optional":true},)"
    R"({"name":"city","jdbcType":12,"typeName":"VARCHAR","length":20,"optional":true,"hasDefaultValue":true,"defaultValueExpression":"L''Isle"},)"
    R"({"name":"score","jdbcType":3,"typeName":"DECIMAL","length":10,"scale":3,"optional":true},)"
    R"({"name":"u8","jdbcType":-5,"typeName":"BIGINT UNSIGNED","optional":true},)"
    R"({"name":"d","jdbcType":91,"typeName":"DATE","optional":true},)"
    R"({"name":"ok","jdbcType":5,"typeName":"TINYINT","length":1,"optional":true},)"
    R"({"name":"at","jdbcType":2014,"typeName":"TIMESTAMP","optional":true}]}}])";

}  // namespace

TEST_CASE("flink-cdc: rows tell no key, and wait for one that is told elsewhere") {
  const Decoded decoded = decode_flink({event("null", R"({"id":1})", "c", kMysqlChange)});
  REQUIRE(decoded.rows.size() == 1);
  CHECK_FALSE(decoded.rows[0].keyed);
  CHECK(decoded.rows[0].key_elsewhere);
  CHECK(decoded.rows[0].table == "shop.-.t");
}

TEST_CASE("flink-cdc: rows of a snapshot are older than every change, whatever they call themselves") {
  for (const std::string& source : {kMysqlSnapshot, postgres(0, 0)}) {
    const TestRow row = decode_flink({event("null", R"({"id":1})", "r", source)}).rows.at(0);
    CHECK(row.operation == "SNAPSHOT");
    CHECK(row.order.empty());
    CHECK(row.time_us == 0);
  }
  // The older way of reading, which names its place in the log.
  CHECK_FALSE(decode_flink({event("null", R"({"id":1})", "r", kMysqlChange)}).rows.at(0).order.empty());
}

TEST_CASE("flink-cdc: changes are ordered by file, position and row, the two events of a key change too") {
  const auto order = [](const std::string& operation, const std::string& source) {
    const bool removed = operation == "d";
    return decode_flink({event(removed ? R"({"id":1})" : "null", removed ? "null" : R"({"id":1})", operation, source)}).rows.at(0).order;
  };
  CHECK(order("c", mysql("binlog.000009", 7)) < order("c", mysql("binlog.000010", 4)));
  CHECK(order("c", mysql("binlog.000009", 7)) < order("c", mysql("binlog.000009", 80)));
  CHECK(order("c", mysql("binlog.000009", 7, 0)) < order("d", mysql("binlog.000009", 7, 1)));
  CHECK(order("d", mysql("binlog.000009", 7)) < order("c", mysql("binlog.000009", 7)));
  CHECK(order("d", postgres(35910000)) < order("c", postgres(35910000)));
  CHECK(order("c", postgres(35910000)) < order("d", postgres(35910216)));
  // A redo record tells the changes of one scn apart; without, they stand in the order in which they were read, a delete behind a create
  // too.
  CHECK(order("d", oracle(7, "000015.00000156.00a0")) < order("c", oracle(7, "000015.00000156.00a0")));
  CHECK(order("c", oracle(7, "000015.00000156.00a0")) < order("d", oracle(7, "000015.00000156.00b0")));
  CHECK(order("d", oracle(7)) == order("c", oracle(7)));
  CHECK(order("c", oracle(7)) < order("d", oracle(8)));
  CHECK(order("c", kMysqlChange).substr(0, 42) ==
        "000000000000000400000000"
        "00001e4f"
        "00000000"
        "01");
  CHECK(order("c", kMysqlChange) != order("c", mysql("binlog.000004", 7759, 0, 1795370658000, 8)));
}

TEST_CASE("flink-cdc: values keep their digits in all spellings") {
  const auto cell = [](const std::string& value) {
    return decode_flink({event("null", "{\"id\":1,\"v\":" + value + "}", "c", kMysqlChange)}).rows.at(0).cells.at("v");
  };
  CHECK(cell("-1E-30") == "DECIMAL -0.000000000000000000000000000001");
  CHECK(cell("18446744073709551615") == "U64 18446744073709551615");
  CHECK(cell("123456789012345678901234567890.5") == "DECIMAL 123456789012345678901234567890.5");
  CHECK(cell("\"AP//////////\"") == "STRING AP//////////");
  CHECK(cell("-3020399048576") == "I64 -3020399048576");
  CHECK(cell(R"({"scale":9,"value":"XODppWAV/sWq36MorjmBFQ=="})").starts_with("DECIMAL 123456789012345678901234567890.1234"));
  CHECK(cell(R"("b\\,c")") == "STRING b\\,c");
}

TEST_CASE("flink-cdc: a schema tells what values are") {
  const auto cell = [](const std::string& field, const std::string& value) {
    TestMessage message;
    message.value = with_schema(field, value).value;
    return decode_flink({message}).rows.at(0).cells.at("v");
  };
  const std::string decimal =
      R"("type":"bytes","optional":true,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":")";
  CHECK(cell(decimal + "0\"}", "\"AP//////////\"") == "DECIMAL 18446744073709551615");
  CHECK(cell(decimal + "30\"}", "-1E-30") == "DECIMAL -0.000000000000000000000000000001");
  CHECK(cell(R"("type":"string","optional":true,"name":"io.debezium.data.Enum","version":1,"parameters":{"allowed":"a,b\\,c"})",
             R"("b\\,c")") == "STRING b,c");
  CHECK(cell(R"("type":"string","optional":true,"name":"io.debezium.data.Enum","version":1,"parameters":{"allowed":"a,b\\,c"})",
             R"("b,c")") == "STRING b,c");
  CHECK(cell(R"("type":"int64","optional":true,"name":"io.debezium.time.MicroTimestamp","version":1)", "9223372036825200000") ==
        "TIMESTAMP 9223372036854775807");
  CHECK(cell(R"("type":"bytes","optional":true,"name":"io.debezium.data.Bits","version":1,"parameters":{"length":"12"})", "\"qgo=\"") ==
        "STRING 101010101010");
}

TEST_CASE("flink-cdc: unchanged TOAST keeps the target's value") {
  const TestRow row = decode_flink({event("null", R"({"id":1,"doc":"__debezium_unavailable_value"})", "u", postgres(5))}).rows.at(0);
  CHECK(row.cells.count("doc") == 0);
  CHECK(row.cells.at("id") == "I64 1");
}

TEST_CASE("flink-cdc: values that PostgreSQL's connector makes up for a deleted row are not used") {
  const std::string before = R"({"id":1,"name":"","note":null,"created":"1970-01-01T00:00:00Z"})";
  const TestRow row = decode_flink({event(before, "null", "d", postgres(5))}).rows.at(0);
  CHECK(row.operation == "DELETE");
  CHECK_FALSE(row.has_before);
  CHECK(row.cells.at("id") == "I64 1");
  CHECK(row.cells.count("note") == 0);
  CHECK_FALSE(decode_flink({event(before, R"({"id":1,"name":"x","note":null,"created":null})", "u", postgres(5))}).rows.at(0).has_before);
  const TestRow full = decode_flink({event(before, "null", "d", postgres(5))}, {{"replica_identity", "full"}}).rows.at(0);
  CHECK(full.has_before);
  CHECK(full.before.at("note") == "NULL");
  // MySQL sends the row.
  CHECK(decode_flink({event(before, "null", "d", kMysqlChange)}).rows.at(0).has_before);
}

TEST_CASE("flink-cdc: a history record defines the table: its key, its columns, and the types that values without schema show") {
  const Decoded decoded = decode_flink({history(ddl("alter table t add x int", kTable))});
  REQUIRE(decoded.rows.size() == 1);
  const TestRow& row = decoded.rows[0];
  CHECK(row.operation == "DEFINITION");
  CHECK(row.table == "shop.-.t");
  CHECK(row.declared);
  CHECK(row.keyed);
  CHECK(row.columns.at("b").key_ordinal == 1);
  CHECK(row.columns.at("id").key_ordinal == 2);
  CHECK(row.columns.at("id").type == "INT64");
  CHECK(row.columns.at("id").not_null);
  CHECK(row.columns.at("name").type == "STRING(300)");
  CHECK(row.columns.at("city").default_value == "STRING L'Isle");
  for (const char* name : {"score", "u8", "d", "ok"}) CHECK(row.columns.at(name).type == "UNKNOWN");
  CHECK(row.columns.at("at").type == "TIMESTAMPTZ");
  CHECK(row.order.substr(0, 32) == "00000000000000040000000000000320");
  // Rows with a schema tell their types themselves.
  CHECK(decode_flink({history(ddl("alter table t add x int", kTable), true)}).rows.at(0).columns.at("name").type == "UNKNOWN");
}

TEST_CASE("flink-cdc: truncate is in the statement's text alone") {
  for (const char* text : {"truncate table t", "TRUNCATE `t`", "/* by hand */ truncate shop.t", "truncate table `shop` . `t`;"}) {
    CAPTURE(text);
    const TestRow row = decode_flink({history(ddl(text))}).rows.at(0);
    CHECK(row.operation == "TRUNCATE");
    CHECK(row.table == "shop.-.t");
    CHECK_FALSE(row.order.empty());
  }
  const TestRow elsewhere = decode_flink({history(ddl("truncate table `other`.`a``b`"))}).rows.at(0);
  CHECK(elsewhere.table == "other.-.a`b");
}

TEST_CASE("flink-cdc: a table that is made has no rows of an older one of its name") {
  std::string made = kTable;
  made.replace(made.find("ALTER"), 5, "CREATE");
  for (const char* text : {"create table t (id int)", "CREATE OR REPLACE TABLE t (id int)", "/* by hand */ create table `t` like u"}) {
    CAPTURE(text);
    const Decoded decoded = decode_flink({history(ddl(text, made))});
    REQUIRE(decoded.rows.size() == 2);
    CHECK(decoded.rows[0].operation == "TRUNCATE");
    CHECK(decoded.rows[0].table == "shop.-.t");
    CHECK(decoded.rows[1].operation == "DEFINITION");
    CHECK(decoded.rows[0].order == decoded.rows[1].order);
  }
  // It may have been there.
  for (const char* text : {"create table if not exists t (id int)", "create temporary table t (id int)", "alter table t add x int"}) {
    CAPTURE(text);
    const Decoded decoded = decode_flink({history(ddl(text, made))});
    REQUIRE(decoded.rows.size() == 1);
    CHECK(decoded.rows[0].operation == "DEFINITION");
  }
}

TEST_CASE("flink-cdc: a statement that cannot be read is told, and stops nothing") {
  const auto commented = [](int depth) {
    std::string text;
    for (int i = 0; i < depth; ++i) text += "/*!40101 ";
    return text + "truncate t */";
  };
  CHECK(decode_flink({history(ddl(commented(8)))}).rows.at(0).operation == "TRUNCATE");
  std::string twice = kTable;
  twice.replace(twice.find(R"(["b","id"])"), 10, R"(["id","id"])");
  for (const std::string& record : {ddl(commented(9)), ddl(commented(100'000)), ddl("TRUNCATE ``"), ddl("TRUNCATE ` `"),
                                    ddl("truncate table `s`.``"), ddl("alter table t add x int", twice)}) {
    CAPTURE(record.substr(0, 200));
    const Decoded decoded = decode_flink({history(record)});
    CHECK(decoded.rows.empty());
    CHECK(decoded.rejects.size() == 1);
  }
}

TEST_CASE("flink-cdc: statements that change no table are counted") {
  const std::string dropped = R"([{"type":"DROP","id":"\"shop\".\"t\""}])";
  for (const std::string& record : {ddl("drop table t, u", dropped), ddl("create database x"), ddl("create view v as select 1", kTable),
                                    ddl("CREATE OR REPLACE ALGORITHM=MERGE VIEW v AS select 1", kTable)}) {
    CAPTURE(record);
    CHECK(decode_flink({history(record)}).rows.at(0).operation == "MARKER");
  }
}

TEST_CASE("flink-cdc: rows that go with a partition, and a history that cannot be read, are told") {
  for (const std::string& record : {ddl("alter table t drop partition p0", kTable), ddl("ALTER TABLE t TRUNCATE PARTITION p0"),
                                    std::string("no json"), ddl("alter table t add x int", R"([{"type":"ALTER","id":"t"}])"),
                                    ddl("alter table t add x int", R"([{"type":"ALTER","id":"\"shop\".\"t\""}])")}) {
    CAPTURE(record);
    const Decoded decoded = decode_flink({history(record)});
    CHECK(decoded.rows.empty());
    CHECK(decoded.rejects.size() == 1);
  }
}

TEST_CASE("flink-cdc: messages of others are named") {
  const auto reason = [](const std::string& value, std::optional<std::string> key = {}) {
    TestMessage message;
    message.key = std::move(key);
    message.value = value;
    const Decoded decoded = decode_flink({message});
    REQUIRE(decoded.rejects.size() == 1);
    CHECK_FALSE(decoded.rejects[0].hint.empty());
    return decoded.rejects[0].text;
  };
  CHECK(reason(R"({"data":[{"id":"1"}],"database":"shop","es":1,"id":1,"isDdl":false,"table":"t","ts":1,"type":"INSERT"})").find("Canal") !=
        std::string::npos);
  CHECK(reason(R"({"database":"shop","table":"t","type":"insert","ts":1,"data":{"id":1}})").find("Maxwell") != std::string::npos);
  CHECK(reason(R"({"data":{"id":1},"metadata":{"record-type":"data","operation":"insert"}})").find("DMS") != std::string::npos);
  CHECK(reason(R"({"id":1,"name":"a"})").find("no event of Flink CDC") != std::string::npos);
  CHECK(reason(R"({"before":null,"after":{"id":1},"source":)" + postgres(5) + R"(,"op":"c","ts_ms":1,"ts_us":1})", R"({"id":1})")
            .find("Debezium on Kafka Connect") != std::string::npos);
  CHECK(reason(R"({"before":null,"after":{"id":1},"source":)" + postgres(5) + R"(,"op":"x","ts_ms":1})").find("\"x\"") !=
        std::string::npos);
}
