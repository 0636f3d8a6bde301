// What MySQL and MariaDB put into rows that were there before a column.
#pragma once

#include <string>
#include <string_view>

#include "debezium/column.hpp"

namespace cdcrt::debezium {

/// The default as the server reads it: Debezium gives a text as it stands in the statement (`it''s`). ABSENT: none. What the server puts
/// into rows for a column that may not be NULL and has none is not guessed: an expression, a generated column or one that was left out
/// before look the same. `text` keeps what the cell borrows.
cdcrt_cell mysql_default(const Column& column, std::string& text);

/// What the text between the apostrophes of a literal means; the server writes all literals so that it shows.
std::string literal_text(std::string_view literal);

}  // namespace cdcrt::debezium
