// What MySQL and MariaDB put into rows that were there before a column.
#pragma once

#include <string>
#include <string_view>

#include "debezium/column.hpp"

namespace cdcrt::debezium {

/// The default as the server reads it: Debezium gives a text as it stands in the statement (`it''s`), and none for a column that may not be
/// NULL and has none, which the server fills with zeros, empty texts or the first value of an enum. ABSENT: none. `text` keeps what the
/// cell borrows.
cdcrt_cell mysql_default(const Column& column, std::string& text);

/// What the text between the apostrophes of a literal means; the server writes all literals so that it shows.
std::string literal_text(std::string_view literal);

}  // namespace cdcrt::debezium
