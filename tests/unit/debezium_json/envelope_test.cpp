// What an event means: operations, keys, images, flattened rows, markers, order.
#include <doctest/doctest.h>

#include "decoded.hpp"

using namespace cdcrt::test;

namespace {

const std::string kInt = R"("type":"int32","optional":true)";

std::string source(const std::string& more) { return R"({"connector":"mysql","db":"shop","table":"t","ts_ms":5,)" + more + "}"; }

TestMessage event(const std::string& before, const std::string& after, const std::string& operation, const std::string& source_block,
                  std::optional<std::string> key = R"({"id":1})") {
  TestMessage message;
  message.key = std::move(key);
  message.value = "{\"before\":" + before + ",\"after\":" + after + ",\"source\":" + source_block + ",\"op\":\"" + operation + "\"}";
  return message;
}

const std::string kSource = R"({"connector":"mysql","db":"shop","table":"t"})";
const std::string kPostgres = R"({"connector":"postgresql","db":"shop","schema":"public","table":"t"})";

std::string order_of(const std::string& block) { return place_of(decode({event("null", R"({"id":1})", "c", block)}).rows.at(0).order); }

}  // namespace

TEST_CASE("envelope: operations, table, key, order and time come from the event") {
  const char* operations[][2] = {{"c", "INSERT"}, {"r", "SNAPSHOT"}, {"u", "UPDATE"}, {"d", "DELETE"}};
  for (const auto& [code, name] : operations) {
    for (const bool schema : {true, false}) {
      CAPTURE(code);
      CAPTURE(schema);
      const Decoded decoded = decode({schema ? with_schema(kInt, "7", code) : without_schema("7", code)});
      REQUIRE(decoded.rows.size() == 1);
      const TestRow& row = decoded.rows[0];
      CHECK(row.operation == name);
      CHECK(row.table == "shop.public.t");
      CHECK(row.declared == schema);
      CHECK(row.keyed);
      CHECK(row.columns.at("id").key_ordinal == 1);
      CHECK(row.columns.at("v").key_ordinal == 0);
      CHECK(place_of(row.order) == "00000000000001020000000000000102");
      CHECK(row.time_us == 1700000000123456);
      CHECK(row.cells.at("id") == "I64 1");
      CHECK(row.cells.count("v") == (row.operation == "DELETE" ? 0 : 1));
    }
  }
}

TEST_CASE("envelope: a key of several columns keeps its order") {
  const Decoded decoded = decode({event("null", R"({"a":1,"b":2,"c":3})", "c", kSource, R"({"c":3,"a":1})")});
  CHECK(decoded.rows.at(0).columns.at("c").key_ordinal == 1);
  CHECK(decoded.rows.at(0).columns.at("a").key_ordinal == 2);
  CHECK(decoded.rows.at(0).columns.at("b").key_ordinal == 0);
}

TEST_CASE("envelope: the router's extra key field is no column") {
  const Decoded decoded = decode({event("null", R"({"a":1})", "c", kSource, R"({"a":1,"__dbz__physicalTableIdentifier":"x"})")});
  CHECK(decoded.rows.at(0).columns.at("a").key_ordinal == 1);
}

TEST_CASE("envelope: a key column that the row lacks is refused") {
  const Decoded decoded = decode({event("null", R"({"a":1})", "c", kSource, R"({"b":1})")});
  REQUIRE(decoded.rejects.size() == 1);
  CHECK(decoded.rejects[0].text.find("\"b\"") != std::string::npos);
}

TEST_CASE("envelope: a plain key is refused with advice, and taken when keys are ignored") {
  for (const char* key : {"42", "\"k\"", "Struct{id=1}", "", "[1]", "{\"id\":"}) {
    CAPTURE(key);
    const TestMessage message = event("null", R"({"id":1})", "c", kSource, key);
    const Decoded decoded = decode({message});
    REQUIRE(decoded.rejects.size() == 1);
    CHECK(decoded.rejects[0].hint.find("keys = \"ignore\"") != std::string::npos);
    const Decoded ignored = decode({message}, "t", {{"keys", "ignore"}});
    REQUIRE(ignored.rows.size() == 1);
    CHECK_FALSE(ignored.rows[0].keyed);
  }
}

