#include "redshift_csv.hpp"
#include "redshift_value.hpp"
#include "sql/cell.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>

#include "cdcrt/sdk/civil.hpp"

using namespace cdcrt;
using sql::integer_cell, sql::natural_cell, sql::real_cell, sql::text_cell;
using sql::redshift::Storage;

namespace {

struct Field {
  std::string text;
};
Field field(const cdcrt_cell& cell, Storage storage = Storage::kOther) {
  sql::RedshiftCsv csv("N0");
  Field made;
  csv.append(made.text, cell, storage);
  return made;
}

}  // namespace

TEST_CASE("csv for COPY: numbers are exact and bare") {
  CHECK(field(integer_cell(CDCRT_I64, INT64_MIN)).text == "-9223372036854775808");
  CHECK(field(natural_cell(UINT64_MAX)).text == "18446744073709551615");
  CHECK(field(text_cell(CDCRT_DECIMAL, "-12345678901234567890123456789012345678.50")).text == "-12345678901234567890123456789012345678.50");
  CHECK(std::stod(field(real_cell(0.1)).text) == 0.1);
  CHECK(field(real_cell(0.1)).text == "0.1");
  CHECK(field(real_cell(std::numeric_limits<double>::denorm_min())).text == "5e-324");
  CHECK(field(integer_cell(CDCRT_BOOL, 1)).text == "t");
  CHECK(field(integer_cell(CDCRT_BOOL, 0)).text == "f");
  CHECK(field(integer_cell(CDCRT_BOOL, 1), Storage::kInteger).text == "1");
}

