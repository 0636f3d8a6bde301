// Redshift's constants for cells, and reading what it answers. Pure text.
#pragma once

#include <string>
#include <string_view>

#include "cdcrt/abi/value.h"
#include "cdcrt/sdk/status.hpp"
#include "sql/redshift_types.hpp"

namespace cdcrt::sql::redshift {

/// Text in single quotes. A backslash is written as chr(92): whether it escapes inside of quotes depends on the server's settings.
/// NUL characters, which VARCHAR cannot hold, are left out.
void append_text(std::string& out, std::string_view text);

/// A constant for the column, for VALUES and for comparisons. BAD_RECORD, naming `column`, for a value that no column of this type
/// holds (infinity, NaN in a decimal, times outside of the day). ABSENT is written as NULL.
sdk::Status append_cell(std::string& out, const cdcrt_cell& cell, const ColumnType& type, std::string_view column);

/// What a column is compared and grouped by: SUPER and VARBYTE as text, since neither has an equality to rely on (unverified).
std::string comparable(std::string_view column, Storage storage);
/// The constant that comparable() of a column is compared with. The cell is not NULL.
sdk::Status append_comparable(std::string& out, const cdcrt_cell& cell, const ColumnType& type, std::string_view column);

/// Expression that gives the column's value as text that from_text() reads exactly.
std::string text_expression(std::string_view quoted_column, Storage storage);

/// A cell of the wanted type. Text borrows from `text`, bytes from `buffer`. What does not parse comes back as STRING.
cdcrt_cell from_text(std::string_view text, Storage storage, cdcrt_type type, std::string& buffer);

}  // namespace cdcrt::sql::redshift
