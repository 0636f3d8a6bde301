// Calendar: days and microseconds since 1970-01-01 to dates and back, and their texts. Header-only, C++17, no locale, no
// allocation, no snprintf. The proleptic Gregorian calendar; a day has 86,400 s; year 0 is 1 BC.
//
//   civil.hpp           days <-> year, month, day; the two infinities
//   calendar_parse.hpp  parse_date, parse_time, parse_timestamp, parse_timestamptz
//   calendar_write.hpp  write_date, write_time, write_timestamp, write_timestamptz
//
// Every function is safe for every int64 and every text: nothing overflows, nothing throws.
#pragma once

#include "cdcrt/sdk/calendar_parse.hpp"
#include "cdcrt/sdk/calendar_write.hpp"
#include "cdcrt/sdk/civil.hpp"
