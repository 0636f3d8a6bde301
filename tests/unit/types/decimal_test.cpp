#include "types/decimal.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <utility>

#include "types/type.hpp"

using namespace cdcrt::types;

namespace {

std::string canonical(std::string_view text) {
  const auto decimal = parse_decimal(text);
  if (!decimal) return "no";
  std::string out;
  append_canonical(out, *decimal);
  return out;
}

std::string bytes_of(int64_t value, int size) {
  std::string out;
  for (int i = size - 1; i >= 0; --i) out += static_cast<char>(static_cast<uint64_t>(value) >> (8 * i));
  return out;
}

}  // namespace

TEST_CASE("decimal: a value has one canonical text") {
  const std::pair<const char*, const char*> rows[] = {{"5", "5"},
                                                      {"005.500", "5.5"},
                                                      {"-0.00", "0"},
                                                      {"0", "0"},
                                                      {"-5.0", "-5"},
                                                      {"0.05", "0.05"},
                                                      {"100", "100"},
                                                      {"NaN", "NaN"},
                                                      {"Infinity", "Infinity"},
                                                      {"-Infinity", "-Infinity"}};
  for (const auto& [text, wanted] : rows) CHECK(canonical(text) == wanted);
  for (const std::string text : {"", "-", ".", "5.", ".5", "+5", "1e5", "1.2.3", "-NaN", "nan", "1 ", "0x1", "--1", "- 1", "1,5"}) {
    INFO(text);
    CHECK(canonical(text) == "no");
  }
}

