// What a cell is as a value of a Redshift column: said once, for files that COPY reads, constants of statements, and comparisons.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cdcrt/abi/value.h"
#include "redshift_types.hpp"

namespace cdcrt::sql::redshift {

struct StoredValue {
  enum class Form : uint8_t {
    kNull,     ///< of ABSENT too
    kBoolean,  ///< text: t or f
    kNumeral,  ///< digits that need no quotes
    kWord,     ///< a float, date or time: letters, digits and signs, without quotes or backslashes among them
    kText,     ///< characters, NUL still among them: VARCHAR holds none
    kBytes,    ///< the bytes themselves
    kJson      ///< JSON text
  };
  Form form = Form::kNull;
  std::string_view text;
};

/// Every way into a column begins here. Borrows from the cell or from `buffer`. `kOther`: what the cell is by itself.
StoredValue stored_value(const cdcrt_cell& cell, Storage storage, std::string& buffer);

/// Why no column of the storage can hold the value (infinite date or timestamp, TIME outside of a day, NaN or infinite DECIMAL, year
/// outside of the range, a string in a SUPER that is too long); empty when one can.
std::string_view why_unstorable(const cdcrt_cell& cell, Storage storage);

}  // namespace cdcrt::sql::redshift
