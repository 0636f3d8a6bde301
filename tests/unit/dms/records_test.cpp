// Records of AWS DMS in every spelling: what becomes of each.
#include <doctest/doctest.h>

#include "decoded.hpp"

using namespace cdcrt::test;

TEST_CASE("each operation on data is a row of its table") {
  CHECK(decode_dms(dms_record("load", R"({"id":1,"name":"Ann"})")) == "SNAPSHOT shop.customer id=1 name='Ann' ...");
  CHECK(decode_dms(dms_record("insert", R"({"id":1,"name":"Ann"})")) == "INSERT shop.customer id=1 name='Ann' ...");
  CHECK(decode_dms(dms_record("update", R"({"id":1,"name":"Ann"})")) == "UPDATE shop.customer id=1 name='Ann' ...");
  CHECK(decode_dms(dms_record("delete", R"({"id":1,"name":"Ann"})")) == "DELETE shop.customer id=1 name='Ann'");
}

TEST_CASE("a record over many lines is the same as one on one line") {
  CHECK(decode_dms("{\n\t\"data\": {\n\t\t\"id\":\t1,\n\t\t\"name\":\t\"a\\nb\"\n\t},\n\t\"metadata\": {\n\t\t\"timestamp\": "
                   "\"2025-06-10T11:28:04.550604Z\",\n\t\t\"record-type\": \"data\",\n\t\t\"operation\": \"load\",\n\t\t\"schema-name\": "
                   "\"shop\",\n\t\t\"table-name\": \"customer\"\n\t}\n}\n") == "SNAPSHOT shop.customer id=1 name='a\nb' ...");
}

