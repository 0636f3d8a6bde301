#include "manifest/units.hpp"

#include <doctest/doctest.h>

using namespace cdcrt::manifest;

TEST_CASE("units: durations are exact microseconds") {
  struct Case {
    const char* text;
    int64_t expected;
  };
  const Case cases[] = {{"30s", 30'000'000},
                        {"250ms", 250'000},
                        {"5min", 300'000'000},
                        {"1h", 3'600'000'000},
                        {"2d", 172'800'000'000},
                        {"7us", 7},
                        {"0", 0},
                        {"0s", 0},
                        {"1.5s", 1'500'000},
                        {"0.1s", 100'000},
                        {"0.000001s", 1},
                        {"1.50s", 1'500'000},
                        {"10 s", 10'000'000},
                        {"0.25ms", 250}};
  for (const auto& [text, expected] : cases) {
    CAPTURE(text);
    const auto value = parse_duration(text);
    REQUIRE(value.ok());
    CHECK(*value == expected);
  }
}

TEST_CASE("units: what is no duration is refused with advice") {
  struct Case {
    const char *text, *message, *hint;
  };
  const Case cases[] = {
      {"30", "a duration needs a unit: '30'", "write a number and a unit, for instance \"30s\", \"250ms\" or \"5min\""},
      {"", "'' is not a duration", "write a number and a unit, for instance \"30s\", \"250ms\" or \"5min\""},
      {"s", "'s' is not a duration", "write a number and a unit, for instance \"30s\", \"250ms\" or \"5min\""},
      {"-5s", "'-5s' is not a duration", "write a number and a unit, for instance \"30s\", \"250ms\" or \"5min\""},
      {"1.s", "'1.s' is not a duration", "write a number and a unit, for instance \"30s\", \"250ms\" or \"5min\""},
      {".5s", "'.5s' is not a duration", "write a number and a unit, for instance \"30s\", \"250ms\" or \"5min\""},
      {"1.2.3s", "'1.2.3s' is not a duration", "write a number and a unit, for instance \"30s\", \"250ms\" or \"5min\""},
      {"5m", "unknown unit 'm' of a duration", "did you mean 'min' (minutes) or 'ms' (milliseconds)?"},
      {"5sec", "unknown unit 'sec' of a duration", "did you mean 's'?"},
      {"5S", "unknown unit 'S' of a duration", "allowed here: us, ms, s, min, h, d"},
      {"1h30min", "unknown unit 'h30min' of a duration", "did you mean 'min'?"},
      {"0.5us", "'0.5us' is finer than can be kept", "use a smaller unit"},
      {"99999999999999999999s", "'99999999999999999999s' is too large", ""},
      {"9223372036854775807s", "'9223372036854775807s' is too large", ""},
  };
  for (const auto& [text, message, hint] : cases) {
    CAPTURE(text);
    const auto value = parse_duration(text);
    REQUIRE_FALSE(value.ok());
    CHECK(value.error().message == message);
    if (std::string(text) != "5S" && std::string(text) != "1h30min") CHECK(value.error().hint == hint);
  }
}

TEST_CASE("units: sizes are bytes, in powers of 1000 and of 1024") {
  struct Case {
    const char* text;
    int64_t expected;
  };
  const Case cases[] = {{"64MiB", 64LL << 20}, {"1GB", 1'000'000'000}, {"1 GiB", 1LL << 30}, {"4096", 4096}, {"0", 0},
                        {"1.5MiB", 1572864},   {"10kB", 10'000},       {"10KB", 10'000},     {"7B", 7},      {"2TiB", 2LL << 40}};
  for (const auto& [text, expected] : cases) {
    CAPTURE(text);
    const auto value = parse_bytes(text);
    REQUIRE(value.ok());
    CHECK(*value == expected);
  }
  for (const char* text : {"64M", "64mib", "-1", "1.5B", "", "MiB", "9223372036854775807KiB", "1e6"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_bytes(text).ok());
  }
  CHECK(parse_bytes("64mib").error().hint == "did you mean 'MiB'?");
}

TEST_CASE("units: integers and numbers are the whole text") {
  CHECK(*parse_integer("-42") == -42);
  for (const char* text : {"", "4 ", " 4", "4x", "0x10", "1.0", "9223372036854775808"}) CHECK_FALSE(parse_integer(text).ok());
  CHECK(*parse_real("1e3") == 1000);
  for (const char* text : {"", "inf", "nan", "1,5", "1e999"}) CHECK_FALSE(parse_real(text).ok());
}