TEST_CASE("decimal: numbers as they are written become decimal texts with the same digits") {
  const std::pair<const char*, const char*> rows[] = {
      {"12.50", "12.50"},
      {"+5", "5"},
      {".5", "0.5"},
      {"5.", "5"},
      {"-.25", "-0.25"},
      {"1E3", "1000"},
      {"1.50e1", "15.0"},
      {"1.5e3", "1500"},
      {"-1E-3", "-0.001"},
      {"0.012e2", "1.2"},
      {"12e-1", "1.2"},
      {"0e5", "0"},
      {"0.00E-99999999999", "0.00"},
      {"NAN", "NaN"},
      {"inf", "Infinity"},
      {"-INF", "-Infinity"},
      {"+infinity", "Infinity"},
      {"POSITIVE_INFINITY", "Infinity"},
      {"NEGATIVE_INFINITY", "-Infinity"},
      {"007", "007"},
      {"123e-5", "0.00123"},
  };
  for (const auto& [text, wanted] : rows) {
    INFO(std::string(text));
    CHECK(decimal_text(text).value_or("no") == wanted);
  }
  for (const std::string text : {"", "-", ".", "e5", "1e", "1e+", "1e+-5", "1e5x", "abc", "0x10", "1 000", "1e20001", "1e-20001", "--5",
                                 "nanny", "1e99999999999999999999", "+-5", "1_0"}) {
    INFO(text);
    CHECK_FALSE(decimal_text(text));
  }
  CHECK(decimal_text("1e20000")->size() == 20'001);
}

TEST_CASE("decimal: two's complement is read digit for digit") {
  CHECK(decimal_from_twos_complement("", 0) == "0");
  CHECK(decimal_from_twos_complement("", 2) == "0.00");
  CHECK(decimal_from_twos_complement(std::string("\x04\xE2"), 2) == "12.50");
  CHECK(decimal_from_twos_complement("\xff", 2) == "-0.01");
  CHECK(decimal_from_twos_complement("\x80", 0) == "-128");
  CHECK(decimal_from_twos_complement("\x05", -3) == "5000");
  CHECK(decimal_from_twos_complement(std::string(1, '\0'), -3) == "0");
  CHECK(decimal_from_twos_complement(std::string("\x00\xff\xff\xff\xff\xff\xff\xff\xff", 9), 0) == "18446744073709551615");
  CHECK(decimal_from_twos_complement("\x80" + std::string(15, '\0'), 0) == "-170141183460469231731687303715884105728");
  CHECK(decimal_from_twos_complement("\xff" + std::string(15, '\0'), 0) == "-1329227995784915872903807060280344576");
  CHECK(decimal_from_twos_complement(std::string(4'096, '\x7f'), 0));
  CHECK_FALSE(decimal_from_twos_complement(std::string(4'097, '\x7f'), 0));
  std::mt19937_64 random(3);
  for (int i = 0; i < 10'000; ++i) {
    const int64_t value = static_cast<int64_t>(random()) >> (random() % 64);
    REQUIRE(decimal_from_twos_complement(bytes_of(value, 8), 0) == std::to_string(value));
  }
}

TEST_CASE("decimal: doubles come back from their texts, bit for bit") {
  std::mt19937_64 random(17);
  for (int i = 0; i < 20'000; ++i) {
    const uint64_t bits = random();
    double value = 0;
    static_assert(sizeof value == sizeof bits);
    std::memcpy(&value, &bits, sizeof value);
    if (!std::isfinite(value)) continue;
    REQUIRE(double_from_decimal(decimal_from_double(value, false), false) == value);
    const auto single = static_cast<float>(static_cast<int32_t>(bits)) * std::ldexp(1.0F, static_cast<int>(bits >> 58) - 32);
    REQUIRE(double_from_decimal(decimal_from_double(static_cast<double>(single), true), true) == static_cast<double>(single));
  }
  CHECK_FALSE(double_from_decimal("0.00000000000000000000000000000000000000000000000000001", true));
  CHECK_FALSE(double_from_decimal("1" + std::string(400, '0'), false));
  CHECK_FALSE(double_from_decimal("0." + std::string(2'000, '3'), false));
  CHECK_FALSE(double_from_decimal("x", false));
}

TEST_CASE("decimal: digits that a program wrote of a double are that double, also where fewer would do") {
  CHECK(double_from_decimal("99999999999999990000000", false) == 1e23);
  CHECK(double_from_decimal("199999999999999980000000", false) == 2e23);
  CHECK(double_from_decimal("2201294899999999740", false) == 2201294899999999744.0);
  CHECK(double_from_decimal("2201294899999999744", false) == 2201294899999999744.0);
  CHECK(double_from_decimal("-340282346638528900000000000000000000000", true) == -0x1.fffffep127);
  CHECK(double_from_decimal("0.00000000000005684341886080802", false) == 0x1p-44);
  CHECK(double_from_decimal("0.000000000000056843418860808015", false) == 0x1p-44);
  CHECK(double_from_decimal("0.10000000000000001", false) == 0.1);
  CHECK(double_from_decimal("0.100000001", true) == static_cast<double>(0.1F));
  for (const char* text : {"0.100000000000000012", "9007199254740993", "12345678901234567", "2201294899999999745",
                           "99999999999999991000000", "0.1000000000000000055"}) {
    INFO(text);
    CHECK_FALSE(double_from_decimal(text, false));
  }
  for (const char* text : {"16777217", "0.1000000012"}) {
    INFO(text);
    CHECK_FALSE(double_from_decimal(text, true));
  }
}

TEST_CASE("decimal: integers come out whole and in range") {
  const auto signed_of = [](const char* text) { return to_int64(*parse_decimal(text)); };
  CHECK(signed_of("9223372036854775807") == INT64_MAX);
  CHECK(signed_of("-9223372036854775808.00") == INT64_MIN);
  CHECK_FALSE(signed_of("9223372036854775808"));
  CHECK_FALSE(signed_of("-9223372036854775809"));
  CHECK_FALSE(signed_of("1.5"));
  CHECK_FALSE(signed_of("99999999999999999999999999"));
  CHECK(signed_of("0.0") == 0);
  CHECK_FALSE(to_uint64(*parse_decimal("-1")));
  CHECK(to_uint64(*parse_decimal("-0")) == 0U);
  CHECK_FALSE(to_uint64(*parse_decimal("Infinity")));
}
