// The text that the Redshift dialect makes: types, names, constants, definitions, statements between stage and target.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "redshift_comparison.hpp"
#include "redshift_ddl.hpp"
#include "redshift_literal.hpp"
#include "redshift_statements.hpp"
#include "redshift_types.hpp"
#include "redshift_value.hpp"
#include "sql/cell.hpp"
#include "sql/cell_text.hpp"
#include "sql/classification.hpp"

using namespace cdcrt;
using sql::integer_cell, sql::text_cell;
using namespace cdcrt::sql::redshift;

namespace {

cdcrt_column column(std::string_view name, uint8_t kind, uint32_t key = 0, uint32_t length = 0, int16_t scale = 0) {
  cdcrt_column made{};
  made.name = sdk::borrow(name);
  made.type = sql::make_type(kind, length, scale);
  made.key_ordinal = key;
  return made;
}

std::string constant(const cdcrt_cell& cell, std::string_view type) {
  std::string out;
  const auto status = append_cell(out, cell, written_type(type), "c");
  return status ? out : "refused: " + std::string(status.message());
}

std::string created(const std::vector<cdcrt_column>& columns, const Layout& layout, const Names& names = {}) {
  std::string out;
  const auto status = create_table(out, "\"s\".\"t\"", columns.data(), static_cast<uint32_t>(columns.size()), layout, names);
  return status ? out : "refused: " + std::string(status.message());
}

StageShape shape() {
  StageShape made;
  made.table = "\"s\".\"t\"";
  made.qualifier = "\"t\"";
  made.stage = "\"stage\"";
  made.row_number = "\"n\"";
  made.columns = {{"\"id\"", written_type("bigint"), true, true}, {"\"v\"", written_type("varchar(40)"), false, false}};
  return made;
}

cdcrt_code code(const char* state, const char* text, sql::Moment moment = sql::Moment::kStatement) {
  return sql::classify({state, 0, text}, sql::Product::kRedshift, moment).code;
}

}  // namespace

TEST_CASE("redshift: lengths of texts are bytes, four a character, up to the longest") {
  CHECK(type_name(sql::make_type(CDCRT_TYPE_STRING, 10), kMaxVarchar) == "VARCHAR(40)");
  CHECK(type_name(sql::make_type(CDCRT_TYPE_STRING, 16383), kMaxVarchar) == "VARCHAR(65532)");
  CHECK(type_name(sql::make_type(CDCRT_TYPE_STRING, 16384), kMaxVarchar) == "VARCHAR(65535)");
  CHECK(type_name(sql::make_type(CDCRT_TYPE_STRING, UINT32_MAX), kMaxVarchar) == "VARCHAR(65535)");
  CHECK(type_name(sql::make_type(CDCRT_TYPE_STRING), kMaxVarchar) == "VARCHAR(65535)");
  CHECK(type_name(sql::make_type(CDCRT_TYPE_STRING), 256) == "VARCHAR(256)");
}

TEST_CASE("redshift: decimals beyond 38 digits keep their digits as text") {
  CHECK(type_name(sql::make_type(CDCRT_TYPE_DECIMAL, 38, 10), 256) == "DECIMAL(38,10)");
  CHECK(type_name(sql::make_type(CDCRT_TYPE_DECIMAL, 18, 4), 256) == "DECIMAL(18,4)");
  CHECK(type_name(sql::make_type(CDCRT_TYPE_DECIMAL, 19, 4), 256) == "DECIMAL(20,4)");  // eight bytes do not hold every 19 digits
  CHECK(type_name(sql::make_type(CDCRT_TYPE_DECIMAL, 39, 10), 256) == "VARCHAR(1024)");
  CHECK(type_name(sql::make_type(CDCRT_TYPE_DECIMAL), 256) == "VARCHAR(1024)");
  CHECK(type_name(sql::make_type(CDCRT_TYPE_UINT64), 256) == "DECIMAL(20,0)");
  CHECK(type_name(sql::make_type(CDCRT_TYPE_DECIMAL, 18, 4), 256) == "DECIMAL(18,4)");
  CHECK(type_name(sql::make_type(CDCRT_TYPE_DECIMAL, 19, 4), 256) == "DECIMAL(20,4)");  // 19 digits are kept in 64 bits
  CHECK(type_name(sql::make_type(CDCRT_TYPE_DECIMAL, 38, 37), 256) == "DECIMAL(38,37)");
  CHECK(type_name(sql::make_type(CDCRT_TYPE_DECIMAL, 38, 38), 256) == "VARCHAR(1024)");
  CHECK(type_name(sql::make_type(CDCRT_TYPE_DECIMAL, 5, -3), 256) == "DECIMAL(8,0)");
  CHECK(type_name(sql::make_type(CDCRT_TYPE_DECIMAL, 38, -3), 256) == "VARCHAR(1024)");
  CHECK(type_name(sql::make_type(CDCRT_TYPE_DECIMAL, 2, 5), 256) == "DECIMAL(5,5)");
}

