// Arrays of elements of a type: PostgreSQL's own arrays there, JSON in SQLite.
#include <doctest/doctest.h>

#include "target.hpp"

namespace {

using Rows = std::vector<std::string>;

const cdcrt_column kId = column("id", CDCRT_TYPE_INT64, 1);

cdcrt_column array_of(uint8_t element, uint32_t length = 0, int16_t scale = 0) {
  cdcrt_column made = column("v", CDCRT_TYPE_ARRAY, 0, length, scale);
  made.type.element = element;
  return made;
}

cdcrt_cell array(std::string_view json) { return text(CDCRT_ARRAY, json); }

Target& empty(Target& target) {
  by_tool(target, "DROP SCHEMA public CASCADE; CREATE SCHEMA public;");
  return target;
}

#define OK(expression)                        \
  do {                                        \
    const Failure failure = (expression);     \
    CHECK_MESSAGE(!failure, failure.message); \
  } while (false)

}  // namespace

TEST_CASE("odbc: arrays come back exact, and are found by their values") {
  struct Values {
    cdcrt_column column;
    const char* type;
    std::vector<const char*> json;
  };
  const std::vector<Values> all = {
      {array_of(CDCRT_TYPE_INT32), "integer[]", {"[1,null,3]", "[]", "[null]", "[[1,2],[3,4]]"}},
      {array_of(CDCRT_TYPE_INT64), "bigint[]", {"[9223372036854775807]"}},
      {array_of(CDCRT_TYPE_UINT64), "numeric(20,0)[]", {"[18446744073709551615]"}},
      {array_of(CDCRT_TYPE_STRING), "text[]", {R"(["a,b","c\"d",null,"","NULL","null","{}","\\","\n","日本 😀"," pad "])", "[\"\"]"}},
      {array_of(CDCRT_TYPE_STRING, 3), "character varying(3)[]", {"[\"äöü\"]"}},
      {array_of(CDCRT_TYPE_BOOL), "boolean[]", {"[true,false,null]"}},
      {array_of(CDCRT_TYPE_FLOAT32), "real[]", {"[0.1,\"NaN\",\"-Infinity\"]"}},
      {array_of(CDCRT_TYPE_FLOAT64), "double precision[]", {"[0.30000000000000004,1e+300]"}},
      {array_of(CDCRT_TYPE_DECIMAL), "numeric[]", {"[123456789012345678901234567890.123456789,1.50,\"NaN\"]"}},
      {array_of(CDCRT_TYPE_DECIMAL, 12, 2), "numeric(12,2)[]", {"[1.50,null]"}},
      {array_of(CDCRT_TYPE_DATE), "date[]", {R"(["2024-02-29","-0043-08-22","infinity"])"}},
      {array_of(CDCRT_TYPE_TIME), "time without time zone[]", {R"(["23:59:59.999999","00:00:00"])"}},
      {array_of(CDCRT_TYPE_TIMESTAMP), "timestamp without time zone[]", {R"(["2024-01-01T00:00:00.000001","-infinity"])"}},
      {array_of(CDCRT_TYPE_TIMESTAMPTZ), "timestamp with time zone[]", {R"(["2024-01-01T00:00:00+00:00",null])"}},
      {array_of(CDCRT_TYPE_BYTES), "bytea[]", {R"(["AP8=","",null])"}},
      {array_of(CDCRT_TYPE_UUID), "uuid[]", {R"(["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"])"}},
      {array_of(CDCRT_TYPE_JSON), "json[]", {R"(["{\"b\": 1.50}",null])"}},
  };
  each_target([&](Target& target) {
    for (const Values& values : all) {
      CAPTURE(values.type);
      const std::string table = std::string("t ") + values.type;
      const std::vector<cdcrt_column> columns = {kId, values.column};
      OK(target.create(table, columns));
      if (!target.is_sqlite()) CHECK(target.describe(table).find("v")->raw == values.type);
      std::vector<Row> rows = {{i64(0), null()}};
      Rows expected = {"i64:0|null"};
      for (const char* json : values.json) {
        expected.push_back("i64:" + std::to_string(rows.size()) + "|array:" + json);
        rows.push_back({i64(static_cast<int64_t>(rows.size())), array(json)});
      }
      OK(target.write(CDCRT_WRITE_UPSERT, table, columns, rows));
      OK(target.write(CDCRT_WRITE_UPSERT, table, columns, rows));
      const Rows found = target.read(table, columns);
      REQUIRE(found.size() == expected.size());
      for (std::size_t i = 0; i < found.size(); ++i) CHECK(found[i] == expected[i]);
      OK(target.write(CDCRT_WRITE_REMOVE, table, columns, rows));
      CHECK(target.missing.empty());
      CHECK(target.read(table, columns).empty());
    }
  });
}

