// Values as SQLite stores them, to and from cells, exact.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cdcrt/abi/value.h"
#include "cdcrt/sdk/status.hpp"

namespace cdcrt::sql {

enum class SqliteClass : uint8_t { kNull, kInteger, kReal, kText, kBlob };

/// One value. `bytes` borrows from the cell or from `buffer`; reuse the object to keep the buffer's memory.
struct SqliteValue {
  SqliteClass storage = SqliteClass::kNull;
  int64_t integer = 0;
  double real = 0;
  std::string_view bytes;
  std::string buffer;
};

/// The value that a column of the given type keeps without SQLite's affinity changing it. BAD_RECORD, naming the column, where
/// no such value exists (text that is no number into an integer column, 2^64-1 into one, ...).
sdk::Status to_sqlite(const cdcrt_cell& cell, const cdcrt_column& column, SqliteValue& out);

/// The other way. Text and bytes borrow from `value`. What does not fit the type comes back as STRING, I64, F64 or BYTES.
cdcrt_cell from_sqlite(const SqliteValue& value, cdcrt_type type);

/// Constant for DDL. BAD_RECORD for text with NUL characters.
sdk::Status append_sqlite_literal(std::string& out, const SqliteValue& value, const cdcrt_column& column);

/// Expression whose text carries the column's value exactly through a driver that reads everything as %.15g text:
/// a letter for the storage class, then the value. NULL stays NULL.
std::string sqlite_exact_expression(std::string_view quoted_column);

/// Reads what that expression gave; `text` must outlive `out` except where the value had to be decoded. False: not its form.
bool parse_exact(std::string_view text, SqliteValue& out);

}  // namespace cdcrt::sql