TEST_CASE("redshift: what a column was created as is described as what it was created from, or wider") {
  for (const uint8_t kind :
       {CDCRT_TYPE_BOOL, CDCRT_TYPE_INT16, CDCRT_TYPE_INT32, CDCRT_TYPE_INT64, CDCRT_TYPE_FLOAT32, CDCRT_TYPE_FLOAT64, CDCRT_TYPE_DATE,
        CDCRT_TYPE_TIME, CDCRT_TYPE_TIMETZ, CDCRT_TYPE_TIMESTAMP, CDCRT_TYPE_TIMESTAMPTZ, CDCRT_TYPE_BYTES, CDCRT_TYPE_JSON}) {
    CAPTURE(int{kind});
    CHECK(logical_type(written_type(type_name(sql::make_type(kind), kMaxVarchar))).kind == kind);
  }
  const auto decimal = logical_type(catalog_type("numeric", 0, 12, 2));
  CHECK(decimal.kind == CDCRT_TYPE_DECIMAL);
  CHECK(decimal.length == 12);
  CHECK(decimal.scale == 2);
  CHECK(logical_type(catalog_type("character varying", 65535, 0, 0)).length == 0);
  CHECK(logical_type(catalog_type("character varying", 400, 0, 0)).length == 400);
  CHECK(logical_type(catalog_type("geometry", 0, 0, 0)).kind == CDCRT_TYPE_UNKNOWN);
}

TEST_CASE("redshift: texts grow in steps, and not beyond the longest") {
  CHECK(widened_varchar(1) == 256);
  CHECK(widened_varchar(257) == 1024);
  CHECK(widened_varchar(65535) == 65535);
  CHECK(widened_varchar(65536) == 0);
  CHECK(widened_varbyte(64001) == 1024000);
  CHECK(widened_varbyte(16777217) == 0);
}

TEST_CASE("redshift: no constant holds a backslash, whatever it means to the server") {
  std::string out;
  append_text(out, "it's \\ \\'");
  CHECK(out == "('it''s '||chr(92)||' '||chr(92)||'''')");
  out.clear();
  append_text(out, std::string_view("a\0b", 3));
  CHECK(out == "'ab'");
}

TEST_CASE("redshift: numbers are written bare, so that no default precision rounds them") {
  CHECK(constant(text_cell(CDCRT_DECIMAL, "-1.50"), "decimal(12,2)") == "-1.50");
  CHECK(constant(integer_cell(CDCRT_I64, INT64_MIN), "bigint") == "-9223372036854775808");
  CHECK(constant(text_cell(CDCRT_DECIMAL, "1.5"), "varchar(1024)") == "'1.5'");
  CHECK(constant(integer_cell(CDCRT_I64, 5), "varchar(10)") == "'5'");
  CHECK(constant(integer_cell(CDCRT_BOOL, 1), "boolean") == "true");
  CHECK(constant(integer_cell(CDCRT_BOOL, 1), "integer") == "1");
  CHECK(constant(text_cell(CDCRT_DECIMAL, "NaN"), "decimal(12,2)").substr(0, 8) == "refused:");
}