TEST_CASE("the form of the partition key makes no difference") {
  for (const char* form : {"primary-key", "schema-table", "task-id", "attribute-name", "id"}) {
    CAPTURE(form);
    const std::string more = std::string(R"(,"partition-key-type":")") + form + R"(","partition-key-value":"shop.customer.1")";
    CHECK(decode_dms(dms_record("insert", R"({"id":1})", more)) == "INSERT shop.customer id=1 ...");
  }
}

TEST_CASE("what a record leaves out is NULL, or '' where the operator says so, or unchanged where the endpoint leaves nothing out") {
  const std::string record = dms_record("update", R"({"id":1})");
  CHECK(decode_dms(record) == "UPDATE shop.customer id=1 ...");
  CHECK(decode_dms(record, {{"include_null_and_empty", "true"}}) == "UPDATE shop.customer id=1");
  CHECK(decode_dms(record, {{"empty_when_absent", "shop.customer.name"}}) == "UPDATE shop.customer id=1 name='' ...");
  CHECK(decode_dms(record, {{"empty_when_absent", "customer.name"}}) == "UPDATE shop.customer id=1 name='' ...");
  CHECK(decode_dms(record, {{"empty_when_absent", "sh*.customer.name"}}) == "UPDATE shop.customer id=1 name='' ...");
  CHECK(decode_dms(record, {{"empty_when_absent", "other.name"}}) == "UPDATE shop.customer id=1 ...");
  CHECK(decode_dms(dms_record("update", R"({"id":1,"name":"Ann"})"), {{"empty_when_absent", "customer.name"}}) ==
        "UPDATE shop.customer id=1 name='Ann' ...");
  CHECK(decode_dms(dms_record("delete", R"({"id":1})"), {{"empty_when_absent", "customer.name"}}) == "DELETE shop.customer id=1");
  CHECK_THROWS(decode_dms(record, {{"empty_when_absent", "customer.*"}}));
  // The column would be added to tables that have none of that name.
  for (const char* const name : {"name", "shop.*.name", "shop.cust*.name", "*.name", "shop..name"})
    CHECK_THROWS(decode_dms(record, {{"empty_when_absent", name}}));
}

TEST_CASE("nulls of a delete are unknown, unless deletes carry rows") {
  const std::string record = dms_record("delete", R"({"id":2,"name":null,"born":null})");
  CHECK(decode_dms(record) == "DELETE shop.customer id=2");
  CHECK(decode_dms(record, {{"deletes", "row"}}) == "DELETE shop.customer id=2 name=NULL born=NULL ... before id=2 name=NULL born=NULL");
  CHECK(decode_dms(record, {{"deletes", "row"}, {"include_null_and_empty", "true"}}) ==
        "DELETE shop.customer id=2 name=NULL born=NULL before id=2 name=NULL born=NULL");
  CHECK(decode_dms(dms_record("delete", R"({"id":2})"), {{"deletes", "row"}, {"empty_when_absent", "customer.name"}}) ==
        "DELETE shop.customer id=2 name='' ... before id=2 name=''");
}

TEST_CASE("the row before a change stands in an object beside data") {
  const std::string data = R"({"id":101,"name":"Ann"})";
  CHECK(decode_dms(dms_record("update", data, "", R"("before-image":{"id":1},)")) ==
        "UPDATE shop.customer id=101 name='Ann' ... before id=1");
  CHECK(decode_dms(dms_record("update", data, "", R"("old":{"id":1},)")) == "UPDATE shop.customer id=101 name='Ann' ... before id=1");
  CHECK(decode_dms(dms_record("update", data, "", R"("old":{"id":1},)"), {{"before_image_field", "old"}}) ==
        "UPDATE shop.customer id=101 name='Ann' ... before id=1");
  CHECK(decode_dms(dms_record("update", data, "", R"("old":{"id":1},)"), {{"before_image_field", "before-image"}}) ==
        "dead letter: beside data, control and metadata the record has a member \"old\" | if it is the row before the change (FieldName of "
        "BeforeImageSettings), set before_image_field to its name");
  CHECK(decode_dms(dms_record("update", data, "", R"("before-image":{},)")) == "UPDATE shop.customer id=101 name='Ann' ...");
  CHECK(decode_dms(dms_record("update", data, "", R"("before-image":null,)"), {{"before_image_field", "before-image"}}) ==
        "UPDATE shop.customer id=101 name='Ann' ...");
  CHECK(decode_dms(dms_record("update", R"({"id":1})", "", R"("before-image":{"id":1,"name":"Ann"},)")) ==
        "UPDATE shop.customer id=1 name=NULL ... before id=1 name='Ann'");
}

TEST_CASE("a member beside data that is null is no row before the change") {
  CHECK(decode_dms(dms_record("update", R"({"id":1})", "", R"("before-image":null,)")) == "UPDATE shop.customer id=1 ...");
  CHECK(decode_dms(dms_record("update", R"({"id":1})", "", R"("old":null,"before-image":{"id":2},)")) ==
        "UPDATE shop.customer id=1 ... before id=2");
}

TEST_CASE(
    "what the row before a change leaves out is not known, or '' where the operator says so, or unchanged where nothing is left out") {
  const std::string record = dms_record("update", R"({"id":1,"name":"x"})", "", R"("before-image":{"id":1},)");
  CHECK(decode_dms(record) == "UPDATE shop.customer id=1 name='x' ... before id=1");
  CHECK(decode_dms(record, {{"empty_when_absent", "customer.name"}}) == "UPDATE shop.customer id=1 name='x' ... before id=1 name=''");
  CHECK(decode_dms(record, {{"empty_when_absent", "other.name"}}) == "UPDATE shop.customer id=1 name='x' ... before id=1");
  CHECK(decode_dms(record, {{"include_null_and_empty", "true"}}) == "UPDATE shop.customer id=1 name='x' before id=1 name='x'");
  CHECK(decode_dms(dms_record("update", R"({"id":1,"name":"x","BI_id":1})"), {{"empty_when_absent", "customer.name"}}) ==
        "UPDATE shop.customer id=1 name='x' ... before id=1 name=''");
  CHECK(decode_dms(dms_record("update", R"({"id":1})", "", R"("before-image":{"name":"y"},)"), {{"empty_when_absent", "customer.name"}}) ==
        "UPDATE shop.customer id=1 name='' ... before name='y'");
}

TEST_CASE("the row before a change stands in columns with a prefix or a suffix") {
  CHECK(decode_dms(dms_record("update", R"({"id":3,"name":"Bob","BI_id":1})")) == "UPDATE shop.customer id=3 name='Bob' ... before id=1");
  CHECK(decode_dms(dms_record("insert", R"({"id":4,"name":"Eve","BI_id":null,"BI_name":null})")) ==
        "INSERT shop.customer id=4 name='Eve' ...");
  CHECK(decode_dms(dms_record("delete", R"({"id":4,"name":null,"BI_id":4})")) == "DELETE shop.customer id=4");
  CHECK(decode_dms(dms_record("update", R"({"id":3,"id_old":1})"), {{"before_image_prefix", ""}, {"before_image_suffix", "_old"}}) ==
        "UPDATE shop.customer id=3 ... before id=1");
  CHECK(decode_dms(dms_record("insert", R"({"id":3,"BI_score":1})"), {{"before_image_prefix", ""}}) ==
        "INSERT shop.customer id=3 BI_score=1 ...");
}

TEST_CASE("a row before a change that contradicts is a dead letter") {
  CHECK(
      decode_dms(dms_record("insert", R"({"id":3,"BI_score":1})")) ==
      "dead letter: a row before the change in a record of \"insert\", which has none | if the table has columns of such names itself, set "
      "before_image_prefix = \"\"");
  CHECK(decode_dms(dms_record("update", R"({"id":3,"BI_id":1})", "", R"("before-image":{"id":2},)")) ==
        "dead letter: column \"id\" has two values before the change, which differ");
  CHECK(decode_dms(dms_record("delete", R"({"id":3})", "", R"("before-image":{"id":2},)")) ==
        "dead letter: a deleted row with two values of one column: data and the row before the change differ");
  CHECK(decode_dms(dms_record("update", R"({"id":3})", "", R"("before-image":{"name":"x"},)"), {{"include_null_and_empty", "true"}})
            .substr(0, 76) == "dead letter: the row before the change has a column \"name\" that the row afte");
  CHECK(decode_dms(dms_record("update", R"({"id":3})", "", R"("before-image":[1],)"), {{"before_image_field", "before-image"}}) ==
        "dead letter: the row before the change, \"before-image\", is an array instead of an object");
}

TEST_CASE("values keep their digits, and a number that lost some is marked") {
  const auto value = [](const std::string& json) {
    const std::string text = decode_dms(dms_record("insert", R"({"v":)" + json + "}"));
    return text.substr(0, 23) == "INSERT shop.customer v=" ? text.substr(23, text.size() - 27) : text;
  };
  CHECK(value("18446744073709551615") == "18446744073709551615u");
  CHECK(value("-9223372036854775808") == "-9223372036854775808");
  CHECK(value("99.990") == "99.990");
  CHECK(value("1.5e3") == "1500");
  CHECK(value("1.5E-7") == "0.00000015");
  CHECK(value("1234567890123456e0") == "1234567890123456");
  CHECK(value("1.234567890123456e+15") == "1234567890123456");
  CHECK(value("1.2345678901234567e+16") == "~12345678901234568");
  CHECK(value("1.84467440737095516e+19") == "~1.8446744073709552e+19");
  CHECK(value("1e+16") == "~10000000000000000");
  CHECK(value("0e+20") == "0");
  CHECK(value("1.7976931348623157e+308") == "~1.7976931348623157e+308");
  CHECK(value("1e999").substr(0, 12) == "dead letter:");
  CHECK(value("true") == "true");
  CHECK(value("\"true\"") == "'true'");
  CHECK(value("\"\\u00dc \\ud83d\\ude00\"") == "'Ü 😀'");
  CHECK(value(R"("{\"foo\": \"bar\"}")") == R"('{"foo": "bar"}')");
  CHECK(value(R"({"foo": [1.50]})") == R"(json {"foo": [1.50]})");
}

TEST_CASE("a control record defines its table, and one without details changes nothing") {
  const std::string details =
      R"({"table-def":{"columns":{"id":{"type":"INT32","nullable":false},"name":{"type":"WSTRING","length":64,"nullable":true},"n":{"type":"NUMERIC","precision":12,"scale":2},"x":{"type":"XML"}},"primary-key":["id"],"collation-name":"utf8mb4_general_ci"}})";
  const std::string columns = " id:int32!#1 name:text(64) n:decimal(12,2) x:unknown";
  CHECK(decode_dms(dms_control("create-table", details)) == "DEFINITION shop.customer declared keyed" + columns);
  for (const char* operation : {"add-column", "drop-column", "change-columns", "column-type-change", "rename-table"}) {
    CAPTURE(operation);
    CHECK(decode_dms(dms_control(operation, details)) == "DEFINITION shop.customer declared keyed" + columns);
    CHECK(decode_dms(dms_control(operation, "{}")) == "MARKER");
    CHECK(decode_dms(dms_control(operation, "")) == "MARKER");
  }
  CHECK(decode_dms(dms_control("rename-column", details)) == "DEFINITION shop.customer declared keyed renamed" + columns);
  CHECK(decode_dms(dms_control("drop-table", "{}")) == "MARKER");
  CHECK(decode_dms(dms_control("drop-table", details)) == "MARKER");
  CHECK(decode_dms(dms_control("create-table", R"({"table-def":{"columns":{"a":{"type":"INT1"}}}})")) ==
        "DEFINITION shop.customer declared keyed a:int8");
  CHECK(decode_dms(dms_control("add-column", R"({"table-def":{"columns":{"a":{"type":"INT1"}}}})")) == "DEFINITION shop.customer a:int8");
  CHECK(decode_dms(dms_control("create-table", R"({"table-def":{"columns":{"a":{"type":"INT1"}},"primary-key":["b"]}})")).substr(0, 12) ==
        "dead letter:");
}

TEST_CASE("a key that cannot be read is no table without key") {
  const auto defined = [](const std::string& key) {
    return decode_dms(dms_control("create-table", R"({"table-def":{"columns":{"id":{"type":"INT1"}},"primary-key":)" + key + "}}"));
  };
  CHECK(defined("null") == "DEFINITION shop.customer declared keyed id:int8");
  CHECK(defined("[]") == "DEFINITION shop.customer declared keyed id:int8");
  for (const char* key : {R"("id")", R"({"id":1})", "true", "[1]", "[null]"}) {
    CAPTURE(key);
    CHECK(defined(key) == "dead letter: the table definition's primary-key is no list of names");
  }
  CHECK(defined(R"(["id","id"])") == "dead letter: the key names the column \"id\" twice");
}

TEST_CASE("DMS's own tables, null values and tables that are dropped are counted and nothing else") {
  CHECK(decode_dms(dms_control("create-table", R"({"table-def":{"columns":{"E":{"type":"STRING"}}}})", "awsdms_apply_exceptions")) ==
        "MARKER");
  CHECK(decode_dms({std::nullopt}) == std::vector<std::string>{"MARKER"});
}

TEST_CASE("every type that a table definition names has a type") {
  const auto type = [](const std::string& name) {
    const std::string text = decode_dms(dms_control("add-column", R"({"table-def":{"columns":{"a":{"type":")" + name + R"("}}}})"));
    return text.substr(text.find(':') + 1);
  };
  const std::pair<const char*, const char*> all[] = {
      {"WSTRING", "text"},  {"STRING", "text"},        {"INT1", "int8"},           {"INT2", "int16"},       {"INT4", "int32"},
      {"INT8", "int64"},    {"INT16", "int16"},        {"INT32", "int32"},         {"INT64", "int64"},      {"UINT1", "int16"},
      {"UINT2", "int32"},   {"UINT4", "int64"},        {"UINT8", "uint64"},        {"UINT16", "int32"},     {"UINT32", "int64"},
      {"UINT64", "uint64"}, {"NUMERIC", "decimal"},    {"REAL4", "float32"},       {"REAL8", "float64"},    {"DATE", "date"},
      {"TIME", "time"},     {"DATETIME", "timestamp"}, {"TIMESTAMP", "timestamp"}, {"BOOLEAN", "bool"},     {"BYTES", "bytes"},
      {"BLOB", "bytes"},    {"CLOB", "text"},          {"NCLOB", "text"},          {"SOMETHING", "unknown"}};
  for (const auto& [name, meaning] : all) {
    CAPTURE(name);
    CHECK(type(name) == meaning);
  }
}

TEST_CASE("changes are ordered by their time, then by their place in the log and in the transaction; loads have no order") {
  const auto at = [](const std::string& time, const std::string& more = "") {
    return R"({"data":{"id":1},"metadata":{"timestamp":")" + time +
           R"(","record-type":"data","operation":"update","schema-name":"shop","table-name":"customer")" + more + "}}";
  };
  const std::string binlog =
      R"(,"transaction-record-id":1,"stream-position":"mysql-bin-changelog.002171:92276:0:92337:9:mysql-bin.002171:92275")";
  const std::string next_row =
      R"(,"transaction-record-id":2,"stream-position":"mysql-bin-changelog.002171:92276:0:92337:9:mysql-bin.002171:92275")";
  const std::string next_event =
      R"(,"transaction-record-id":1,"stream-position":"mysql-bin-changelog.002171:100000:0:1:9:mysql-bin.002171:1")";
  const std::string next_file = R"(,"transaction-record-id":1,"stream-position":"mysql-bin-changelog.1000000:4:0:1:9:mysql-bin.1000000:1")";
  const auto orders =
      orders_of({at("2025-06-10T11:28:04.550604Z"), at("2025-06-10T11:28:04.550604Z", binlog), at("2025-06-10T11:28:04.550604Z", next_row),
                 at("2025-06-10T11:28:04.550604Z", next_event), at("2025-06-10T11:28:04.550604Z", next_file),
                 at("2025-06-10T11:28:04.550605Z"), at("2025-06-10T11:28:05Z")});
  for (std::size_t i = 0; i + 1 < orders.size(); ++i) {
    CAPTURE(i);
    CHECK(orders[i] < orders[i + 1]);
    CHECK(orders[i].size() == orders[i + 1].size());
  }
  const auto lsns =
      orders_of({at("2025-06-10T11:28:04Z", R"(,"transaction-record-id":7,"stream-position":"00000002/7C007178.3.00000002/7C007178")"),
                 at("2025-06-10T11:28:04Z", R"(,"transaction-record-id":8,"stream-position":"00000002/7C007178.2.00000002/7C007178")"),
                 at("2025-06-10T11:28:04Z", R"(,"transaction-record-id":1,"stream-position":"0000000A/00000001.2.0000000A/1")")});
  CHECK(lsns[0] < lsns[1]);
  CHECK(lsns[1] < lsns[2]);
  // Where the place is not understood, the number in another transaction must not decide.
  for (const char* place : {"", R"(,"stream-position":"0000002e:00000158:0004")", R"(,"stream-position":"14208941.-1.14208941.3.1")",
                            R"(,"stream-position":"")"}) {
    CAPTURE(place);
    const auto equal = orders_of({at("2025-06-10T11:28:04Z", std::string(R"(,"transaction-record-id":7)") + place),
                                  at("2025-06-10T11:28:04Z", std::string(R"(,"transaction-record-id":1)") + place)});
    CHECK(equal[0] == equal[1]);
  }
  CHECK(orders_of({dms_record("load", R"({"id":1})")}) == std::vector<std::string>{""});
  CHECK(orders_of({dms_record("load", R"({"id":1})")}, {{"loads", "in_time"}})[0].size() == 48);
  CHECK(orders_of({dms_control("create-table", R"({"table-def":{"columns":{"a":{"type":"INT1"}}}})")})[0].size() == 48);
}

