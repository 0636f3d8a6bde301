// Redshift's constants for cells, and reading what it answers. Pure text.
#pragma once

#include <string>
#include <string_view>

#include "cdcrt/abi/value.h"
#include "cdcrt/sdk/status.hpp"
#include "redshift_types.hpp"

namespace cdcrt::sql::redshift {

/// The longest text that one constant of a statement holds; longer values are put together of several.
constexpr std::size_t kMaxConstant = 65'535;  // bytes

/// Text in single quotes. No constant holds a backslash, since whether it escapes inside of quotes depends on the server's settings: a few
/// are written as chr(92), many as bytes. NUL characters, which VARCHAR cannot hold, are left out.
void append_text(std::string& out, std::string_view text);

/// A constant for the column, for VALUES and for comparisons. BAD_RECORD, naming `column`, for a value that no column of this type
/// holds (infinity, NaN in a decimal, times outside of the day). ABSENT is written as NULL.
sdk::Status append_cell(std::string& out, const cdcrt_cell& cell, const ColumnType& type, std::string_view column);

/// Whether the value needs several constants in a statement.
bool needs_several_constants(const cdcrt_cell& cell, Storage storage);

/// Expression that gives the column's value as text that from_text() reads exactly, however long it is.
std::string text_expression(std::string_view quoted_column, Storage storage);

/// A cell of the wanted type. Text borrows from `text` or `buffer`. What does not parse comes back as STRING.
cdcrt_cell from_text(std::string_view text, Storage storage, cdcrt_type type, std::string& buffer);

}  // namespace cdcrt::sql::redshift