TEST_CASE("redshift: bytes and json are made from their text") {
  CHECK(constant(text_cell(CDCRT_BYTES, "\x01\xFF"), "varbyte(10)") == "TO_VARBYTE('01ff','hex')");
  CHECK(constant(text_cell(CDCRT_JSON, "{\"a\":\"it's\"}"), "super") == "JSON_PARSE('{\"a\":\"it''s\"}')");
  CHECK(constant(text_cell(CDCRT_STRING, "a\"b"), "super") == "JSON_PARSE(('\"a'||chr(92)||'\"b\"'))");
  CHECK(constant(integer_cell(CDCRT_NULL, 0), "super") == "NULL");
  CHECK(constant(text_cell(CDCRT_JSON, "null"), "super") == "JSON_PARSE('null')");
  CHECK(constant(text_cell(CDCRT_BYTES, ""), "varbyte(10)") == "TO_VARBYTE('','hex')");
  CHECK(constant(text_cell(CDCRT_STRING, "ab"), "varbyte(10)") == "TO_VARBYTE('6162','hex')");
}

TEST_CASE("redshift: no constant of a statement is longer than the longest text, whatever the value") {
  const auto longest = [](const std::string& text) {
    std::size_t most = 0;
    for (std::size_t at = text.find('\''); at != std::string::npos;) {
      const std::size_t end = text.find('\'', at + 1);
      most = std::max(most, end - at - 1);
      at = text.find('\'', end + 1);
    }
    return most;
  };
  for (const std::size_t size : {32767U, 32768U, 65535U, 65536U, 1000000U}) {
    CAPTURE(size);
    const std::string text = constant(text_cell(CDCRT_BYTES, std::string(size, 'x')), "varbyte(16777216)");
    CHECK(longest(text) <= kMaxConstant);
    CHECK((text.find("||") != std::string::npos) == (size > 32767));
    CHECK(needs_several_constants(text_cell(CDCRT_BYTES, std::string(size, 'x')), Storage::kBytes) == (size > 32767));
    const std::string json = "[" + std::string(size - 2, '1') + "]";
    CHECK(longest(constant(text_cell(CDCRT_JSON, json), "super")) <= kMaxConstant);
    CHECK(needs_several_constants(text_cell(CDCRT_JSON, json), Storage::kSuper) == (size > 65535));
  }
  const std::string many = constant(text_cell(CDCRT_STRING, std::string(65535, '\\')), "varchar(65535)");
  CHECK(longest(many) <= kMaxConstant);
  CHECK(many.substr(0, 30) == "FROM_VARBYTE((TO_VARBYTE('5c5c");
  CHECK(many.find("chr(92)") == std::string::npos);
}

TEST_CASE("redshift: a string inside of a SUPER has a length too") {
  const auto refused = [](std::string_view json) { return !why_unstorable(text_cell(CDCRT_JSON, json), Storage::kSuper).empty(); };
  const std::string longest(65535, 'x');
  CHECK_FALSE(refused("{\"a\":\"" + longest + "\",\"b\":\"" + longest + "\"}"));
  CHECK(refused("{\"a\":\"" + longest + "y\"}"));
  CHECK(refused("[1,\"" + longest.substr(1) + "\\u20ac\"]"));
  CHECK_FALSE(refused("[1,\"" + longest.substr(1) + "\\n\"]"));
  CHECK(why_unstorable(text_cell(CDCRT_STRING, longest + "y"), Storage::kSuper) != "");
}

TEST_CASE("redshift: a float in a column of decimals is written without an exponent, in a column of floats as a float") {
  CHECK(constant(sql::real_cell(1e22), "decimal(38,7)") == "10000000000000000000000");
  CHECK(constant(sql::real_cell(1e-7), "decimal(38,7)") == "0.0000001");
  CHECK(constant(sql::real_cell(1e22), "double precision") == "'1e+22'");
  CHECK(constant(integer_cell(CDCRT_I64, INT64_MAX), "double precision") == "'9223372036854775807'");
  CHECK(constant(sql::real_cell(std::numeric_limits<double>::infinity()), "real") == "'Infinity'");
  CHECK(constant(sql::real_cell(std::numeric_limits<double>::infinity()), "decimal(38,7)").substr(0, 8) == "refused:");
}