TEST_CASE("odbc: arrays go into arrays that somebody else made, also without a type, or say why not") {
  Target target(postgresql_options());
  by_tool(empty(target),
          "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN tags AS text[]; CREATE TABLE o (id bigint PRIMARY KEY, t text[], i int[], "
          "m mood[], u uuid[], n numeric(6,2)[], "
          "s timestamp(0)[], d date[], b bit(1)[], c varchar(3)[], y money[], g tags, j jsonb, p point[], h boolean[]);");
  const auto any = [](const char* name) { return column(name, CDCRT_TYPE_ARRAY); };
  OK(target.write(
      CDCRT_WRITE_UPSERT, "o",
      {kId, any("t"), any("i"), any("m"), any("u"), any("n"), any("s"), any("d"), any("b"), any("c"), any("y"), any("g"), any("j"),
       any("p"), any("h")},
      {{i64(1), array(R"(["a",null,1.50,true])"), array("[1]"), array("[\"ok\"]"), array("[\"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11\"]"),
        array("[1.5]"), array("[\"2024-01-01T10:00:00\"]"), array("[\"2024-01-01T00:00:00\"]"), array("[true,0]"), array("[\"abc\"]"),
        array("[-1234.5]"), array("[\"x\"]"), array("[1,{}]"), array(R"([{"x":1.5,"y":-2}])"), array("[1,false]")}}));
  CHECK(by_tool(target, "SELECT t, i, m, u, n, s, d, b, c, y::numeric[], g, j, p, h FROM o;") ==
        "{a,NULL,1.50,true}|{1}|{ok}|{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}|{1.50}|{\"2024-01-01 "
        "10:00:00\"}|{2024-01-01}|{1,0}|{abc}|{-1234.50}|{x}|[1, {}]|{\"(1.5,-2)\"}|{t,f}\n");
  const std::pair<const char*, const char*> refused[] = {{"i", "[\"a\"]"},
                                                         {"i", "[1.5]"},
                                                         {"i", "{}"},
                                                         {"m", "[\"good\"]"},
                                                         {"n", "[1.255]"},
                                                         {"n", "[100000]"},
                                                         {"s", "[\"2024-01-01T10:00:00.5\"]"},
                                                         {"d", "[\"2024-01-01T10:00:00\"]"},
                                                         {"d", "[\"tomorrow\"]"},
                                                         {"c", "[\"abc \"]"},
                                                         {"t", "[[1],[2,3]]"},
                                                         {"t", "[[]]"},
                                                         {"t", "[\"\\u0000\"]"},
                                                         {"y", "[1.005]"}};
  for (const auto& [name, json] : refused) {
    CAPTURE(name);
    CAPTURE(json);
    CHECK(target.write(CDCRT_WRITE_UPSERT, "o", {kId, any(name)}, {{i64(2), array(json)}}).code == CDCRT_BAD_RECORD);
  }
  cdcrt_column cut = any("s");
  cut.flags |= CDCRT_COLUMN_MAY_CUT_FRACTION;
  OK(target.write(CDCRT_WRITE_UPSERT, "o", {kId, cut}, {{i64(2), array("[\"2024-01-01T10:00:00.5\",null]")}}));
  cdcrt_column nulled = any("n");
  nulled.flags |= CDCRT_COLUMN_MAY_NULL;
  OK(target.write(CDCRT_WRITE_UPSERT, "o", {kId, nulled}, {{i64(3), array("[1,1.255]")}}));
  CHECK(by_tool(target, "SELECT id, s, n FROM o WHERE id > 1 ORDER BY id;") == "2|{\"2024-01-01 10:00:00\",NULL}|\n3||\n");
  // A text that is an array of the database already, or JSON.
  const cdcrt_column texts = column("i", CDCRT_TYPE_STRING);
  OK(target.write(CDCRT_WRITE_UPSERT, "o", {kId, texts},
                  {{i64(4), str("{1,2}")}, {i64(5), str("[0:1]={3,4}")}, {i64(6), str("[5,null]")}}));
  CHECK(target.read("o", {kId, any("i")}, {{i64(4)}, {i64(5)}, {i64(6)}}) ==
        Rows{"i64:4|array:[1,2]", "i64:5|array:[3,4]", "i64:6|array:[5,null]"});
}

