// Texts and JSON to cells; shapes; the small tools that authors share with the host.
#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include "cdcrt/sdk/binary_text.hpp"
#include "cdcrt/sdk/cell.hpp"
#include "cdcrt/sdk/cell_json.hpp"
#include "cdcrt/sdk/glob.hpp"
#include "cdcrt/sdk/hash.hpp"
#include "cdcrt/sdk/json.hpp"
#include "cdcrt/sdk/source_order.hpp"
#include "cdcrt/sdk/table_shape.hpp"
#include "cdcrt/sdk/type.hpp"
#include "cdcrt/sdk/typed_text.hpp"
#include "event/row_batch.hpp"

namespace sdk = cdcrt::sdk;
namespace event = cdcrt::event;

namespace {

struct Batch {
  event::ShapeRegistry shapes;
  event::RowBatch batch{shapes};
  sdk::RowBuilder rows{*batch.abi()};
};

const char* const kTags[] = {"ABSENT",    "NULL",        "BOOL",   "I64",   "U64",  "F64",  "DECIMAL", "DATE",    "TIME",
                             "TIMESTAMP", "TIMESTAMPTZ", "STRING", "BYTES", "JSON", "UUID", "ARRAY",   "INTERVAL"};

/// "TAG json", or what is wrong.
std::string shown(const sdk::Status& status, const cdcrt_cell& cell) {
  if (!status) return std::string(status.message());
  // What the SDK makes is what --check-plugins wants.
  if (cell.tag == CDCRT_DECIMAL || cell.tag >= CDCRT_STRING)
    CHECK(sdk::unmet_promise(static_cast<cdcrt_tag>(cell.tag), {cell.value.data, cell.size}) == nullptr);
  std::string out = std::string(kTags[cell.tag]) + " ";
  sdk::append_json_cell(out, cell);
  return out;
}

std::string typed(cdcrt_type type, std::string_view text) {
  Batch batch;
  cdcrt_cell cell{};
  const sdk::Status status = sdk::set_value(cell, type, text, batch.rows);
  if (!status) CHECK(cell.tag == CDCRT_ABSENT);
  return shown(status, cell);
}

std::string json(std::string_view text, cdcrt_type type = {}) {
  Batch batch;
  sdk::JsonDocument document;
  if (const sdk::Status status = document.parse(text); !status) return std::string(status.message());
  cdcrt_cell cell{};
  const sdk::Status status = sdk::set_value(cell, type, document.root(), batch.rows);
  return shown(status, cell);
}

}  // namespace