TEST_CASE("redshift: JSON is read back at any length, and texts that a SUPER holds without their quotes") {
  std::string buffer;
  const auto read = [&](std::string_view hex, uint8_t kind) { return from_text(hex, Storage::kSuper, sql::make_type(kind), buffer); };
  CHECK(sql::bytes_of(read("7b2261223a317d", CDCRT_TYPE_JSON)) == "{\"a\":1}");
  CHECK(read("6e756c6c", CDCRT_TYPE_JSON).tag == CDCRT_JSON);
  CHECK(sql::bytes_of(read("22615c2262220a", CDCRT_TYPE_STRING)) == "a\"b");
  CHECK(text_expression("\"j\"", Storage::kSuper) == "CASE WHEN \"j\" IS NULL THEN NULL ELSE JSON_SERIALIZE_TO_VARBYTE(\"j\") END");
  CHECK(conversion("\"j\"", written_type("super"), written_type("varchar(9)")) ==
        "(CASE WHEN \"j\" IS NULL THEN NULL ELSE JSON_SERIALIZE(\"j\") END)::VARCHAR(9)");
}

TEST_CASE("redshift: bytes come back from hex") {
  std::string buffer;
  const auto cell = from_text("01ff", Storage::kBytes, sql::make_type(CDCRT_TYPE_BYTES), buffer);
  CHECK(cell.tag == CDCRT_BYTES);
  CHECK(buffer == "\x01\xFF");
  CHECK(from_text("", Storage::kBytes, sql::make_type(CDCRT_TYPE_BYTES), buffer).size == 0);
}

TEST_CASE("redshift: a new table is laid out by its key and declares none") {
  CHECK(created({column("Id", CDCRT_TYPE_INT64, 1), column("v", CDCRT_TYPE_STRING, 0, 10)}, {}) ==
        "CREATE TABLE IF NOT EXISTS \"s\".\"t\" (\"id\" BIGINT NOT NULL, \"v\" VARCHAR(40)) DISTSTYLE KEY DISTKEY(\"id\") SORTKEY(\"id\")");
  Layout layout;
  layout.primary_key = true;
  layout.distkey = "v";
  layout.sortkey = {"v", "id"};
  layout.encodings = {{"V", "zstd"}};
  CHECK(created({column("id", CDCRT_TYPE_INT64, 1), column("v", CDCRT_TYPE_DATE)}, layout) ==
        "CREATE TABLE IF NOT EXISTS \"s\".\"t\" (\"id\" BIGINT NOT NULL, \"v\" DATE ENCODE zstd, PRIMARY KEY (\"id\")) DISTSTYLE KEY "
        "DISTKEY(\"v\") SORTKEY(\"v\", \"id\")");
  CHECK(created({column("v", CDCRT_TYPE_JSON)}, {}) == "CREATE TABLE IF NOT EXISTS \"s\".\"t\" (\"v\" SUPER)");
}

TEST_CASE("redshift: a key that can neither distribute nor sort does neither") {
  CHECK(created({column("id", CDCRT_TYPE_BYTES, 1)}, {}) == "CREATE TABLE IF NOT EXISTS \"s\".\"t\" (\"id\" VARBYTE(64000) NOT NULL)");
}

TEST_CASE("redshift: names that are one name after folding are refused, unless case counts") {
  CHECK(created({column("Id", CDCRT_TYPE_INT64), column("ID", CDCRT_TYPE_INT64)}, {}).find("\"Id\" and \"ID\" are one name") !=
        std::string::npos);
  Names names;
  names.case_sensitive = true;
  CHECK(created({column("Id", CDCRT_TYPE_INT64), column("ID", CDCRT_TYPE_INT64)}, {}, names) ==
        "CREATE TABLE IF NOT EXISTS \"s\".\"t\" (\"Id\" BIGINT, \"ID\" BIGINT)");
  CHECK(created({column(std::string(128, 'a'), CDCRT_TYPE_INT64)}, {}).find("128 bytes") != std::string::npos);
}

TEST_CASE("redshift: a layout that names a column the table lacks is refused") {
  Layout layout;
  layout.distkey = "nowhere";
  CHECK(created({column("id", CDCRT_TYPE_INT64, 1)}, layout).find("layout.distkey names column \"nowhere\"") != std::string::npos);
}

TEST_CASE("redshift: defaults are constants, and none is given where only an expression would do") {
  auto with_default = column("v", CDCRT_TYPE_STRING, 0, 10);
  with_default.flags = CDCRT_COLUMN_DEFAULT;
  with_default.default_value = text_cell(CDCRT_STRING, "it's");
  std::string out;
  REQUIRE(add_column(out, "\"t\"", with_default, {}));
  CHECK(out == "ALTER TABLE \"t\" ADD COLUMN \"v\" VARCHAR(40) DEFAULT 'it''s'");
  auto json = column("j", CDCRT_TYPE_JSON);
  json.flags = CDCRT_COLUMN_DEFAULT;
  json.default_value = text_cell(CDCRT_JSON, "{}");
  out.clear();
  REQUIRE(add_column(out, "\"t\"", json, {}));
  CHECK(out == "ALTER TABLE \"t\" ADD COLUMN \"j\" SUPER");
}

