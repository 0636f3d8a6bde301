#include "cdcrt/sdk/calendar.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <string_view>

using namespace cdcrt::sdk;

namespace {

std::string date_text(int64_t days, TextStyle style) {
  char out[48];
  return std::string(out, write_date(out, days, style));
}
std::string time_text(int64_t microseconds) {
  char out[48];
  return std::string(out, write_time(out, microseconds));
}
std::string timestamp_text(int64_t microseconds, TextStyle style) {
  char out[48];
  return std::string(out, write_timestamp(out, microseconds, style));
}
std::string timestamptz_text(int64_t microseconds, TextStyle style) {
  char out[48];
  return std::string(out, write_timestamptz(out, microseconds, style));
}

constexpr int64_t kHour = 3'600 * kMicrosecondsPerSecond;
constexpr TextStyle kStyles[] = {TextStyle::kIso8601, TextStyle::kPostgres};

/// Every magnitude is as likely as every other.
int64_t any_magnitude(std::mt19937_64& random) { return static_cast<int64_t>(random()) >> (random() % 64); }

static_assert(days_from_civil(1970, 1, 1) == 0);
static_assert(days_from_civil(2000, 3, 1) == 11'017);
static_assert(civil_from_days(-1).year == 1969);
static_assert(parse_date("2024-02-29") == days_from_civil(2024, 2, 29));

}  // namespace

TEST_CASE("calendar: every day of 12,000 years is the day after the one before") {
  int64_t days = days_from_civil(-2'000, 1, 1);
  for (int64_t year = -2'000; year < 10'000; ++year) {
    for (unsigned month = 1; month <= 12; ++month) {
      for (unsigned day = 1; day <= days_in_month(year, month); ++day, ++days) {
        const Civil civil = civil_from_days(days);
        if (days_from_civil(year, month, day) == days && civil.year == year && civil.month == month && civil.day == day) continue;
        FAIL(year << '-' << month << '-' << day << " is day " << days);
      }
    }
  }
  CHECK(days == days_from_civil(10'000, 1, 1));
}

TEST_CASE("calendar: the length of a month is that of the Gregorian calendar") {
  CHECK(days_in_month(2023, 2) == 28);
  CHECK(days_in_month(2024, 2) == 29);
  CHECK(days_in_month(1900, 2) == 28);
  CHECK(days_in_month(2000, 2) == 29);
  CHECK(days_in_month(0, 2) == 29);
  CHECK(days_in_month(-4, 2) == 29);
  CHECK(days_in_month(-100, 2) == 28);
  const unsigned lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  for (unsigned month = 1; month <= 12; ++month) CHECK(days_in_month(2023, month) == lengths[month - 1]);
  CHECK(days_in_month(2023, 0) == 0);
  CHECK(days_in_month(2023, 13) == 0);
}

TEST_CASE("calendar: every int64 is a day and comes back") {
  std::mt19937_64 random(20240229);
  for (int i = 0; i < 200'000; ++i) {
    const int64_t days = any_magnitude(random);
    const Civil civil = civil_from_days(days);
    REQUIRE(days_from_civil(civil.year, civil.month, civil.day) == days);
    REQUIRE(civil.day <= days_in_month(civil.year, civil.month));
  }
  for (const int64_t days : {INT64_MIN, INT64_MIN + 1, INT64_MAX - 1, INT64_MAX}) {
    const Civil civil = civil_from_days(days);
    CHECK(days_from_civil(civil.year, civil.month, civil.day) == days);
  }
}

TEST_CASE("calendar: years beyond int64 days answer the nearest int64") {
  CHECK(days_from_civil(INT64_MAX, 12, 31) == INT64_MAX);
  CHECK(days_from_civil(INT64_MIN, 1, 1) == INT64_MIN);
  const Civil last = civil_from_days(INT64_MAX);
  CHECK(days_from_civil(last.year + 1, last.month, last.day) == INT64_MAX);
  const Civil first = civil_from_days(INT64_MIN);
  CHECK(days_from_civil(first.year - 1, first.month, first.day) == INT64_MIN);
}

TEST_CASE("calendar: dates are written in both styles") {
  struct Row {
    int64_t year;
    unsigned month, day;
    const char *iso, *postgres;
  };
  const Row rows[] = {
      {2024, 1, 1, "2024-01-01", "2024-01-01"},
      {1, 1, 1, "0001-01-01", "0001-01-01"},
      {0, 12, 31, "0000-12-31", "0001-12-31 BC"},
      {-43, 3, 15, "-0043-03-15", "0044-03-15 BC"},
      {9999, 12, 31, "9999-12-31", "9999-12-31"},
      {10'000, 1, 1, "+10000-01-01", "10000-01-01"},
      {-4'712, 1, 1, "-4712-01-01", "4713-01-01 BC"},
      {-12'345, 6, 7, "-12345-06-07", "12346-06-07 BC"},
      {5'874'897, 12, 31, "+5874897-12-31", "5874897-12-31"},
  };
  for (const auto& row : rows) {
    const int64_t days = days_from_civil(row.year, row.month, row.day);
    CHECK(date_text(days, TextStyle::kIso8601) == row.iso);
    CHECK(date_text(days, TextStyle::kPostgres) == row.postgres);
    CHECK(parse_date(row.iso) == days);
    CHECK(parse_date(row.postgres) == days);
  }
}

TEST_CASE("calendar: the infinities are words") {
  for (const auto style : kStyles) {
    CHECK(date_text(kInfinity, style) == "infinity");
    CHECK(date_text(kMinusInfinity, style) == "-infinity");
    CHECK(timestamp_text(kInfinity, style) == "infinity");
    CHECK(timestamptz_text(kMinusInfinity, style) == "-infinity");
  }
  CHECK(parse_date("infinity") == kInfinity);
  CHECK(parse_timestamp("-infinity") == kMinusInfinity);
  CHECK(parse_timestamptz("infinity") == kInfinity);
  CHECK_FALSE(parse_time("infinity"));
}

TEST_CASE("calendar: timestamps are written with a fraction only when there is one") {
  const int64_t six = days_from_civil(2024, 1, 1) * kMicrosecondsPerDay + 6 * kHour;
  CHECK(timestamp_text(six, TextStyle::kIso8601) == "2024-01-01T06:00:00");
  CHECK(timestamp_text(six + 6, TextStyle::kIso8601) == "2024-01-01T06:00:00.000006");
  CHECK(timestamp_text(six + 6, TextStyle::kPostgres) == "2024-01-01 06:00:00.000006");
  CHECK(timestamptz_text(six + 120'000, TextStyle::kIso8601) == "2024-01-01T06:00:00.120000+00:00");
  CHECK(timestamptz_text(six, TextStyle::kPostgres) == "2024-01-01 06:00:00+00:00");
  const int64_t ides = days_from_civil(-43, 3, 15) * kMicrosecondsPerDay + 12 * kHour;
  CHECK(timestamp_text(ides, TextStyle::kPostgres) == "0044-03-15 12:00:00 BC");
  CHECK(timestamptz_text(ides, TextStyle::kPostgres) == "0044-03-15 12:00:00+00:00 BC");
  CHECK(timestamp_text(ides, TextStyle::kIso8601) == "-0043-03-15T12:00:00");
  CHECK(timestamp_text(-1, TextStyle::kIso8601) == "1969-12-31T23:59:59.999999");
}

TEST_CASE("calendar: every text that is written is read back, in 48 bytes") {
  std::mt19937_64 random(7);
  for (int i = 0; i < 100'000; ++i) {
    const int64_t value = any_magnitude(random);
    REQUIRE(parse_time(time_text(value)) == value);
    for (const auto style : kStyles) {
      REQUIRE(parse_timestamp(timestamp_text(value, style)) == value);
      REQUIRE(parse_timestamptz(timestamptz_text(value, style)) == value);
      REQUIRE(parse_date(date_text(value, style)) == value);
    }
  }
  for (const int64_t value : {INT64_MIN, INT64_MIN + 1, INT64_MAX - 1, INT64_MAX}) {
    CHECK(parse_time(time_text(value)) == value);
    for (const auto style : kStyles) {
      CHECK(timestamptz_text(value, style).size() <= 48);
      CHECK(parse_date(date_text(value, style)) == value);
      CHECK(parse_timestamp(timestamp_text(value, style)) == value);
      CHECK(parse_timestamptz(timestamptz_text(value, style)) == value);
    }
  }
}

TEST_CASE("calendar: times may be negative and go beyond a day") {
  CHECK(time_text(0) == "00:00:00");
  CHECK(time_text(86'399'999'999) == "23:59:59.999999");
  CHECK(time_text(-(838 * kHour + 59 * 60'000'000LL + 59'000'000)) == "-838:59:59");
  CHECK(parse_time("-838:59:59.000000") == -(838 * kHour + 59 * 60'000'000LL + 59'000'000));
  CHECK(parse_time("24:00:00") == 24 * kHour);
  CHECK(parse_time("10:15") == 10 * kHour + 15 * 60'000'000LL);
  CHECK(parse_time("-00:00:00.5") == -500'000);
  CHECK(parse_time("2562047788:00:54.775807") == INT64_MAX);
  CHECK_FALSE(parse_time("2562047788:00:54.775808"));
  CHECK(parse_time("-2562047788:00:54.775808") == INT64_MIN);
  CHECK_FALSE(parse_time("-2562047788:00:54.775809"));
  CHECK_FALSE(parse_time("9999999999999999999:00:00"));
}

TEST_CASE("calendar: fractions have one to nine digits and are exact in microseconds") {
  CHECK(parse_time("00:00:01.5") == 1'500'000);
  CHECK(parse_time("00:00:01.123456") == 1'123'456);
  CHECK(parse_time("00:00:01.1234560") == 1'123'456);
  CHECK(parse_time("00:00:01.123456000") == 1'123'456);
  CHECK_FALSE(parse_time("00:00:01.1234567"));
  CHECK_FALSE(parse_time("00:00:01.000000001"));
  CHECK_FALSE(parse_time("00:00:01.0000000000"));
  CHECK_FALSE(parse_time("00:00:01."));
  CHECK_FALSE(parse_time("00:00:01,5"));
}

TEST_CASE("calendar: a zone is needed where there is one and refused where there is none") {
  const int64_t noon = days_from_civil(2024, 2, 29) * kMicrosecondsPerDay + 12 * kHour;
  CHECK(parse_timestamptz("2024-02-29T12:00:00Z") == noon);
  CHECK(parse_timestamptz("2024-02-29 12:00:00+00") == noon);
  CHECK(parse_timestamptz("2024-02-29T14:00:00+02") == noon);
  CHECK(parse_timestamptz("2024-02-29T06:30:00-05:30") == noon);
  CHECK(parse_timestamptz("2024-02-29T17:30:00+0530") == noon);
  CHECK(parse_timestamptz("2024-02-29T12:19:32+00:19:32") == noon);
  CHECK(parse_timestamptz("2024-03-01T01:00:00.25+13:00") == noon + 250'000);
  CHECK(parse_timestamptz("2024-02-28T23:59:59-12:00:01") == noon);
  CHECK(parse_timestamptz("0044-03-15 12:00:00+00 BC") == days_from_civil(-43, 3, 15) * kMicrosecondsPerDay + 12 * kHour);
  CHECK(parse_timestamp("2024-02-29T12:00") == noon);
  CHECK_FALSE(parse_timestamptz("2024-02-29T12:00:00"));
  CHECK_FALSE(parse_timestamp("2024-02-29T12:00:00Z"));
  CHECK_FALSE(parse_timestamptz("2024-02-29T12:00:00+24"));
  CHECK_FALSE(parse_timestamptz("2024-02-29T12:00:00+2"));
  CHECK_FALSE(parse_timestamptz("2024-02-29T12:00:00+02:60"));
  CHECK_FALSE(parse_timestamptz("2024-02-29T12:00:00+02:"));
  CHECK_FALSE(parse_timestamptz("2024-02-29T12:00:00Europe/Paris"));
}

TEST_CASE("calendar: what is no date is refused") {
  for (const std::string text : {"",
                                 "2023-02-29",
                                 "1900-02-29",
                                 "2024-00-01",
                                 "2024-13-01",
                                 "2024-01-00",
                                 "2024-01-32",
                                 "2024-04-31",
                                 "24-01-01",
                                 "2024-1-1",
                                 "2024/01/01",
                                 "2024-01-01 ",
                                 " 2024-01-01",
                                 "2024-01-01x",
                                 "-0000-01-01",
                                 "0000-01-01 BC",
                                 "-0043-03-15 BC",
                                 "+2024-01-01 BC",
                                 "2024-01-01BC",
                                 "2024-01-01 AD",
                                 "Infinity",
                                 "today",
                                 "99999999999999999999-01-01",
                                 "0000-00-00",
                                 " BC",
                                 "BC",
                                 "+-2024-01-01"}) {
    INFO(text);
    CHECK_FALSE(parse_date(text));
  }
  CHECK_FALSE(parse_date(std::string_view("2024-01-01\0", 11)));
  CHECK(parse_date("0000-01-01") == days_from_civil(0, 1, 1));
}

TEST_CASE("calendar: what is no timestamp is refused") {
  for (const std::string text :
       {"", "2024-01-01", "2024-01-01T", "2024-01-01T1:00:00", "2024-01-01T24:00:00", "2024-01-01T23:60:00", "2024-01-01T23:59:60",
        "2024-01-01_10:00:00", "2024-01-01T10", "2024-01-01T10:00:00 ", "2024-01-01T-1:00:00", "294247-01-10T04:00:54.775807",
        "294247-01-10T04:00:54.775808", "+294248-01-01T00:00:00", "-290308-12-21T19:59:05.224192", "-290308-12-21T19:59:05.224191",
        "+999999999999-01-01T00:00:00"}) {
    INFO(text);
    CHECK_FALSE(parse_timestamp(text));
  }
  CHECK(parse_timestamp("294247-01-10T04:00:54.775806") == INT64_MAX - 1);
  CHECK(parse_timestamp("-290308-12-21T19:59:05.224193") == INT64_MIN + 1);
  // A zone may bring a moment back into the range.
  CHECK(parse_timestamptz("294247-01-10T05:00:54.775806+01:00") == INT64_MAX - 1);
  CHECK_FALSE(parse_timestamptz("294247-01-10T04:00:54.775806-01:00"));
  CHECK(parse_timestamptz("-290308-12-21T18:59:05.224193-01:00") == INT64_MIN + 1);
}

TEST_CASE("calendar: any bytes are read or refused, never more") {
  std::mt19937_64 random(99);
  constexpr std::string_view alphabet = "0123456789-+:.TZ BCinfity";
  std::size_t read = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string text = "2024-02-29T12:34:56.789+01:00";
    for (int changes = static_cast<int>(random() % 4); changes >= 0; --changes) {
      const std::size_t at = random() % text.size();
      if (random() % 2 == 0) {
        text[at] = alphabet[random() % alphabet.size()];
      } else {
        text.resize(at + 1);
      }
    }
    parse_date(text);
    parse_time(text);
    parse_timestamp(text);
    if (const auto moment = parse_timestamptz(text)) {
      ++read;
      REQUIRE(parse_timestamptz(timestamptz_text(*moment, TextStyle::kIso8601)) == *moment);
    }
  }
  CHECK(read > 0);
}
