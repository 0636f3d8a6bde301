// Converting values that a table already holds when a column changes its type. SQLite; PostgreSQL converts itself.
#pragma once

#include "cdcrt/abi/value.h"
#include "cdcrt/sdk/status.hpp"
#include "sqlite_value.hpp"

namespace cdcrt::sql {

/// The stored value of a column of type `from` as one of `column` (the new type), exact: integers to text or decimals digit for
/// digit, decimals padded to a larger scale, a float32's short decimal to the double nearest to the float, booleans to true and
/// false or to 1 and 0, a date to its midnight, a time to a duration, a timestamp to UTC. BAD_RECORD, naming the column, where nothing
/// exact exists.
sdk::Status convert_stored(const SqliteValue& stored, cdcrt_type from, const cdcrt_column& column, SqliteValue& out);

}  // namespace cdcrt::sql