TEST_CASE("redshift: rows go from the stage by equality of keys, in sets") {
  const StageShape made = shape();
  CHECK(create_stage(made) == "CREATE TEMP TABLE \"stage\" (\"n\" BIGINT, \"id\" BIGINT, \"v\" VARCHAR(40)) DISTKEY(\"id\")");
  CHECK(delete_by_stage(made) == "DELETE FROM \"s\".\"t\" USING \"stage\" WHERE \"t\".\"id\" = \"stage\".\"id\"");
  CHECK(insert_from_stage(made) == "INSERT INTO \"s\".\"t\" (\"id\", \"v\") SELECT \"id\", \"v\" FROM \"stage\"");
  CHECK(update_from_stage(made) == "UPDATE \"s\".\"t\" SET \"v\" = \"stage\".\"v\" FROM \"stage\" WHERE \"t\".\"id\" = \"stage\".\"id\"");
  CHECK(insert_missing(made) ==
        "INSERT INTO \"s\".\"t\" (\"id\", \"v\") SELECT \"stage\".\"id\", \"stage\".\"v\" FROM \"stage\" LEFT JOIN \"s\".\"t\" ON "
        "\"t\".\"id\" = \"stage\".\"id\" "
        "WHERE \"t\".\"id\" IS NULL");
  CHECK(select_missing(made) ==
        "SELECT \"stage\".\"n\" FROM \"stage\" LEFT JOIN \"s\".\"t\" ON \"t\".\"id\" = \"stage\".\"id\" WHERE \"t\".\"id\" IS NULL ORDER "
        "BY 1");
  StageShape keys = made;
  keys.columns.pop_back();
  CHECK(update_from_stage(keys).empty());
}

TEST_CASE("redshift: copies are counted and deleted by equalities alone, and nothing wide is sorted or grouped") {
  StageShape made = shape();
  made.columns[0].key = false;
  const auto removal = remove_copies(made);
  for (const std::string& text : {removal.equals, removal.copies, removal.remove}) {
    CAPTURE(text);
    CHECK(text.find(" OR ") == std::string::npos);
    CHECK(text.find("PARTITION BY") == std::string::npos);
    CHECK(text.find("COALESCE(\"t\".\"id\"") == std::string::npos);  // never NULL
  }
  CHECK(removal.remove ==
        "DELETE FROM \"s\".\"t\" USING \"stage\" WHERE \"t\".\"id\" = \"stage\".\"id\" AND COALESCE(\"t\".\"v\", '') = "
        "COALESCE(\"stage\".\"v\", '') AND COALESCE(OCTET_LENGTH(\"t\".\"v\"), -1) = COALESCE(OCTET_LENGTH(\"stage\".\"v\"), -1)");
  CHECK(insert_staged_again(made, {3, 5}) ==
        "INSERT INTO \"s\".\"t\" (\"id\", \"v\") SELECT \"id\", \"v\" FROM \"stage\" WHERE \"n\" IN (3, 5)");
  made.others = {"\"own\""};
  const auto hold = hold_copies(made, "\"held\"", {{3, 1}, {5, 2}, {7, 1}});
  CHECK(hold.restore ==
        "INSERT INTO \"s\".\"t\" (\"id\", \"v\", \"own\") SELECT \"id\", \"v\", \"own\" FROM \"held\" WHERE (cdcrt_number > 1 AND "
        "cdcrt_first IN (3, 7)) OR (cdcrt_number > 2 AND cdcrt_first IN (5))");
  CHECK(hold.hold.find("PARTITION BY \"stage\".\"n\" ORDER BY") != std::string::npos);
}

