// What a column of PostgreSQL does to values without a word: rounding, cutting, dropping a part. Caught before they are sent.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cdcrt/abi/value.h"

namespace cdcrt::sql {

/// How a column may change what it is given.
struct ColumnLimit {
  enum class Kind : uint8_t {
    kNone,        ///< stores exactly or refuses
    kScale,       ///< numeric(p,s), money: rounds to `digits` after the point
    kFloat,       ///< real, double precision: `digits` significant ones (6, 15) always survive
    kUnsigned,    ///< oid and its kin: a negative number becomes another one
    kDigits,      ///< xid, cid: takes the digits that a text begins with, and no more than 32 bits of them
    kBits,        ///< bit, bit varying: reads x1f and b101 as other notations
    kCharacters,  ///< varchar(n): drops blanks past n; name, "char": cuts to n bytes
    kBlanks,      ///< char(n): blanks at the end do not count
    kFraction,    ///< time, timestamp: rounds to `digits` after the second
    kDate,        ///< date: drops a time of day
    kInterval     ///< interval: rounds seconds to `digits`; drops what is below `unit`
  };
  Kind kind = Kind::kNone;
  int32_t digits = 0;      ///< or characters
  char unit = 0;           ///< kInterval: Y, M (months), D, H, m (minutes); 0: nothing is dropped
  bool bytes = false;      ///< kCharacters: counted in bytes, and everything past them is cut
  bool time_only = false;  ///< kFraction: time of day, which drops a date
};

/// `type` as format_type() writes it, of the domain's base type: "timestamp(0) without time zone". `money_digits`: of lc_monetary.
ColumnLimit limit_of(std::string_view type, int32_t money_digits);

/// Whether the column keeps the value as it is, or refuses it aloud.
bool keeps(const ColumnLimit& limit, const cdcrt_cell& cell);

/// The value cut to what the column keeps, never past a character; false: there is no such thing (numbers are not cut).
bool cut_to(const ColumnLimit& limit, cdcrt_cell& cell);

/// The value without the digits of its seconds that the column does not keep; false: something else is in the way. New text goes into
/// `buffer`.
bool cut_fraction_to(const ColumnLimit& limit, cdcrt_cell& cell, std::string& buffer);

}  // namespace cdcrt::sql