TEST_CASE("envelope: no key, no key columns") {
  const Decoded decoded = decode({event("null", R"({"id":1})", "c", kSource, std::nullopt)});
  CHECK_FALSE(decoded.rows.at(0).keyed);
  CHECK(decoded.rows.at(0).columns.at("id").key_ordinal == 0);
}

TEST_CASE("envelope: a before image that only holds the key and filler is not taken for a row") {
  const std::string filler = R"({"id":1,"name":"","n":0,"t":null,"c":"1970-01-01T00:00:00Z","d":"0.00"})";
  const Decoded removal = decode({event(filler, "null", "d", kSource)});
  CHECK(removal.rows.at(0).cells == std::map<std::string, std::string>{{"id", "I64 1"}});
  CHECK_FALSE(removal.rows.at(0).has_before);
  const Decoded full = decode({event(R"({"id":1,"name":"x"})", "null", "d", kSource)});
  CHECK(full.rows.at(0).cells == std::map<std::string, std::string>{{"id", "I64 1"}});
  REQUIRE(full.rows.at(0).has_before);
  CHECK(full.rows.at(0).before.at("name") == "STRING x");
}

TEST_CASE("envelope: values that the schema gives as defaults prove no full image") {
  const std::string field = R"("type":"int32","optional":true,"default":5)";
  CHECK_FALSE(decode({with_schema(field, "5", "d")}).rows.at(0).has_before);
  CHECK(decode({with_schema(field, "6", "d")}).rows.at(0).has_before);
}

TEST_CASE("envelope: PostgreSQL without schema tells no full image from filled-in defaults") {
  CHECK_FALSE(decode({event(R"({"id":1,"n":5})", "null", "d", kPostgres)}).rows.at(0).has_before);
  CHECK(decode({event(R"({"id":1,"n":5})", R"({"id":1,"n":6})", "u", kPostgres)}).rows.at(0).has_before);
}

TEST_CASE("envelope: without key the before image is the row") {
  const Decoded decoded = decode({event(R"({"a":1,"b":null})", "null", "d", kSource, std::nullopt)});
  const TestRow& row = decoded.rows.at(0);
  CHECK(row.cells == std::map<std::string, std::string>{{"a", "I64 1"}, {"b", "NULL"}});
  CHECK(row.before == row.cells);
  const Decoded nothing = decode({event("null", "null", "d", kSource, std::nullopt)});
  REQUIRE(nothing.rejects.size() == 1);
}

TEST_CASE("envelope: a delete without before image goes by the message key") {
  const Decoded decoded = decode({event("null", "null", "d", kSource, R"({"id":1,"part":"x"})")});
  CHECK(decoded.rows.at(0).cells == std::map<std::string, std::string>{{"id", "I64 1"}, {"part", "STRING x"}});
  TestMessage typed = with_schema(kInt, "7", "d");
  const std::size_t begin = typed.value->find("\"before\":{\"id\":1,\"v\":7}");
  REQUIRE(begin != std::string::npos);
  typed.value->replace(begin, 23, "\"before\":null");
  const Decoded declared = decode({typed});
  REQUIRE(declared.rows.size() == 1);
  CHECK(declared.rows[0].cells == std::map<std::string, std::string>{{"id", "I64 1"}});
}

TEST_CASE("envelope: a key change inside one event shows the old key") {
  const Decoded decoded = decode({event(R"({"id":1,"v":null})", R"({"id":2,"v":null})", "u", kSource, R"({"id":2})")});
  CHECK(decoded.rows.at(0).before == std::map<std::string, std::string>{{"id", "I64 1"}});
  CHECK_FALSE(decode({event(R"({"id":2,"v":null})", R"({"id":2,"v":7})", "u", kSource)}).rows.at(0).has_before);
}