TEST_CASE("redshift: texts are the same only with the same blanks at their end, and NULL only as NULL") {
  CHECK(same("a.v", "b.v", written_type("varchar(40)")) == "a.v = b.v AND OCTET_LENGTH(a.v) = OCTET_LENGTH(b.v)");
  CHECK(same("a.v", "b.v", written_type("char(4)")) == "a.v = b.v");
  CHECK(same("a.v", "b.v", written_type("varbyte(4)")) == "a.v = b.v");
  CHECK(same("a.v", "b.v", written_type("super")) == "JSON_SERIALIZE_TO_VARBYTE(a.v) = JSON_SERIALIZE_TO_VARBYTE(b.v)");
  CHECK(same_or_null("a.v", "b.v", written_type("date")) ==
        "COALESCE(a.v, DATE '1970-01-01') = COALESCE(b.v, DATE '1970-01-01') AND CASE WHEN a.v IS NULL THEN 1 ELSE 0 END = CASE WHEN b.v "
        "IS NULL THEN 1 ELSE 0 END");
}

namespace {

std::string key_condition(const std::vector<std::string_view>& types, const std::vector<cdcrt_cell>& cells) {
  KeySet keys;
  std::vector<std::string> names;
  for (uint32_t i = 0; i < types.size(); ++i) keys.columns.push_back({i == 0 ? "\"a\"" : "\"b\"", written_type(types[i]), "k", i});
  keys.cells = cells.data();
  keys.stride = types.size();
  std::vector<uint64_t> rows;
  for (uint64_t row = 0; row < cells.size() / types.size(); ++row) rows.push_back(row);
  std::string out;
  const auto status = append_key_condition(out, keys, rows, 0, rows.size());
  return status ? out : "refused: " + std::string(status.message());
}

}  // namespace

TEST_CASE("redshift: keys are named exactly, in numbers that repeat") {
  const auto number = [](int64_t value) { return integer_cell(CDCRT_I64, value); };
  const auto word = [](std::string_view value) { return text_cell(CDCRT_STRING, value); };
  CHECK(key_condition({"bigint"}, {number(1)}) == "\"a\" IN (1)");
  CHECK(key_condition({"bigint"}, {number(1), number(2), number(3)}) == "\"a\" IN (1, 2, 3, 3)");
  CHECK(key_condition({"varchar(9)"}, {word("x"), word("y")}) ==
        "\"a\" IN ('x', 'y') AND OCTET_LENGTH(\"a\") = OCTET_LENGTH(RTRIM(\"a\", ' '))");
  CHECK(key_condition({"varchar(9)"}, {word("x"), word("x ")}) ==
        "(\"a\" IN ('x') AND OCTET_LENGTH(\"a\") = OCTET_LENGTH(RTRIM(\"a\", ' ')) OR ((\"a\" = 'x ' AND OCTET_LENGTH(\"a\") = 2)))");
  CHECK(key_condition({"bigint", "varchar(9)"}, {number(1), word("x"), number(2), word("\xC3\xA9"), number(3), word("")}) ==
        "((\"a\" = 1 AND \"b\" = 'x' AND OCTET_LENGTH(\"b\") = 1) OR (\"a\" = 2 AND \"b\" = '\xC3\xA9' AND OCTET_LENGTH(\"b\") = 2) OR "
        "(\"a\" = 3 AND \"b\" = '' AND OCTET_LENGTH(\"b\") = 0) OR (\"a\" = 3 AND \"b\" = '' AND OCTET_LENGTH(\"b\") = 0))");
  CHECK(key_condition({"varbyte(9)"}, {text_cell(CDCRT_BYTES, "")}) == "\"a\" IN (TO_VARBYTE('','hex'))");
}

TEST_CASE("redshift: keys of several columns that differ in one of them are a list of that one") {
  const auto number = [](int64_t value) { return integer_cell(CDCRT_I64, value); };
  const auto word = [](std::string_view value) { return text_cell(CDCRT_STRING, value); };
  CHECK(key_condition({"varchar(9)", "bigint"}, {word("x"), number(1), word("x"), number(2)}) ==
        "\"a\" IN ('x') AND OCTET_LENGTH(\"a\") = OCTET_LENGTH(RTRIM(\"a\", ' ')) AND \"b\" IN (1, 2)");
  CHECK(
      key_condition({"bigint", "varchar(9)"}, {number(1), word("x"), number(1), word("x ")}) ==
      "\"a\" IN (1) AND (\"b\" IN ('x') AND OCTET_LENGTH(\"b\") = OCTET_LENGTH(RTRIM(\"b\", ' ')) OR ((\"b\" = 'x ' AND OCTET_LENGTH(\"b\") = 2)))");
}

