// PostgreSQL's statements and types.
#pragma once

#include <string>
#include <string_view>

#include "cdcrt/abi/value.h"
#include "sql/dialect.hpp"

namespace cdcrt::sql {

const Dialect& postgresql();

/// Expression that turns the values of column `name` (quoted) from one type into another's, the same text as the host gives
/// new values (ISO 8601 for times).
std::string postgresql_conversion(std::string_view name, cdcrt_type from, cdcrt_type to, std::string_view target_type);

}  // namespace cdcrt::sql