TEST_CASE("envelope: headers of a key change name the other key") {
  for (const bool schema : {true, false}) {
    TestMessage removed = schema ? with_schema(kInt, "7", "d") : without_schema("7", "d");
    removed.headers = {{"__debezium.context.taskId", "0"}, {"__debezium.newkey", R"({"id":2})"}};
    TestMessage created = schema ? with_schema(kInt, "7", "c") : without_schema("7", "c");
    created.headers = {
        {"__debezium.oldkey", R"({"schema":{"type":"struct","fields":[{"type":"int32","field":"id"}]},"payload":{"id":3}})"}};
    const Decoded decoded = decode({removed, created});
    REQUIRE(decoded.rows.size() == 2);
    CHECK(decoded.rows[0].other_key == std::map<std::string, std::string>{{"id", "I64 2"}});
    CHECK(decoded.rows[1].other_key == std::map<std::string, std::string>{{"id", "I64 3"}});
  }
  TestMessage broken = without_schema("7", "c");
  broken.headers = {{"__debezium.oldkey", "{"}};
  CHECK(decode({broken}).rejects.size() == 1);
}

TEST_CASE("envelope: a header of the other key is read as Connect writes it, whose texts have line breaks as they are") {
  TestMessage created = event("null", R"({"id":"b"})", "c", kSource, R"({"id":"b"})");
  created.headers = {{"__debezium.oldkey", "{\"id\":\"a\n\\\"12:00\\\\\tb\"}"}};
  const Decoded decoded = decode({created});
  REQUIRE(decoded.rejects.empty());
  CHECK(decoded.rows.at(0).other_key == std::map<std::string, std::string>{{"id", "STRING a\n\"12:00\\\tb"}});
}

TEST_CASE(
    "envelope: a header that tells Connect's dates and times without quotes ties no events, and stops neither of them unless one lacks values") {
  for (const char* key :
       {R"({"id":2024-01-01})", R"({"id":12:34:56.789Z})", R"({"id":2024-01-01T00:00:00.001Z})", R"({"id":-0043-03-15})"}) {
    TestMessage removed = without_schema("7", "d");
    removed.headers = {{"__debezium.newkey", key}};
    TestMessage created = without_schema("8", "c");
    created.headers = {{"__debezium.oldkey", key}};
    const Decoded decoded = decode({removed, created});
    CHECK(decoded.rejects.empty());
    REQUIRE(decoded.rows.size() == 2);
    CHECK(decoded.rows[0].operation == "DELETE");
    CHECK(decoded.rows[0].other_key.empty());
    CHECK(decoded.rows[1].other_key.empty());
    TestMessage partial = without_schema(R"("__debezium_unavailable_value")", "c");
    partial.headers = created.headers;
    const Decoded refused = decode({partial});
    REQUIRE(refused.rejects.size() == 1);
    CHECK(refused.rejects[0].hint.find("header.converter") != std::string::npos);
  }
}

TEST_CASE("envelope: truncate has a shape and no cells") {
  TestMessage message = with_schema(kInt, "7", "t");
  message.key.reset();
  const Decoded decoded = decode({message, event("null", "null", "t", kSource, std::nullopt)});
  REQUIRE(decoded.rows.size() == 2);
  CHECK(decoded.rows[0].operation == "TRUNCATE");
  CHECK(decoded.rows[0].table == "shop.public.t");
  CHECK(decoded.rows[0].cells.empty());
  CHECK(place_of(decoded.rows[0].order) == "00000000000001020000000000000102");
  CHECK(decoded.rows[1].table == "shop.-.t");
}

TEST_CASE("envelope: messages about the connector are markers, never tables") {
  const std::vector<TestMessage> messages = {
      {R"({"id":1})", std::nullopt, {}},
      {R"({"serverName":"pg"})", R"({"ts_ms":1795367477681})", {}},
      {std::nullopt,
       R"({"schema":{"type":"struct","fields":[{"type":"int64","field":"ts_ms"}],"name":"io.debezium.connector.common.Heartbeat"},"payload":{"ts_ms":1}})",
       {}},
      {R"({"id":"1"})", R"({"status":"BEGIN","id":"766:28240864","event_count":null,"data_collections":null,"ts_ms":1})", {}},
      {R"({"databaseName":"shop"})",
       R"({"source":{"db":"shop","table":"t"},"ts_ms":1,"databaseName":"shop","schemaName":null,"ddl":"drop table t","tableChanges":[]})",
       {}},
      {std::nullopt, R"({"op":"m","ts_ms":1,"source":{"db":"shop","schema":"","table":""},"message":{"prefix":"a","content":"AA=="}})", {}},
      {std::nullopt, R"({"schema":null,"payload":null})", {}},
  };
  const Decoded decoded = decode(messages, "anything");
  CHECK(decoded.rejects.empty());
  REQUIRE(decoded.rows.size() == messages.size());
  for (const auto& row : decoded.rows) CHECK(row.operation == "MARKER");
  CHECK(decode({{std::nullopt, R"({"ts_ms":1})", {}}}, "__debezium-heartbeat.pg").rows.at(0).operation == "MARKER");
}