TEST_CASE("csv for COPY: NULL is the bare word, and no text is ever mistaken for it") {
  CHECK(field(integer_cell(CDCRT_NULL, 0)).text == "N0");
  CHECK(field(integer_cell(CDCRT_ABSENT, 0)).text == "N0");
  CHECK(field(text_cell(CDCRT_STRING, "N0")).text == "\"N0\"");
  CHECK(field(text_cell(CDCRT_STRING, "")).text == "\"\"");
  const std::string word = sql::make_null_text();
  CHECK(word != sql::make_null_text());
  CHECK(word.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") == std::string::npos);
  CHECK(word.size() >= 12);
}

TEST_CASE("csv for COPY: texts are quoted, inner quotes doubled, NUL bytes gone and counted, wherever they stand") {
  sql::RedshiftCsv csv("N0");
  // Every place of one and of two special bytes in texts longer than a machine word.
  uint64_t removed = 0;
  for (std::size_t size = 1; size <= 20; ++size) {
    for (std::size_t first = 0; first < size; ++first) {
      for (std::size_t second = first; second < size; ++second) {
        std::string text(size, 'x');
        text[first] = '"';
        text[second] = '\0';
        std::string expected = "\"";
        for (const char letter : text)
          if (letter != '\0') expected += letter == '"' ? std::string("\"\"") : std::string(1, letter);
        expected += '"';
        std::string out;
        csv.append(out, text_cell(CDCRT_STRING, text), Storage::kText);
        CHECK(out == expected);
        CHECK(csv.removed_nul_bytes() == ++removed);
      }
    }
  }
  CHECK(field(text_cell(CDCRT_STRING, "a,b\nc\r\\d")).text == "\"a,b\nc\r\\d\"");
  CHECK(field(text_cell(CDCRT_STRING, std::string(9, '\xff'))).text == "\"" + std::string(9, '\xff') + "\"");
}

TEST_CASE("csv for COPY: dates and times are ISO with microseconds, UTC as +00, bytes are hex in quotes") {
  const int64_t day = sdk::days_from_civil(2024, 2, 29), moment = day * sdk::kMicrosecondsPerDay + 3'723'000'004;
  CHECK(field(integer_cell(CDCRT_DATE, day)).text == "2024-02-29");
  CHECK(field(integer_cell(CDCRT_TIME, 3'723'000'000)).text == "01:02:03");
  CHECK(field(integer_cell(CDCRT_TIMESTAMP, moment)).text == "2024-02-29 01:02:03.000004");
  CHECK(field(integer_cell(CDCRT_TIMESTAMPTZ, moment)).text == "2024-02-29 01:02:03.000004+00");
  CHECK(field(integer_cell(CDCRT_TIMESTAMPTZ, -1)).text == "1969-12-31 23:59:59.999999+00");
  CHECK(field(text_cell(CDCRT_BYTES, std::string_view("\x00\xff\x22", 3))).text == "\"00ff22\"");
  CHECK(field(text_cell(CDCRT_BYTES, "")).text == "\"\"");  // an empty field without quotes would be NULL
}

TEST_CASE("csv for COPY: a SUPER column gets JSON whatever the cell") {
  const auto super = [](const cdcrt_cell& cell) { return field(cell, Storage::kSuper).text; };
  CHECK(super(text_cell(CDCRT_JSON, R"({"a":1.10,"b":"x"})")) == R"("{""a"":1.10,""b"":""x""}")");
  CHECK(super(text_cell(CDCRT_ARRAY, "[1,null]")) == "\"[1,null]\"");
  CHECK(super(text_cell(CDCRT_JSON, "")) == R"("""""")");
  CHECK(super(text_cell(CDCRT_STRING, "a\"b\\\n")) == R"("""a\""b\\\n""")");
  CHECK(super(integer_cell(CDCRT_BOOL, 1)) == R"("true")");
  CHECK(super(integer_cell(CDCRT_I64, 7)) == R"("7")");
  CHECK(super(text_cell(CDCRT_DECIMAL, "1.50")) == R"("1.50")");
  CHECK(super(text_cell(CDCRT_DECIMAL, "NaN")) == R"("""NaN""")");
  CHECK(super(real_cell(std::nan(""))) == R"("""NaN""")");
  CHECK(super(integer_cell(CDCRT_DATE, 0)) == R"("""1970-01-01""")");
  CHECK(super(integer_cell(CDCRT_NULL, 0)) == "N0");
}

TEST_CASE("csv for COPY: values that no Redshift column of their kind holds are told apart") {
  CHECK(sql::redshift::why_unstorable(text_cell(CDCRT_DECIMAL, "NaN"), Storage::kDecimal) != "");
  CHECK(sql::redshift::why_unstorable(text_cell(CDCRT_DECIMAL, "-Infinity"), Storage::kDecimal) != "");
  CHECK(sql::redshift::why_unstorable(text_cell(CDCRT_DECIMAL, "-1.5"), Storage::kDecimal) == "");
  CHECK(sql::redshift::why_unstorable(integer_cell(CDCRT_DATE, sdk::kInfinity), Storage::kTimestamp) != "");
  CHECK(sql::redshift::why_unstorable(integer_cell(CDCRT_TIMESTAMPTZ, sdk::kMinusInfinity), Storage::kTimestamp) != "");
  CHECK(sql::redshift::why_unstorable(integer_cell(CDCRT_DATE, sdk::days_from_civil(294276, 12, 31) + 1), Storage::kTimestamp) != "");
  CHECK(sql::redshift::why_unstorable(integer_cell(CDCRT_DATE, sdk::days_from_civil(294276, 12, 31)), Storage::kTimestamp) == "");
  CHECK(sql::redshift::why_unstorable(integer_cell(CDCRT_TIMESTAMP, sdk::days_from_civil(-4712, 1, 1) * sdk::kMicrosecondsPerDay),
                                      Storage::kTimestamp) == "");
  CHECK(sql::redshift::why_unstorable(integer_cell(CDCRT_TIMESTAMP, sdk::days_from_civil(-4712, 1, 1) * sdk::kMicrosecondsPerDay - 1),
                                      Storage::kTimestamp) != "");
  CHECK(sql::redshift::why_unstorable(integer_cell(CDCRT_TIME, -1), Storage::kTime) != "");
  CHECK(sql::redshift::why_unstorable(integer_cell(CDCRT_TIME, sdk::kMicrosecondsPerDay - 1), Storage::kTime) == "");
  CHECK(sql::redshift::why_unstorable(text_cell(CDCRT_STRING, "NaN"), Storage::kTimestamp) == "");
}
