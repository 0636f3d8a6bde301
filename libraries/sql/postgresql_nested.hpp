// Arrays as values: their JSON text and PostgreSQL's constants, {1,NULL,"a\"b"}.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "cdcrt/abi/value.h"
#include "cdcrt/sdk/status.hpp"

namespace cdcrt::sql {

/// Makes an element, which is set, what the target's elements take, or refuses it. New bytes go into `buffer`.
using FitElement = std::function<sdk::Status(cdcrt_cell& element, std::string& buffer)>;

/// The text is an array of PostgreSQL, bounds included: {1,2}, [0:1]={1,2}.
[[nodiscard]] bool is_array_constant(std::string_view text);

/// The JSON array as a constant, in any number of dimensions. `column`: its element type says what texts stand for (base64, dates); its
/// kind is not looked at. `element`: type of the target's elements. BAD_RECORD, naming the column, for what no such array holds.
sdk::Status to_array_constant(std::string_view json, const cdcrt_column& column, cdcrt_type element, const FitElement& fit,
                              std::string& out);

/// The constant as JSON text; false for what is none.
[[nodiscard]] bool from_array_constant(std::string_view text, cdcrt_type element, std::string& out);

}  // namespace cdcrt::sql