TEST_CASE("envelope: source order compares as the source did things") {
  CHECK(order_of(source(R"("file":"mysql-bin.000012","pos":345,"row":2)")) ==
        "000000000000000c"
        "0000000000000159"
        "00000002");
  CHECK(order_of(source(R"("file":"mysql-bin.000012","pos":345,"row":2)")) <
        order_of(source(R"("file":"mysql-bin.000012","pos":1000,"row":0)")));
  CHECK(order_of(source(R"("file":"mysql-bin.999999","pos":345,"row":2)")) <
        order_of(source(R"("file":"mysql-bin.1000000","pos":4,"row":0)")));
  CHECK(order_of(source(R"("file":"","pos":0,"row":0)")).empty());
  CHECK(order_of(source(R"("lsn":null)")).empty());
  CHECK(order_of(source(R"("sequence":"[\"257\",\"259\"]","lsn":259)")) == "00000000000001010000000000000103");
  CHECK(order_of(source(R"("sequence":"[null,\"259\"]","lsn":259)")) == "00000000000001030000000000000103");
  CHECK(order_of(source(R"("lsn":259)")) == "00000000000001030000000000000103");
  // A transaction that began first and ended last is sent last, though its change lies before the other's in the log.
  CHECK(order_of(source(R"("sequence":"[\"100\",\"260\"]","lsn":260)")) < order_of(source(R"("sequence":"[\"300\",\"258\"]","lsn":258)")));
  CHECK(order_of(source(R"("change_lsn":"00000027:00000ac0:0002","commit_lsn":"00000027:00000ac0:0007","event_serial_no":2)")) ==
        "0000002700000ac00007"
        "0000002700000ac00002"
        "0000000000000002");
  CHECK(order_of(source(R"("scn":"258")")) == "0000000000000102" + std::string(28, '0'));
  const auto oracle = [](const char* record, int number) {
    return order_of(source(R"("scn":"258","rs_id":")" + std::string(record) + R"(","ssn":)" + std::to_string(number)));
  };
  CHECK(oracle(" 0x000015.00000156.00a0 ", 3) ==
        "0000000000000102"
        "00000015"
        "00000156"
        "00a0"
        "00000003");
  CHECK(oracle("000015.00000156.00a0", 3) == oracle(" 0x000015.00000156.00a0 ", 3));
  CHECK(oracle("0x000015.00000156.00a0", 3) < oracle("0x000015.00000156.00a0", 4));
  CHECK(oracle("0x000015.00000156.00a0", 9) < oracle("0x000015.00000157.0010", 0));
  CHECK(order_of(source(R"("scn":"258")")) < oracle("0x000015.00000156.00a0", 0));
  for (const char* damaged : {"", "0x", "x.y.z", "000015.00000156", "000015.00000156.00a0.1"}) {
    CHECK(oracle(damaged, 3) == order_of(source(R"("scn":"258")")));
  }
}

TEST_CASE("flattened: rows with metadata become operations on the table they name") {
  const TestMessage row{
      R"({"id":1})",
      R"({"id":1,"v":"x","__op":"u","__table":"t","__db":"shop","__schema":"public","__lsn":258,"__source_ts_ms":5,"__deleted":"false","__own":1})",
      {}};
  const TestMessage removed{
      R"({"id":1})",
      R"({"id":1,"v":null,"__op":"d","__table":"t","__db":"shop","__schema":"public","__lsn":259,"__source_ts_ms":6,"__deleted":"true","__own":1})",
      {}};
  const Decoded decoded = decode({row, removed}, "pg.public.other");
  CHECK(decoded.rejects.empty());
  REQUIRE(decoded.rows.size() == 2);
  CHECK(decoded.rows[0].operation == "UPDATE");
  CHECK(decoded.rows[0].table == "shop.public.t");
  CHECK(decoded.rows[0].cells == std::map<std::string, std::string>{{"id", "I64 1"}, {"v", "STRING x"}, {"__own", "I64 1"}});
  CHECK(place_of(decoded.rows[0].order) == "00000000000001020000000000000102");
  CHECK(decoded.rows[0].time_us == 5000);
  CHECK(decoded.rows[1].operation == "DELETE");
  CHECK(decoded.rows[1].cells == std::map<std::string, std::string>{{"id", "I64 1"}});
}

TEST_CASE("flattened: a row whose operation or deletion nobody knows is refused, not inserted") {
  const auto row = [](const std::string& metadata) { return TestMessage{R"({"id":1})", R"({"id":1,"v":"x",)" + metadata + "}", {}}; };
  for (const char* metadata :
       {R"("__op":"x","__deleted":"false")", R"("__op":"create","__deleted":"false")", R"("__op":1,"__deleted":"false")",
        R"("__op":"ud","__deleted":"false")", R"("__deleted":"TRUE")", R"("__deleted":"yes")", R"("__deleted":1)"}) {
    CAPTURE(metadata);
    const Decoded decoded = decode({row(metadata)});
    CHECK(decoded.rows.empty());
    CHECK(decoded.rejects.size() == 1);
  }
  for (const char* metadata : {R"("__op":null,"__deleted":"false")", R"("__op":"c","__deleted":false)", R"("__deleted":null)"})
    CHECK(decode({row(metadata)}).rows.size() == 1);
  CHECK(decode({row(R"("__op":"x","__deleted":"false")")}, "pg.public.t", {{"metadata_prefix", "m_"}, {"tombstones", "ignore"}})
            .rows.size() == 1);
}

TEST_CASE("flattened: with schema the types are declared") {
  const TestMessage row{
      R"({"id":1})",
      R"({"schema":{"type":"struct","fields":[{"type":"int32","optional":false,"field":"id"},{"type":"int32","optional":true,"name":"io.debezium.time.Date","field":"d"},{"type":"string","field":"__deleted"}],"name":"x"},"payload":{"id":1,"d":3,"__deleted":"false"}})",
      {}};
  const Decoded decoded = decode({row, row}, "pg.public.t");
  REQUIRE(decoded.rows.size() == 2);
  CHECK(decoded.rows[1].declared);
  CHECK(decoded.rows[1].cells == std::map<std::string, std::string>{{"id", "I64 1"}, {"d", "DATE 3"}});
  CHECK(decoded.rows[1].table == "-.public.t");
}

TEST_CASE("flattened: rows whose deletes would be lost are refused until the operator has said how deletes come") {
  const TestMessage row{R"({"id":1})", R"({"id":1,"v":"x"})", {}};
  const TestMessage tombstone{R"({"id":1})", std::nullopt, {}};
  const Decoded refused = decode({row, tombstone}, "pg.public.t");
  REQUIRE(refused.rejects.size() == 1);
  CHECK(refused.rejects[0].hint.find("tombstones = \"delete\"") != std::string::npos);

  const Decoded ignoring = decode({row, tombstone}, "pg.public.t", {{"tombstones", "ignore"}});
  REQUIRE(ignoring.rows.size() == 2);
  CHECK(ignoring.rows[1].operation == "MARKER");

  for (const Options& options : {Options{{"tombstones", "delete"}}, Options{{"table_from_topic", "true"}}}) {
    const Decoded decoded = decode({row, tombstone}, "pg.public.t", options);
    REQUIRE(decoded.rows.size() == 2);
    CHECK(decoded.rows[0].operation == "INSERT");
    CHECK(decoded.rows[0].table == "-.public.t");
    CHECK(decoded.rows[1].operation == "DELETE");
    CHECK(decoded.rows[1].table == "-.public.t");
    CHECK_FALSE(decoded.rows[1].declared);
    CHECK(decoded.rows[1].cells == std::map<std::string, std::string>{{"id", "I64 1"}});
  }
  CHECK(decode({{std::nullopt, std::nullopt, {}}}, "t", {{"tombstones", "delete"}}).rejects.size() == 1);
}

TEST_CASE("flattened: a tombstone's typed key keeps its types") {
  TestMessage tombstone = with_schema(kInt, "7");
  tombstone.value.reset();
  const Decoded decoded = decode({tombstone, tombstone}, "pg.public.t", {{"tombstones", "delete"}});
  REQUIRE(decoded.rows.size() == 2);
  CHECK(decoded.rows[1].columns.at("id").type == "INT32");
  CHECK(decoded.rows[1].cells.at("id") == "I64 1");
}

TEST_CASE("flattened: table_from_topic takes the topic apart") {
  const TestMessage row{R"({"id":1})", R"({"id":1,"__table":"ignored"})", {}};
  const auto table = [&](const std::string& rule, const std::string& topic) {
    const Decoded decoded = decode({row}, topic, {{"table_from_topic", rule}});
    return decoded.rows.empty() ? "rejected: " + decoded.rejects.at(0).text : decoded.rows[0].table;
  };
  CHECK(table("true", "orders") == "-.-.orders");
  CHECK(table("true", "server.orders") == "-.-.orders");
  CHECK(table("true", "server.sales.orders") == "-.sales.orders");
  CHECK(table("{database}.{table}", "server.shop.orders") == "shop.-.orders");
  CHECK(table("{database}.{schema}.{table}", "a.b.c.d") == "b.c.d");
  CHECK(table("cdc-{schema}.{any}.{table}_v1", "x.cdc-sales.7.orders_v1") == "-.sales.orders");
  CHECK(table("cdc-{schema}.{table}", "x.orders").substr(0, 8) == "rejected");
  CHECK(table("re:(?<database>[a-z]+)-(x|y)-(?<table>.*)", "shop-y-orders") == "shop.-.orders");
  CHECK_THROWS(table("{tabel}", "x"));
  CHECK_THROWS(table("{schema}", "x"));
  CHECK_THROWS(table("re:(", "x"));
  CHECK_THROWS(table("re:(?<x>a)", "x"));
  const Decoded never = decode({{R"({"id":1})", R"({"id":1,"__deleted":"false"})", {}}}, "t", {{"table_from_topic", "false"}});
  CHECK(never.rejects.size() == 1);
}

TEST_CASE("envelope: an order tells its log: when the change was made and read, the server, the files, the transaction") {
  const auto log_of = [](const std::string& block) {
    TestMessage message =
        event("null", R"({"id":1})", "c", "{\"connector\":\"mysql\",\"name\":\"s\",\"db\":\"d\",\"table\":\"t\"," + block + "}");
    const std::string order = decode({message}).rows.at(0).order;
    return order.substr(order.size() - 80);
  };
  const std::string binlog = R"("file":"binlog.000012","pos":345,"row":0,"ts_ms":1000,)";
  const std::string whole = log_of(binlog + R"("server_id":7,"gtid":"3e11fa47-71ca-11e1-9e33-c80aa9429562:23")");
  CHECK(whole.substr(0, 16) == "00000000000003e8");
  CHECK(whole.substr(56, 16) == "0000000000000017");
  CHECK(whole.substr(72) == "ff4c4f47");
  const auto server = [&](const std::string& id) { return log_of(binlog + "\"server_id\":" + id).substr(32, 8); };
  CHECK(server("0") == "00000000");
  CHECK(server("7") != server("8"));
  const auto counter = [&](const std::string& gtid) { return log_of(binlog + "\"gtid\":\"" + gtid + "\"").substr(48, 24); };
  // MariaDB's servers of one domain go on counting where the last one ended.
  CHECK(counter("0-1-270").substr(0, 8) == counter("0-2-271").substr(0, 8));
  CHECK(counter("0-1-270").substr(8) == "000000000000010e");
  CHECK(counter("0-1-270").substr(0, 8) != counter("1-1-270").substr(0, 8));
  CHECK(counter("what") == std::string(24, '0'));
  CHECK(log_of(R"("lsn":259,"ts_ms":1000)").substr(40, 8) == "00000000");
}