TEST_CASE("a text becomes a cell of its column's declared type, exactly or not at all") {
  namespace type = sdk::type;
  const cdcrt_type kArray = {CDCRT_TYPE_ARRAY, 0, 0, 0};
  CHECK(typed(type::boolean(), "t") == "BOOL true");
  CHECK(typed(type::boolean(), "yes") == "\"yes\" is not a boolean");
  CHECK(typed(type::int64(), "-9223372036854775808") == "I64 -9223372036854775808");
  CHECK(typed(type::int64(), "9223372036854775808") == "\"9223372036854775808\" is not a 64-bit integer");
  CHECK(typed(type::int64(), "7 ") == "\"7 \" is not a 64-bit integer");
  CHECK(typed(type::int64(), "") == "\"\" is not a 64-bit integer");
  CHECK(typed(type::int8(), "128") == "\"128\" is not within the range of its declared type");
  CHECK(typed(type::int16(), "+32767") == "I64 32767");
  CHECK(typed(type::uint64(), "18446744073709551615") == "U64 18446744073709551615");
  CHECK(typed(type::uint64(), "-1") == "\"-1\" is not an unsigned 64-bit integer");
  CHECK(typed(type::float64(), "1e300") == "F64 1e+300");
  CHECK(typed(type::float64(), "1e") == "\"1e\" is not a floating-point number");
  CHECK(typed(type::decimal(12, 2), "0012.50") == "DECIMAL 12.50");
  CHECK(typed(type::decimal(), "-.5") == "DECIMAL -0.5");
  CHECK(typed(type::decimal(), "1.5E3") == "DECIMAL 1500");
  CHECK(typed(type::decimal(), "NaN") == "DECIMAL \"NaN\"");
  CHECK(typed(type::decimal(), "-") == "\"-\" is not a decimal number");
  CHECK(typed(type::decimal(), "1,5") == "\"1,5\" is not a decimal number");
  CHECK(typed(type::decimal(), ".") == "\".\" is not a decimal number");
  CHECK(typed(type::date(), "2024-02-30") == "\"2024-02-30\" is not a date");
  CHECK(typed(type::date(), "2024-02-29") == "DATE \"2024-02-29\"");
  CHECK(typed(type::time(), "-838:59:59") == "TIME \"-838:59:59\"");
  CHECK(typed(type::timestamp(), "2024-01-01 12:00:00.5") == "TIMESTAMP \"2024-01-01T12:00:00.500000\"");
  CHECK(typed(type::timestamp(), "2024-01-01T12:00:00Z") == "\"2024-01-01T12:00:00Z\" is not a timestamp without a zone");
  CHECK(typed(type::timestamp(), "2024-01-01T12:00:00.1234567") == "STRING \"2024-01-01T12:00:00.1234567\"");
  CHECK(typed(type::timestamptz(), "2024-01-01T12:00:00.123456789+01:00") == "STRING \"2024-01-01T12:00:00.123456789+01:00\"");
  CHECK(typed(type::timestamptz(), "2024-01-01T12:00:00+01:00") == "TIMESTAMPTZ \"2024-01-01T11:00:00+00:00\"");
  CHECK(typed(type::timestamptz(), "2024-01-01T12:00:00") == "\"2024-01-01T12:00:00\" is not a timestamp with a zone");
  CHECK(typed(type::uuid(), "123E4567-e89b-12d3-a456-426614174000") == "UUID \"123e4567-e89b-12d3-a456-426614174000\"");
  CHECK(typed(type::uuid(), "123e4567e89b12d3a456426614174000") == "\"123e4567e89b12d3a456426614174000\" is not a UUID");
  CHECK(typed(type::interval(), "P1DT2H") == "INTERVAL \"P1DT2H\"");
  CHECK(typed(type::interval(), "1 day") == "\"1 day\" is not an ISO 8601 duration");
  for (const char* bad : {"P", "PT", "P1DT", "P1D2H", "P1", "-"})
    CHECK_MESSAGE(typed(type::interval(), bad).find("is not an ISO 8601 duration") != std::string::npos, bad);
  CHECK(typed(type::json(), " {\"a\":[1,2.50]}").find("JSON ") == 0);
  CHECK(typed(type::json(), "{a:1}") == "\"{a:1}\" is not JSON");
  CHECK(typed(type::json(), "") == "\"\" is not JSON");
  CHECK(typed(kArray, "[1,null]").find("ARRAY ") == 0);
  CHECK(typed(kArray, "{1,2}") == "\"{1,2}\" is not a JSON array");
  CHECK(typed(kArray, "{}") == "\"{}\" is not a JSON array");
  CHECK(typed(type::text(), "\xff").find("is not UTF-8") != std::string::npos);
  CHECK(typed(type::text(40), "") == "STRING \"\"");
  CHECK(typed(type::unknown(), "7") == "STRING \"7\"");
}

TEST_CASE("a JSON value keeps its digits") {
  CHECK(json("12345678901234567890.10") == "DECIMAL 12345678901234567890.10");
  CHECK(json("1e400") == "DECIMAL 1" + std::string(400, '0'));
  CHECK(json("18446744073709551615") == "U64 18446744073709551615");
  CHECK(json("-7") == "I64 -7");
  CHECK(json("null") == "NULL null");
  CHECK(json("true") == "BOOL true");
  CHECK(json("\"\\u00e9\\n\"") == "STRING \"\xC3\xA9\\n\"");
  CHECK(json(" {\"a\" : [1.00, {}]}") == "JSON {\"a\" : [1.00, {}]}");
  CHECK(json("[1.00 ]") == "ARRAY [1.00 ]");
  CHECK(json("[1") == "value: the JSON text ends too early (truncated?) (byte 2)");
  CHECK(json("\"\\udc00\"").find("a lone surrogate") != std::string::npos);
}

TEST_CASE("a JSON value becomes a cell of its column's declared type") {
  namespace type = sdk::type;
  CHECK(json("\"7\"", type::int64()) == "I64 7");
  CHECK(json("7", type::decimal()) == "DECIMAL 7");
  CHECK(json("7", type::text()) == "STRING \"7\"");
  CHECK(json("null", type::int64()) == "NULL null");
  CHECK(json("\"x\"", type::int64()) == "\"x\" is not a 64-bit integer");
  CHECK(json("{}", type::int64()) == "an object where the column's declared type wants another value");
  CHECK(json("[1, 2]", type::array(type::int32())) == "ARRAY [1, 2]");
  CHECK(json("\"a\"", type::json()) == "JSON \"a\"");
  CHECK(json("1", type::boolean()) == "BOOL true");
  CHECK(json("false", type::boolean()) == "BOOL false");
  CHECK(json("{\"b\":1}", type::text()) == "STRING \"{\\\"b\\\":1}\"");
}

