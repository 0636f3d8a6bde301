// What SQLite does to values by the affinity of a column's declared type: text becomes a number, a number text.
#pragma once

#include <cstdint>
#include <string_view>

#include "cdcrt/abi/value.h"
#include "sqlite_value.hpp"

namespace cdcrt::sql {

enum class SqliteAffinity : uint8_t { kNone, kText, kNumeric, kReal };

/// By SQLite's rules, in their order; INTEGER counts as NUMERIC, which stores the same.
SqliteAffinity sqlite_affinity(std::string_view declared_type);

/// Makes `value`, which `cell` gave, one that a column of that affinity stores as the same value. False: there is none: a number of more
/// digits than the column keeps, or a text that would become another one ("007").
bool keep_exact(SqliteAffinity affinity, const cdcrt_cell& cell, SqliteValue& value);

}  // namespace cdcrt::sql
