// Names and constants as SQL text. Nothing is ever pasted unquoted.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "cdcrt/sdk/status.hpp"

namespace cdcrt::sql {

/// Appends `name` in double quotes, inner quotes doubled. A name that is empty, holds a NUL, is not UTF-8, or is longer than
/// `byte_limit` (0: none) is BAD_CONFIG: servers cut such names silently, so that two could become one.
/// `what` ("table", "column", "schema") is for the message.
sdk::Status append_identifier(std::string& out, std::string_view name, std::size_t byte_limit, std::string_view what);

/// Appends `text` in single quotes, inner quotes doubled: a standard-conforming constant. `text` holds no NUL.
void append_literal(std::string& out, std::string_view text);

/// Appends two lower-case digits a byte.
void append_hex(std::string& out, std::string_view bytes);

/// A name for a message: quotes around, control bytes as '?', cut to a readable length.
std::string shown(std::string_view name);

}  // namespace cdcrt::sql
