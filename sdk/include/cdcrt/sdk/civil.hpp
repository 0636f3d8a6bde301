// Civil: days since 1970-01-01 to year, month, day and back, for every int64. Header-only, C++17.
#pragma once

#include <cstdint>

namespace cdcrt::sdk {

/// DATE and TIMESTAMP values that stand for infinity and -infinity.
constexpr int64_t kInfinity = INT64_MAX;
constexpr int64_t kMinusInfinity = INT64_MIN;

constexpr int64_t kMicrosecondsPerSecond = 1'000'000;
constexpr int64_t kSecondsPerDay = 86'400;
constexpr int64_t kMicrosecondsPerDay = kSecondsPerDay * kMicrosecondsPerSecond;

/// A day of the proleptic Gregorian calendar. Year 0 is 1 BC, year -43 is 44 BC.
struct Civil {
  int64_t year;
  unsigned month;  ///< 1..12
  unsigned day;    ///< 1..31
};

constexpr bool is_leap_year(int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

/// `month` 1..12; else 0.
constexpr unsigned days_in_month(int64_t year, unsigned month) {
  if (month < 1 || month > 12) return 0;
  if (month == 2) return is_leap_year(year) ? 29 : 28;
  return 30 + ((month + month / 8) & 1);
}

namespace detail {

constexpr int64_t kDaysPerEra = 146'097;  // 400 years
// 1970-01-01 is 719,468 days after 0000-03-01, where eras begin: four eras and the rest.
constexpr int64_t kEpochEras = 4;
constexpr int64_t kEpochDays = 719'468 - kEpochEras * kDaysPerEra;

/// Quotient rounded towards minus infinity; `divisor` > 0.
constexpr int64_t floor_divide(int64_t value, int64_t divisor) { return value / divisor - (value % divisor < 0 ? 1 : 0); }

}  // namespace detail

/// Days since 1970-01-01. `month` 1..12; `day` 1..31. Beyond int64 (years past 25 * 10^15) the answer is the nearest int64.
constexpr int64_t days_from_civil(int64_t year, unsigned month, unsigned day) {
  // March is the first month, so that the leap day is the last of its year.
  int64_t era = detail::floor_divide(year, 400);
  int64_t year_of_era = year - era * 400;
  if (month <= 2) {
    if (year_of_era == 0) {
      --era;
      year_of_era = 399;
    } else {
      --year_of_era;
    }
  }
  const int64_t day_of_year = (153 * static_cast<int64_t>(month > 2 ? month - 3 : month + 9) + 2) / 5 + static_cast<int64_t>(day) - 1;
  int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - detail::kEpochDays;
  era -= detail::kEpochEras;
  if (day_of_era < 0) {
    --era;
    day_of_era += detail::kDaysPerEra;
  }
  constexpr int64_t last_era = INT64_MAX / detail::kDaysPerEra;
  constexpr int64_t first_era = INT64_MIN / detail::kDaysPerEra - 1;
  if (era >= last_era && (era > last_era || day_of_era > INT64_MAX - last_era * detail::kDaysPerEra)) return INT64_MAX;
  if (era <= first_era) {
    const int64_t short_of_next = day_of_era - detail::kDaysPerEra;
    constexpr int64_t next_era_days = (first_era + 1) * detail::kDaysPerEra;
    return era < first_era || short_of_next < INT64_MIN - next_era_days ? INT64_MIN : next_era_days + short_of_next;
  }
  return era * detail::kDaysPerEra + day_of_era;
}

/// The day that is `days` days after 1970-01-01. Every int64, the infinities included, is a day here.
constexpr Civil civil_from_days(int64_t days) {
  int64_t era = detail::floor_divide(days, detail::kDaysPerEra);
  // era * kDaysPerEra could fall below int64 for the very first days.
  int64_t day_of_era = days % detail::kDaysPerEra;
  if (day_of_era < 0) day_of_era += detail::kDaysPerEra;
  day_of_era += detail::kEpochDays;
  era += detail::kEpochEras;
  if (day_of_era >= detail::kDaysPerEra) {
    day_of_era -= detail::kDaysPerEra;
    ++era;
  }
  const auto doe = static_cast<uint32_t>(day_of_era);
  const uint32_t year_of_era = (doe - doe / 1460 + doe / 36'524 - doe / 146'096) / 365;
  const uint32_t day_of_year = doe - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const uint32_t shifted_month = (5 * day_of_year + 2) / 153;
  const uint32_t day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
  const uint32_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  return Civil{era * 400 + static_cast<int64_t>(year_of_era) + (month <= 2 ? 1 : 0), month, day};
}

}  // namespace cdcrt::sdk
