// JSON texts: is it one, exactly as RFC 8259 says. Numbers may have any number of digits, nesting any depth.
#pragma once

#include <string_view>

namespace cdcrt::types {

/// The text is one JSON value, white space around it apart, and valid UTF-8.
bool is_json(std::string_view text);

}  // namespace cdcrt::types
