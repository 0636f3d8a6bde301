// Values in PostgreSQL's binary form, as the sink on libpq sends them, beside their texts, as ODBC sends them.
#include <doctest/doctest.h>

#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <utility>

#include "postgresql/binary_array.hpp"
#include "target.hpp"

using namespace cdcrt;

namespace {

struct Type {
  const char* name;  ///< in the target
  uint8_t kind;      ///< as the host knows the column
  postgresql::BinaryType binary;
  const char* text;  ///< a value that goes as text, and takes the others of its column along; nullptr: there is none
};
using Binary = postgresql::BinaryType;

constexpr Type kTypes[] = {
    {"boolean", CDCRT_TYPE_BOOL, Binary::kBool, "true"},
    {"smallint", CDCRT_TYPE_INT16, Binary::kInt2, "12"},
    {"integer", CDCRT_TYPE_INT32, Binary::kInt4, "12"},
    {"bigint", CDCRT_TYPE_INT64, Binary::kInt8, "12"},
    {"real", CDCRT_TYPE_FLOAT32, Binary::kFloat4, "1.5"},
    {"double precision", CDCRT_TYPE_FLOAT64, Binary::kFloat8, "1.5"},
    {"numeric", CDCRT_TYPE_DECIMAL, Binary::kNumeric, "NaN"},
    {"numeric(12,2)", CDCRT_TYPE_DECIMAL, Binary::kNumeric, "12.50"},
    {"numeric(20,0)", CDCRT_TYPE_UINT64, Binary::kNumeric, "12"},
    {"date", CDCRT_TYPE_DATE, Binary::kDate, "2024-02-29"},
    {"time", CDCRT_TYPE_TIME, Binary::kTime, "12:30:00"},
    {"time(3)", CDCRT_TYPE_TIME, Binary::kTime, "12:30:00"},
    {"timestamp", CDCRT_TYPE_TIMESTAMP, Binary::kTimestamp, "2024-02-29 12:30:00"},
    {"timestamp(0)", CDCRT_TYPE_TIMESTAMP, Binary::kTimestamp, "2024-02-29 12:30:00"},
    {"timestamptz", CDCRT_TYPE_TIMESTAMPTZ, Binary::kTimestamptz, "2024-02-29 12:30:00+02"},
    {"uuid", CDCRT_TYPE_UUID, Binary::kUuid, "{a0eebc999c0b4ef8bb6d6bb9bd380a11}"},
    {"bytea", CDCRT_TYPE_BYTES, Binary::kBytea, "\\x00ff"},
    {"text", CDCRT_TYPE_STRING, Binary::kText, nullptr},
    {"text", CDCRT_TYPE_INT32, Binary::kText, nullptr},
    {"varchar(5)", CDCRT_TYPE_STRING, Binary::kVarchar, nullptr},
    {"char(5)", CDCRT_TYPE_STRING, Binary::kBpchar, nullptr},
    {"json", CDCRT_TYPE_JSON, Binary::kJson, nullptr},
    {"jsonb", CDCRT_TYPE_JSON, Binary::kJsonb, nullptr},
    {"integer[]", CDCRT_TYPE_ARRAY, Binary::kText, nullptr},
    {"text[]", CDCRT_TYPE_ARRAY, Binary::kText, nullptr},
};

constexpr int64_t kDay = 86'400'000'000;

std::vector<cdcrt_cell> cells() {
  const double infinity = std::numeric_limits<double>::infinity();
  std::vector<cdcrt_cell> all = {null(), boolean(true), boolean(false), u64(0), u64(UINT64_MAX), u64(uint64_t{1} << 63)};
  for (const int64_t value : {int64_t{0}, int64_t{-1}, int64_t{7}, int64_t{32'767}, int64_t{32'768}, int64_t{-32'769}, int64_t{INT32_MAX},
                              int64_t{INT32_MIN} - 1, INT64_MAX, INT64_MIN})
    all.push_back(i64(value));
  for (const double value : {0.0, -0.0, 0.1, 1.5, 1e22, 16'777'217.0, 1.00000017881393432617187499, 3.4028235677973366e38, 1e39, 1e-45,
                             1e-46, 5e-324, 1.7976931348623157e308, infinity, -infinity, std::nan(""), -std::nan("")})
    all.push_back(f64(value));
  for (const char* value : {"0", "-0.00", "1.500", "12345678901234567890.5", "-9999.9999", "10000", "0.0001", "007", "NaN", "Infinity",
                            "-Infinity", "99999999999.99", "1e5", ""})
    all.push_back(text(CDCRT_DECIMAL, value));
  // The first and the last day, and those beside them; day 0 of the server; BC.
  for (const int64_t days :
       {int64_t{0}, int64_t{10'957}, int64_t{-735'000}, int64_t{-2'440'588}, int64_t{-2'440'589}, int64_t{2'145'042'905},
        int64_t{2'145'042'906}, int64_t{INT32_MAX}, INT64_MAX, INT64_MIN, INT64_MAX - 1, INT64_MIN + 1})
    all.push_back(moment(CDCRT_DATE, days));
  for (const int64_t value : {int64_t{0}, int64_t{-1}, int64_t{1'234'500}, int64_t{1}, kDay - 1, kDay, kDay + 1, INT64_MIN})
    all.push_back(moment(CDCRT_TIME, value));
  for (const int64_t value : {int64_t{0}, int64_t{1}, int64_t{-1}, int64_t{1'500'000}, int64_t{1'704'088'800'000'006},
                              int64_t{-64'000'000'000'000'001}, int64_t{-210'866'803'200'000'000}, int64_t{-210'866'803'200'000'001},
                              int64_t{9'214'646'400'000'000'000}, INT64_MAX, INT64_MIN, INT64_MAX - 1, INT64_MIN + 1}) {
    all.push_back(moment(CDCRT_TIMESTAMP, value));
    all.push_back(moment(CDCRT_TIMESTAMPTZ, value));
  }
  static const std::string nul("a\0b", 3), bytes("\0\x01\\\"\xFF", 5), wrong("\xFF\xFE");
  for (const std::string_view value : {std::string_view(""),
                                       std::string_view("a"),
                                       std::string_view("NULL"),
                                       std::string_view("\\\"{},"),
                                       std::string_view(" a "),
                                       std::string_view("12"),
                                       std::string_view("true"),
                                       std::string_view("2024-02-30"),
                                       std::string_view("2024-02-29"),
                                       std::string_view("\xF0\x9F\x98\x80\xC3\xA9"),
                                       std::string_view("{1,NULL}"),
                                       std::string_view("101"),
                                       std::string_view("::1"),
                                       std::string_view("\\x00ff"),
                                       std::string_view(nul),
                                       std::string_view(wrong),
                                       std::string_view("infinity"),
                                       std::string_view("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"),
                                       std::string_view("{a0eebc999c0b4ef8bb6d6bb9bd380a11}"),
                                       std::string_view("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1g"),
                                       std::string_view("12:30:00+02")})
    all.push_back(str(value));
  all.push_back(text(CDCRT_BYTES, bytes));
  all.push_back(text(CDCRT_BYTES, ""));
  for (const char* value : {"{\"b\": 1.50,  \"a\":[null,\"\\u0041\\\"\"]}", "null", "{", "\"\\u0000\"", "[1,null]"})
    all.push_back(text(CDCRT_JSON, value));
  all.push_back(text(CDCRT_UUID, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"));
  for (const char* value : {"[1,null,-3]", "[]", "[\"x,\\\"\"]"}) all.push_back(text(CDCRT_ARRAY, value));
  all.push_back(text(CDCRT_INTERVAL, "P1Y2M3DT4H5M6.5S"));
  return all;
}

/// Two sinks, each with tables of its own in one database.
struct Pair {
  Pair() : text(postgresql_options("PostgreSQL ANSI")), binary(postgresql_options("libpq")) {
    by_tool(text, "DROP SCHEMA public CASCADE; CREATE SCHEMA public;");
  }
  void make(const std::string& name, const std::string& type) {
    for (const char* of : {"text_", "binary_"}) script += "CREATE TABLE " + (of + name) + " (id bigint PRIMARY KEY, v " + type + ");\n";
  }
  void run() { CHECK(by_tool(text, std::exchange(script, {})) == ""); }
  /// Tables that differ in a value's text or in its bytes, by name.
  std::string differing(const std::vector<std::string>& names) {
    std::string query;
    for (const std::string& name : names) {
      const auto rows = [&](const char* of) { return "(SELECT id, v::text, pg_column_size(v) FROM " + (of + name) + ")"; };
      query += (query.empty() ? "" : " UNION ALL ") + std::string("SELECT '") + name + "' WHERE EXISTS (" + rows("text_") + " EXCEPT ALL " +
               rows("binary_") + ") OR EXISTS (" + rows("binary_") + " EXCEPT ALL " + rows("text_") + ")";
    }
    return by_tool(text, "SET extra_float_digits = 3;\n" + query + ";\n");
  }
  Target text, binary;
  std::string script;
};

Failure write(Target& target, const std::string& table, const std::vector<Row>& rows, uint8_t kind) {
  return target.write(CDCRT_WRITE_UPSERT, table, {column("id", CDCRT_TYPE_INT64, 1), column("v", kind)}, rows);
}

}  // namespace

// What has no binary form goes as text either way.
TEST_CASE("libpq: any value in the binary form is stored or refused as its text is") {
  Pair pair;
  const auto all = cells();
  std::vector<std::string> names;
  for (std::size_t type = 0; type < std::size(kTypes); ++type) {
    for (const char* how : {"alone_", "together_"}) {
      names.push_back(how + std::to_string(type));
      pair.make(names.back(), kTypes[type].name);
    }
  }
  pair.run();
  std::size_t tried = 0;
  for (std::size_t type = 0; type < std::size(kTypes); ++type) {
    const Type& of = kTypes[type];
    CAPTURE(std::string(of.name));
    const std::string alone = "alone_" + std::to_string(type), together = "together_" + std::to_string(type);
    std::vector<Row> taken;
    for (std::size_t i = 0; i < all.size(); ++i) {
      CAPTURE(shown(all[i]));
      postgresql::BinaryArray form;
      form.begin(of.binary);
      if (!form.add(all[i], column("v", of.kind))) continue;
      ++tried;
      const Row row = {i64(static_cast<int64_t>(i)), all[i]};
      const Failure as_text = write(pair.text, "text_" + alone, {row}, of.kind);
      const Failure as_binary = write(pair.binary, "binary_" + alone, {row}, of.kind);
      CHECK(as_text.code == as_binary.code);
      CHECK(as_text.sqlstate == as_binary.sqlstate);
      if (!as_text && !as_binary) taken.push_back(row);
    }
    // Binary for a while, and then not.
    if (of.text != nullptr) taken.insert(taken.begin() + static_cast<std::ptrdiff_t>(taken.size() / 2), {i64(1'000), str(of.text)});
    CHECK_FALSE(write(pair.text, "text_" + together, taken, of.kind));
    CHECK_FALSE(write(pair.binary, "binary_" + together, taken, of.kind));
    CHECK(pair.binary.read("binary_" + together, {column("id", CDCRT_TYPE_INT64)}).size() == taken.size());
  }
  CHECK(tried > 400);
  CHECK(pair.differing(names) == "");
}

TEST_CASE("libpq: random values in the binary form are stored as their texts are") {
  Pair pair;
  std::mt19937_64 random(20'240'229);  // NOLINT: the same in each run
  std::vector<std::string> texts(4'000);
  std::size_t used = 0;
  const auto kept = [&](cdcrt_tag tag, std::string value) {
    texts[used] = std::move(value);
    return text(tag, texts[used++]);
  };
  const auto between = [&](int64_t least, int64_t most) { return std::uniform_int_distribution<int64_t>(least, most)(random); };
  const auto any_double = [&] {
    const uint64_t bits = random();
    double value = 0;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  };
  struct Made {
    const char* type;
    uint8_t kind;
    std::function<cdcrt_cell()> value;
  };
  const std::vector<Made> made = {
      {"bigint", CDCRT_TYPE_INT64, [&] { return i64(static_cast<int64_t>(random() >> (random() % 64))); }},
      {"integer", CDCRT_TYPE_INT32, [&] { return i64(between(INT32_MIN, INT32_MAX)); }},
      {"smallint", CDCRT_TYPE_INT16, [&] { return i64(between(-32'768, 32'767)); }},
      {"double precision", CDCRT_TYPE_FLOAT64, [&] { return f64(any_double()); }},
      {"real", CDCRT_TYPE_FLOAT32,
       [&] {
         // The double nearest to the digits of a float, as float32 is kept, or the float itself.
         const auto single =
             static_cast<float>(std::ldexp(static_cast<double>(between(1 << 23, 1 << 24)), static_cast<int>(between(-120, 100))));
         char digits[64];
         const auto end = std::to_chars(digits, digits + sizeof digits, single).ptr;
         double nearest = 0;
         std::from_chars(digits, end, nearest);
         return f64(random() % 2 == 0 ? nearest : static_cast<double>(single));
       }},
      {"numeric", CDCRT_TYPE_DECIMAL,
       [&] {
         std::string digits = random() % 2 == 0 ? "-" : "";
         for (auto count = between(1, 30); count > 0; --count) digits += static_cast<char>('0' + (random() % 3 == 0 ? 0 : random() % 10));
         if (random() % 3 != 0) {
           digits += '.';
           for (auto count = between(1, 20); count > 0; --count) digits += static_cast<char>('0' + (random() % 3 == 0 ? 0 : random() % 10));
         }
         return kept(CDCRT_DECIMAL, digits);
       }},
      {"date", CDCRT_TYPE_DATE, [&] { return moment(CDCRT_DATE, between(-2'440'588, random() % 2 == 0 ? 40'000 : 2'145'042'905)); }},
      {"time", CDCRT_TYPE_TIME, [&] { return moment(CDCRT_TIME, between(0, kDay)); }},
      {"timestamp", CDCRT_TYPE_TIMESTAMP,
       [&] {
         return moment(CDCRT_TIMESTAMP, between(-210'866'803'200'000'000, random() % 2 == 0 ? 4'000'000'000'000'000 : INT64_MAX - 1));
       }},
      {"timestamptz", CDCRT_TYPE_TIMESTAMPTZ, [&] { return moment(CDCRT_TIMESTAMPTZ, between(-210'866'803'200'000'000, INT64_MAX - 1)); }},
      {"bytea", CDCRT_TYPE_BYTES,
       [&] {
         std::string bytes(static_cast<std::size_t>(between(0, 40)), '\0');
         for (char& byte : bytes) byte = static_cast<char>(random());
         return kept(CDCRT_BYTES, bytes);
       }},
      {"text", CDCRT_TYPE_STRING,
       [&] {
         constexpr const char* kPieces[] = {"a", "\"", "\\", "{", "}", ",", " ", "NULL", "\n", "\xC3\xA9", "\xF0\x9F\x98\x80", "\t", "'"};
         std::string value;
         for (auto count = between(0, 12); count > 0; --count) value += kPieces[random() % std::size(kPieces)];
         return kept(CDCRT_STRING, value);
       }},
      {"uuid", CDCRT_TYPE_UUID,
       [&] {
         std::string value = "00000000-0000-0000-0000-000000000000";
         for (char& digit : value) digit = digit == '-' ? '-' : "0123456789abcdef"[random() % 16];
         return kept(CDCRT_UUID, value);
       }},
  };
  std::vector<std::string> names;
  for (std::size_t i = 0; i < made.size(); ++i) {
    names.push_back("random_" + std::to_string(i));
    pair.make(names.back(), made[i].type);
  }
  pair.run();
  for (std::size_t i = 0; i < made.size(); ++i) {
    CAPTURE(std::string(made[i].type));
    std::vector<Row> rows;
    for (int64_t id = 0; id < 500; ++id) rows.push_back({i64(id), random() % 10 == 0 ? null() : made[i].value()});
    const Failure as_text = write(pair.text, "text_" + names[i], rows, made[i].kind);
    const Failure as_binary = write(pair.binary, "binary_" + names[i], rows, made[i].kind);
    CHECK_MESSAGE(!as_text, as_text.message);
    CHECK_MESSAGE(!as_binary, as_binary.message);
  }
  CHECK(pair.differing(names) == "");
}