TEST_CASE("what is no record of DMS is a dead letter that says what it is") {
  const auto text = [](const std::string& value) { return decode_dms(value); };
  CHECK(text(R"({"data":{"id":1},"metadata":{"timestamp":"2025-06-10T11:28:04Z","record-)").find("ends too early") != std::string::npos);
  CHECK(text(R"({"FirstName":"Randy","StoreId":"5"})").find("map-record-to-record") != std::string::npos);
  CHECK(text(R"({"before":null,"after":{"id":1},"source":{"db":"shop"},"op":"c"})").find("debezium-json") != std::string::npos);
  CHECK(text(R"({"schema":{},"payload":{"op":"c"}})").find("debezium-json") != std::string::npos);
  CHECK(text(R"({"source":{},"historyRecord":"{}"})").find("flink-cdc") != std::string::npos);
  CHECK(text(R"({"data":[],"isDdl":false,"es":1,"type":"INSERT"})").find("Canal") != std::string::npos);
  CHECK(text(R"({"database":"d","table":"t","type":"insert","ts":1,"data":{}})").find("Maxwell") != std::string::npos);
  CHECK(text("[1]").find("an array instead of a record") != std::string::npos);
  CHECK(text("").find("dead letter") == 0);
  CHECK(text(dms_record("upsert", R"({"id":1})")).find("none that this version knows") != std::string::npos);
  CHECK(text(dms_record("insert", R"({"id":1})", R"(,"record-type":"control")")).find("in a record of type") != std::string::npos);
  CHECK(text(dms_record("insert", "{}")) == "dead letter: the record has no data");
  CHECK(text(dms_record("insert", "5")).find("a number instead of an object") != std::string::npos);
  CHECK(text(dms_record("insert", R"({"id":1,"id":2})")).find("stands twice") != std::string::npos);
  CHECK(text(R"({"data":{"id":1},"metadata":{"record-type":"data","operation":"insert","schema-name":"s","table-name":"t"}})")
            .find("no timestamp") != std::string::npos);
  CHECK(text(dms_record("insert", R"({"id":1})", R"(,"timestamp":"yesterday")")).find("is no time") != std::string::npos);
}

TEST_CASE("the time of the commit only dates a change: one that cannot be read is ignored") {
  for (const char* time : {"yesterday", "1969-12-31T23:59:59Z", ""}) {
    CAPTURE(time);
    CHECK(decode_dms(dms_record("insert", R"({"id":1})", std::string(R"(,"commit-timestamp":")") + time + "\"")) ==
          "INSERT shop.customer id=1 ...");
  }
}

TEST_CASE("ten thousand tables: what was learned of their records is not learned again") {
  std::vector<std::string> records;
  for (const char* operation : {"insert", "delete"}) {
    for (int table = 0; table < 10'000; ++table) {
      std::string record = dms_record(operation, R"({"id":1,"name":"Ann","address":"a","city":"c","note":"n"})");
      record.replace(record.find("customer"), 8, "customer" + std::to_string(table));
      records.push_back(std::move(record));
    }
  }
  CHECK(shapes_asked_for_again(records) == 0);
}