TEST_CASE("what a JSON document gives keeps the promise of its tag: bad UTF-8, lone surrogates and raw control characters are refused") {
  for (const char* bad : {"\"\xff\"", "\"\\ud800\"", "\"\\udc00\\ud800\"", "[\"\xc3\"]", "{\"a\":\"\x01\"}", "[1,]", "{\"a\":01}", ""}) {
    const std::string made = json(bad);
    const bool refused = made.find("value: ") == 0;
    CHECK_MESSAGE(refused, bad << " became " << made);
  }
}

TEST_CASE("members and elements are walked in order, and what is not there is nothing") {
  sdk::JsonDocument document;
  REQUIRE(document.parse(R"({"type":"update","data":{"id":1,"tags":["a",{"b":[]},"c"]},"data2":null})"));
  const sdk::JsonValue root = document.root();
  CHECK(root["type"].text() == "update");
  CHECK(root["data"]["id"].raw() == "1");
  CHECK(root["data2"].is_null());
  CHECK_FALSE(root["none"].exists());
  CHECK_FALSE(root["none"]["deeper"].exists());
  CHECK(root["none"].description() == std::string("nothing"));
  std::string walked;
  for (const auto [name, value] : root.members()) walked += std::string(name) + ":" + value.description() + " ";
  CHECK(walked == "type:a string data:an object data2:null ");
  std::string elements;
  for (const sdk::JsonValue value : root["data"]["tags"].elements()) elements += std::string(value.raw()) + " ";
  CHECK(elements == "\"a\" {\"b\":[]} \"c\" ");
  for (const sdk::JsonValue value : root["type"].elements()) FAIL(value.raw());
}

TEST_CASE("a shape keeps the places of its columns and the order of its key") {
  Batch batch;
  sdk::TableShape shape("orders");
  shape.schema("shop").declared();
  CHECK(shape.add("id", sdk::type::int64(), CDCRT_COLUMN_NOT_NULL) == 0);
  CHECK(shape.add("line", sdk::type::int32()) == 1);
  CHECK(shape.find("line") == 1);
  CHECK(shape.find("none") == shape.size());
  CHECK_FALSE(shape.set_key({"id", "none"}));
  REQUIRE(shape.set_key({"line", "id"}));
  const event::Shape& kept = batch.shapes.get(batch.rows.intern(shape.abi()));
  CHECK(kept.schema == "shop");
  CHECK(kept.database.empty());
  CHECK(kept.declared);
  CHECK(kept.keyed);
  CHECK(kept.columns[0].key_ordinal == 2);
  CHECK(kept.columns[1].key_ordinal == 1);
  CHECK(kept.columns[1].former_name.empty());
  shape.set_former_name(1, "place");
  const event::Shape& renamed = batch.shapes.get(batch.rows.intern(shape.abi()));
  CHECK(renamed.id != kept.id);
  CHECK(renamed.columns[1].former_name == "place");
  sdk::ShapeCache cache;
  int made = 0;
  const auto make = [&] { return static_cast<uint32_t>(++made); };
  CHECK(cache.get("a", make) == 1);
  CHECK(cache.get("b", make) == 2);
  CHECK(cache.get("a", make) == 1);
}

TEST_CASE("a cache of shapes keeps some of them where more take turns than there is room for, and does not grow") {
  sdk::ShapeCache cache;
  const std::string large(4096, 'x');
  constexpr int kShapes = static_cast<int>(sdk::ShapeCache::kMaximumBytes / 4096) * 5 / 4;
  int made = 0;
  for (int round = 0; round < 4; ++round) {
    for (int shape = 0; shape < kShapes; ++shape)
      REQUIRE(cache.get(std::to_string(shape) + large, [&] { return ++made, static_cast<uint32_t>(shape); }) ==
              static_cast<uint32_t>(shape));
  }
  CHECK(2 * made < 7 * kShapes);  // if all were forgotten at once, they would be made in each of the four turns
  CHECK(made > kShapes);
}

TEST_CASE("a cache of shapes gives one number to each shape that says something else") {
  Batch batch;
  sdk::ShapeCache cache;
  const auto number_of = [&](const auto& change) {
    sdk::TableShape shape("orders");
    shape.schema("shop");
    shape.add("id", sdk::type::int64());
    shape.add("note", sdk::type::text(40));
    change(shape);
    const uint32_t number = cache.get(shape, batch.rows);
    CHECK(number == batch.rows.intern(shape.abi()));
    return number;
  };
  std::set<uint32_t> numbers;
  for (int turn = 0; turn < 2; ++turn) {
    numbers.insert(number_of([](sdk::TableShape&) {}));
    numbers.insert(number_of([](sdk::TableShape& shape) { shape.schema("shop2"); }));
    numbers.insert(number_of([](sdk::TableShape& shape) { shape.schema("").database("shop"); }));
    numbers.insert(number_of([](sdk::TableShape& shape) { shape.declared(); }));
    numbers.insert(number_of([](sdk::TableShape& shape) { CHECK(shape.set_key({"id"})); }));
    numbers.insert(number_of([](sdk::TableShape& shape) { CHECK(shape.set_key({"note"})); }));
    numbers.insert(number_of([](sdk::TableShape& shape) { shape.add("more", sdk::type::decimal(5, 2)); }));
    numbers.insert(number_of([](sdk::TableShape& shape) { shape.add("more", sdk::type::decimal(5, 1)); }));
    numbers.insert(number_of([](sdk::TableShape& shape) { shape.set_default(0, sdk::integer_cell(CDCRT_I64, 7)); }));
    numbers.insert(number_of([](sdk::TableShape& shape) { shape.set_default(0, sdk::integer_cell(CDCRT_I64, 8)); }));
    numbers.insert(number_of([](sdk::TableShape& shape) { shape.set_default(1, sdk::text_cell(CDCRT_STRING, "x")); }));
  }
  CHECK(numbers.size() == 11);
}

