#include "types/type.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <utility>

#include "samples.hpp"

using namespace cdcrt::types;

namespace {

std::string joined(const char* a, const char* b) { return to_string(join(parse_type(a).value(), parse_type(b).value())); }
std::string evolved(const char* current, const char* declared) {
  return to_string(evolve(parse_type(current).value(), parse_type(declared).value()));
}

}  // namespace

TEST_CASE("types: the canonical name of a type names it again") {
  for (const auto type : samples::types()) {
    if (type.kind == CDCRT_TYPE_UNKNOWN) continue;
    INFO(to_string(type));
    const auto parsed = parse_type(to_string(type));
    REQUIRE(parsed);
    CHECK(equal(*parsed, type));
  }
  CHECK(to_string(decimal_type(12, 2)) == "decimal(12,2)");
  CHECK(to_string(decimal_type(0, 7)) == "decimal");
  CHECK(to_string(string_type(40)) == "string(40)");
  CHECK(to_string(string_type(0)) == "string");
  CHECK(to_string(cdcrt_type{200, 0, 0, 0}) == "unknown");
  CHECK(equal(parse_type("decimal(4294967295,-32768)").value(), decimal_type(UINT32_MAX, INT16_MIN)));
}

TEST_CASE("types: the names of databases are understood") {
  const std::pair<const char*, const char*> rows[] = {
      {"BIGINT", "int64"},
      {"int", "int32"},
      {"integer", "int32"},
      {"smallint", "int16"},
      {"tinyint", "int8"},
      {"bigint unsigned", "uint64"},
      {"varchar(40)", "string(40)"},
      {"Character  Varying ( 7 )", "string(7)"},
      {"text", "string"},
      {"varchar", "string"},
      {"numeric(12, 2)", "decimal(12,2)"},
      {"numeric(9)", "decimal(9,0)"},
      {"numeric", "decimal"},
      {"decimal(2,-3)", "decimal(2,-3)"},
      {"double precision", "float64"},
      {"double", "float64"},
      {"real", "float32"},
      {"boolean", "bool"},
      {"bytea", "bytes"},
      {"varbinary(16)", "bytes"},
      {"blob", "bytes"},
      {"datetime", "timestamp"},
      {"datetime(6)", "timestamp"},
      {"timestamp(3) with time zone", "timestamptz"},
      {"timestamp with time zone", "timestamptz"},
      {"timestamp without time zone", "timestamp"},
      {"time with time zone", "timetz"},
      {"jsonb", "json"},
      {" uuid ", "uuid"},
      {"text[]", "string[]"},
      {"integer[]", "int32[]"},
      {"INT [] []", "int32[]"},
      {"varchar(40)[]", "string(40)[]"},
      {"numeric(12, 2)[]", "decimal(12,2)[]"},
      {"timestamp(3) with time zone[]", "timestamptz[]"},
      {"array", "array"},
  };
  for (const auto& [name, canonical] : rows) {
    INFO(name);
    const auto type = parse_type(name);
    REQUIRE(type);
    CHECK(to_string(*type) == canonical);
  }
}

TEST_CASE("types: what names no type is refused") {
  for (const std::string name : {"",
                                 "(",
                                 "()",
                                 "int33",
                                 "string(0)",
                                 "string(-1)",
                                 "string(x)",
                                 "string(40",
                                 "string(40,2)",
                                 "string()",
                                 "decimal(0,2)",
                                 "decimal(5,)",
                                 "decimal(5,2,1)",
                                 "decimal(5,2)x",
                                 "int64(5)",
                                 "unknown",
                                 "timestamp(9)",
                                 "date(3)",
                                 "int2",
                                 "int4",
                                 "string(4294967296)",
                                 "decimal(5,32768)",
                                 "json(5)",
                                 "[]",
                                 "array[]",
                                 "int33[]",
                                 "unknown[]",
                                 "int32[",
                                 "int32[3]",
                                 "string 40"}) {
    INFO(name);
    CHECK_FALSE(parse_type(name));
  }
}