TEST_CASE("odbc: an array's elements change their type as scalars do, or it becomes JSON") {
  struct Conversion {
    cdcrt_column from, to;
    const char *before, *after;
  };
  cdcrt_column json = column("v", CDCRT_TYPE_JSON), any = column("v", CDCRT_TYPE_ARRAY), words = column("v", CDCRT_TYPE_STRING);
  const std::vector<Conversion> all = {
      {array_of(CDCRT_TYPE_INT32), array_of(CDCRT_TYPE_INT64), "[1,null]", "array:[1,null]"},
      {array_of(CDCRT_TYPE_INT32), array_of(CDCRT_TYPE_DECIMAL), "[1,null]", "array:[1,null]"},
      {array_of(CDCRT_TYPE_INT32), array_of(CDCRT_TYPE_FLOAT64), "[1]", "array:[1]"},
      {array_of(CDCRT_TYPE_FLOAT32), array_of(CDCRT_TYPE_FLOAT64), "[0.1]", "array:[0.1]"},
      {array_of(CDCRT_TYPE_DATE), array_of(CDCRT_TYPE_TIMESTAMP), "[\"2024-01-01\"]", "array:[\"2024-01-01T00:00:00\"]"},
      {array_of(CDCRT_TYPE_TIMESTAMP), array_of(CDCRT_TYPE_TIMESTAMPTZ), "[\"2024-01-01T00:00:00\"]",
       "array:[\"2024-01-01T00:00:00+00:00\"]"},
      {array_of(CDCRT_TYPE_BOOL), array_of(CDCRT_TYPE_INT64), "[true,null]", "array:[1,null]"},
      {array_of(CDCRT_TYPE_INT32), array_of(CDCRT_TYPE_STRING), "[1,null]", "array:[\"1\",null]"},
      {array_of(CDCRT_TYPE_BOOL), array_of(CDCRT_TYPE_STRING), "[true]", "array:[\"true\"]"},
      {array_of(CDCRT_TYPE_STRING), any, R"(["a\"",null])", "array:[\"a\\\"\",null]"},
      {array_of(CDCRT_TYPE_TIMESTAMP), any, "[\"2024-01-01T00:00:00\"]", "array:[\"2024-01-01T00:00:00\"]"},
      {array_of(CDCRT_TYPE_JSON), any, R"(["{\"a\": 1}"])", R"(array:["{\"a\": 1}"])"},
      {array_of(CDCRT_TYPE_INT32), json, "[1,2]", "json:[1,2]"},
      {array_of(CDCRT_TYPE_STRING), words, "[\"a\"]", "string:[\"a\"]"},
  };
  Target target(postgresql_options());
  empty(target);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Conversion& conversion = all[i];
    CAPTURE(conversion.before);
    CAPTURE(conversion.after);
    const std::string table = "t" + std::to_string(i);
    OK(target.create(table, {kId, conversion.from}));
    OK(target.write(CDCRT_WRITE_APPEND, table, {kId, conversion.from}, {{i64(1), array(conversion.before)}, {i64(2), null()}}));
    OK(target.alter(table, conversion.to, conversion.from.type));
    OK(target.alter(table, conversion.to, conversion.from.type));
    CHECK(target.read(table, {kId, conversion.to}) == Rows{std::string("i64:1|") + conversion.after, "i64:2|null"});
  }
  OK(target.create("y", {kId, array_of(CDCRT_TYPE_BYTES)}));
  CHECK(target.alter("y", any, array_of(CDCRT_TYPE_BYTES).type).code == CDCRT_UNSUPPORTED);
}

TEST_CASE("odbc: arrays are keys and have defaults in postgresql") {
  Target target(postgresql_options());
  empty(target);
  cdcrt_column key = array_of(CDCRT_TYPE_INT32);
  key.key_ordinal = 1;
  cdcrt_column words = with_default(column("w", CDCRT_TYPE_ARRAY), array(R"(["a'","b\\"])"));
  words.type.element = CDCRT_TYPE_STRING;
  OK(target.create("k", {key}));
  OK(target.write(CDCRT_WRITE_UPSERT, "k", {key}, {{array("[1,2]")}, {array("[]")}}));
  OK(target.add("k", words));
  OK(target.write(CDCRT_WRITE_UPSERT, "k", {key, words}, {{array("[1,2]"), array("[]")}, {array("[3]"), null()}}));
  OK(target.write(CDCRT_WRITE_DELETE, "k", {key}, {{array("[3]")}}));
  CHECK(target.read("k", {key, words}) == Rows{"array:[1,2]|array:[]", "array:[]|array:[\"a'\",\"b\\\\\"]"});
  CHECK(target.read("k", {key, words}, {{array("[1,2]")}, {array("[3]")}}) == Rows{"array:[1,2]|array:[]"});
}