TEST_CASE("cells of a row stay right when others are taken") {
  Batch batch;
  const sdk::RowCells first = batch.rows.take_row(2);
  for (int i = 0; i < 1000; ++i) static_cast<void>(batch.rows.take_row(7));
  sdk::set_integer(first[1], CDCRT_I64, 5);
  CHECK(batch.batch.cells(first.first())[0].tag == CDCRT_ABSENT);
  CHECK(batch.batch.cells(first.first())[1].value.integer == 5);
}

TEST_CASE("a copied row is changed without changing the row that it was copied from") {
  Batch batch;
  const sdk::RowCells after = batch.rows.take_row(2);
  sdk::set_integer(after[0], CDCRT_I64, 5);
  sdk::set_text(after[1], CDCRT_STRING, "new");
  const sdk::RowCells before = batch.rows.copy_row(after);
  sdk::set_text(before[1], CDCRT_STRING, "old");
  CHECK(before[0].value.integer == 5);
  CHECK(sdk::text(before[1]) == "old");
  CHECK(sdk::text(after[1]) == "new");
}

TEST_CASE("bytes stand in texts as base64 and hexadecimal digits, numbers in bytes as two's complement") {
  Batch batch;
  CHECK(sdk::decode_hex("00fFa1", batch.rows) == std::string_view("\0\xff\xa1", 3));
  CHECK_FALSE(sdk::decode_hex("0", batch.rows));
  CHECK_FALSE(sdk::decode_hex("0g", batch.rows));
  CHECK(sdk::encode_hex(std::string_view("\0\xff\xa1", 3)) == "00ffa1");
  CHECK(sdk::decode_base64("AP8", batch.rows) == std::string_view("\0\xff", 2));
  CHECK(sdk::write_decimal(std::string_view("\xff\x85", 2), 2, batch.rows) == "-1.23");
  CHECK_FALSE(sdk::write_decimal("", 2, batch.rows));
}

TEST_CASE("a glob's star is any characters, its question mark one character") {
  CHECK(sdk::glob_matches("a*c", "abbbc"));
  CHECK(sdk::glob_matches("*", ""));
  CHECK_FALSE(sdk::glob_matches("a?", "a"));
  CHECK(sdk::glob_matches("a?", "a\xC3\xA9"));
  CHECK_FALSE(sdk::glob_matches("??", "\xC3\xA9"));
  CHECK_FALSE(sdk::glob_matches("*??", "\xC3\xA9"));
  CHECK(sdk::glob_matches("a?c", "a?c", "*"));
  CHECK_FALSE(sdk::glob_matches("a?c", "abc", "*"));
  std::vector<std::string_view> stars;
  REQUIRE(sdk::glob_matches("*_order_*", "a_order_order_b", "*", &stars));
  REQUIRE(stars.size() == 2);
  CHECK(stars[0] == "a");
  CHECK(stars[1] == "order_b");
  CHECK_FALSE(sdk::glob_matches(std::string(200, '*') + "b", std::string(5000, 'a')));
}

TEST_CASE("FNV-1a is what it always was, since it is stored") {
  CHECK(sdk::fnv1a("") == 0xcbf29ce484222325);
  CHECK(sdk::fnv1a("foobar") == 0x85944171f73967e8);
  CHECK(sdk::fnv1a("bar", sdk::fnv1a("foo")) == sdk::fnv1a("foobar"));
}

TEST_CASE("bytes of a source order compare as the numbers and texts that they are made of") {
  const auto order = [](std::string_view file, uint64_t place) {
    std::string out;
    sdk::append_order(out, file);
    sdk::append_order(out, place);
    return out;
  };
  CHECK(order("binlog.000001", 255) < order("binlog.000001", 256));
  CHECK(order("binlog.000001", UINT64_MAX) < order("binlog.000002", 0));
  CHECK(order("binlog", UINT64_MAX) < order("binlog.000001", 0));
}