TEST_CASE("types: members that mean nothing do not make types differ") {
  CHECK(equal(cdcrt_type{CDCRT_TYPE_INT32, 9, 3, 7}, type_of(CDCRT_TYPE_INT32)));
  CHECK(equal(cdcrt_type{CDCRT_TYPE_STRING, 0, 3, 7}, string_type(7)));
  CHECK(equal(cdcrt_type{CDCRT_TYPE_DECIMAL, 0, 3, 0}, decimal_type(0, 0)));
  CHECK_FALSE(equal(string_type(7), string_type(8)));
  CHECK_FALSE(equal(decimal_type(7, 1), decimal_type(7, 2)));
}

TEST_CASE("types: joining is commutative, idempotent, and UNKNOWN is neutral") {
  for (const auto a : samples::types()) {
    CHECK(equal(join(a, a), a));
    CHECK(equal(join(a, type_of(CDCRT_TYPE_UNKNOWN)), a));
    for (const auto b : samples::types()) {
      INFO(to_string(a) << " and " << to_string(b));
      REQUIRE(equal(join(a, b), join(b, a)));
      // What holds both holds each.
      REQUIRE(equal(join(a, join(a, b)), join(a, b)));
    }
  }
}

TEST_CASE("types: joining is associative") {
  for (const auto a : samples::types()) {
    for (const auto b : samples::types()) {
      for (const auto c : samples::types()) {
        if (equal(join(join(a, b), c), join(a, join(b, c)))) continue;
        FAIL(to_string(a) << ", " << to_string(b) << ", " << to_string(c));
      }
    }
  }
}

TEST_CASE("types: the join is the least type that holds both") {
  CHECK(joined("int8", "int64") == "int64");
  CHECK(joined("int64", "uint64") == "decimal(20,0)");
  CHECK(joined("int8", "uint64") == "decimal(20,0)");
  CHECK(joined("int64", "decimal(5,2)") == "decimal(21,2)");
  CHECK(joined("int8", "decimal(5,2)") == "decimal(5,2)");
  CHECK(joined("uint64", "decimal(5,2)") == "decimal(22,2)");
  CHECK(joined("decimal(12,2)", "decimal(10,5)") == "decimal(15,5)");
  CHECK(joined("decimal(2,-3)", "decimal(3,5)") == "decimal(10,5)");
  CHECK(joined("decimal(12,2)", "decimal") == "decimal");
  CHECK(joined("float32", "float64") == "float64");
  CHECK(joined("int16", "float32") == "float32");
  CHECK(joined("int32", "float32") == "float64");
  CHECK(joined("int32", "float64") == "float64");
  CHECK(joined("int64", "float64") == "decimal");
  CHECK(joined("uint64", "float32") == "decimal");
  CHECK(joined("decimal(5,2)", "float32") == "decimal");
  CHECK(joined("date", "timestamp") == "timestamp");
  CHECK(joined("date", "timestamptz") == "timestamptz");
  CHECK(joined("timestamp", "timestamptz") == "timestamptz");
  CHECK(joined("time", "timestamp") == "string");
  CHECK(joined("time", "timetz") == "string");
  CHECK(joined("string(40)", "string(50)") == "string(50)");
  CHECK(joined("string(40)", "string") == "string");
  CHECK(joined("string(40)", "int8") == "string");
  CHECK(joined("bool", "int8") == "int8");
  CHECK(joined("int16", "bool") == "int16");
  CHECK(joined("bool", "float32") == "float32");
  CHECK(joined("bool", "decimal(5,2)") == "decimal(5,2)");
  CHECK(joined("bool", "string(5)") == "string");
  CHECK(joined("array", "json") == "json");
  CHECK(joined("int16[]", "int64[]") == "int64[]");
  CHECK(joined("bool[]", "int32[]") == "int32[]");
  CHECK(joined("int64[]", "uint64[]") == "decimal(20,0)[]");
  CHECK(joined("decimal(12,2)[]", "decimal(10,5)[]") == "decimal(15,5)[]");
  CHECK(joined("float32[]", "float64[]") == "float64[]");
  CHECK(joined("date[]", "timestamptz[]") == "timestamptz[]");
  CHECK(joined("int32[]", "string(5)[]") == "string[]");
  CHECK(joined("uuid[]", "int8[]") == "string[]");
  // Their elements are spelled in one way in JSON and in another by databases.
  CHECK(joined("float64[]", "string[]") == "array");
  CHECK(joined("int64[]", "float64[]") == "array");
  CHECK(joined("timestamp[]", "string[]") == "array");
  CHECK(joined("bytes[]", "string[]") == "array");
  CHECK(joined("int32[]", "array") == "array");
  CHECK(joined("int32[]", "json") == "json");
  CHECK(joined("int32[]", "int32") == "string");
  CHECK(joined("string[]", "string") == "string");
  CHECK(joined("json", "string(5)") == "string");
  CHECK(joined("uuid", "string(36)") == "string");
  CHECK(joined("bytes", "string") == "string");
  CHECK(joined("interval", "time") == "interval");
}