TEST_CASE("redshift: a condition on long keys stays below what a statement may have") {
  std::vector<std::string> texts;
  for (int i = 0; i < 257; ++i) texts.push_back(std::to_string(i) + std::string(65'000, i % 3 == 0 ? '\\' : i % 3 == 1 ? '\'' : 'x'));
  for (const char* type : {"varchar(65535)", "varbyte(70000)"}) {
    std::vector<cdcrt_cell> cells;
    KeySet keys;
    keys.columns = {{"\"k\"", written_type(type), "k", 0}};
    std::vector<uint64_t> rows;
    for (uint64_t row = 0; row < texts.size(); ++row) {
      cells.push_back(text_cell(std::string_view(type).starts_with("varbyte") ? CDCRT_BYTES : CDCRT_STRING, texts[row]));
      rows.push_back(row);
    }
    keys.cells = cells.data();
    keys.stride = 1;
    std::size_t statements = 0;
    for (uint64_t first = 0, last = 0; first < rows.size(); first = last, ++statements) {
      last = keys.end_of(rows, first);
      REQUIRE(last > first);
      std::string out;
      REQUIRE(append_key_condition(out, keys, rows, first, last));
      CHECK(out.size() < (15U << 20));
    }
    CHECK(statements < 32);
  }
}

TEST_CASE("redshift: a type is changed by adding, filling, dropping and renaming") {
  const auto statements = change_type("\"t\"", "\"v\"", "\"tmp\"", written_type("boolean"), written_type("integer"), "");
  REQUIRE(statements.size() == 4);
  CHECK(statements[0] == "ALTER TABLE \"t\" ADD COLUMN \"tmp\" INTEGER");
  CHECK(statements[1] == "UPDATE \"t\" SET \"tmp\" = (CASE WHEN \"v\" THEN 1 WHEN NOT \"v\" THEN 0 END)::INTEGER");
  CHECK(statements[2] == "ALTER TABLE \"t\" DROP COLUMN \"v\"");
  CHECK(statements[3] == "ALTER TABLE \"t\" RENAME COLUMN \"tmp\" TO \"v\"");
  CHECK(widen("\"t\"", "\"v\"", written_type("varchar(40)"), 256) == "ALTER TABLE \"t\" ALTER COLUMN \"v\" TYPE VARCHAR(256)");
}

TEST_CASE("redshift: errors are sorted by text where the state says nothing") {
  CHECK(code("XX000", "ERROR: 1023 DETAIL: Serializable isolation violation on table - 100173") == CDCRT_BUSY);
  CHECK(code("XX000", "ERROR: 1023", sql::Moment::kCommit) == CDCRT_BUSY);
  CHECK(code("XX000", "ERROR: 1018 DETAIL: Relation does not exist.") == CDCRT_BUSY);
  CHECK(code("XX000", "could not complete because of conflict with concurrent transaction") == CDCRT_BUSY);
  CHECK(code("40P01", "deadlock detected") == CDCRT_BUSY);
  CHECK(code("57014", "Query cancelled on user's request") == CDCRT_BUSY);
  CHECK(code("0A000", "target column size should be different") == CDCRT_OK);
  CHECK(code("22001", "value too long for type character varying(10)") == CDCRT_BAD_RECORD);
  CHECK(code("XX000", "Numeric data overflow (result precision)") == CDCRT_BAD_RECORD);
  CHECK(code("42501", "permission denied for schema shop") == CDCRT_BAD_CONFIG);
  CHECK(code("XX000", "S3ServiceException:Access Denied,Status 403,Error AccessDenied") == CDCRT_BAD_CONFIG);
  CHECK(code("XX000", "Load into table 'x' failed.  Check 'stl_load_errors' system table for details.") == CDCRT_BUSY);
  CHECK(code("08S01", "server closed the connection unexpectedly") == CDCRT_RETRY);
  CHECK(code("42P01", "relation \"x\" does not exist") == CDCRT_STALE_SCHEMA);
  CHECK(code("28000", "password authentication failed for user \"x\"", sql::Moment::kConnect) == CDCRT_AUTH);
  CHECK(code("XX000", "query 10231 failed for no reason") == CDCRT_UNSUPPORTED);
}