namespace {

bool is_float(uint8_t kind) { return kind == CDCRT_TYPE_FLOAT32 || kind == CDCRT_TYPE_FLOAT64; }

}  // namespace

TEST_CASE("types: a declared change follows the source and never narrows") {
  CHECK(evolved("int32", "float32") == "float64");
  CHECK(evolved("int64", "float64") == "float64");
  CHECK(evolved("int64", "float32") == "float64");
  CHECK(evolved("uint64", "float64") == "float64");
  CHECK(evolved("int16", "float32") == "float32");
  CHECK(evolved("int64", "int32") == "int64");
  CHECK(evolved("int32[]", "float64[]") == "float64[]");
  CHECK(evolved("int32[]", "string[]") == "string[]");
  CHECK(evolved("array", "int32[]") == "array");
  CHECK(evolved("string", "int32") == "string");
  CHECK(evolved("int32", "string(40)") == "string");
  CHECK(evolved("decimal(12,2)", "decimal(10,0)") == "decimal(12,2)");
  CHECK(evolved("timestamptz", "date") == "timestamptz");
  CHECK(evolved("decimal(12,2)", "float64") == "decimal");
  CHECK(equal(evolve(type_of(CDCRT_TYPE_UNKNOWN), string_type(7)), string_type(7)));
  CHECK(equal(evolve(string_type(7), type_of(CDCRT_TYPE_UNKNOWN)), string_type(7)));
  for (const auto a : samples::types()) {
    for (const auto b : samples::types()) {
      INFO(to_string(a) << " declared " << to_string(b));
      const auto c = evolve(a, b);
      REQUIRE(equal(evolve(c, b), c));
      const bool wide = c.kind == CDCRT_TYPE_FLOAT64 && (a.kind == CDCRT_TYPE_INT64 || a.kind == CDCRT_TYPE_UINT64);
      const bool elements = is_float(element_of(c).kind) && !is_float(element_of(a).kind);
      const bool followed = wide || elements;
      if (!followed) REQUIRE(equal(join(c, a), c));
      REQUIRE(equal(join(c, b), c));
    }
  }
}

TEST_CASE("types: a value teaches the type that holds it") {
  for (const auto type : samples::types()) {
    for (const auto& cell : samples::values(type)) {
      const auto taught = learned(cell);
      if (cell.tag <= CDCRT_NULL) {
        CHECK(taught.kind == CDCRT_TYPE_UNKNOWN);
      } else {
        INFO(to_string(type) << " taught " << to_string(taught));
        CHECK((taught.kind == type.kind || join(taught, type).kind == taught.kind));
        CHECK(taught.length == 0);
      }
    }
  }
}

TEST_CASE("types: the join table has a row and a cell for every type") {
  const std::string table = join_table_markdown();
  std::size_t lines = 0;
  for (std::size_t at = 0; at < table.size(); ++lines) {
    const auto end = table.find('\n', at);
    REQUIRE(end != std::string::npos);
    const std::string line = table.substr(at, end - at);
    CHECK(std::count(line.begin(), line.end(), '|') == 28);
    at = end + 1;
  }
  CHECK(lines == 28);
  CHECK(table.find("| **uint64** | uint64 | decimal(20,0) |") != std::string::npos);
}
