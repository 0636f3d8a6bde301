// Values from texts and texts from values: the parts of convert that deal with STRING cells.
#pragma once

#include <optional>
#include <string_view>

#include "cdcrt/abi/value.h"
#include "diagnostics/result.hpp"
#include "event/arena.hpp"

namespace cdcrt::types {

/// A STRING cell as a value of `to` (not STRING). The whole text must be one.
Result<cdcrt_cell> parse_text(const cdcrt_cell& cell, cdcrt_type to, event::Arena& arena);

/// Any cell as STRING, of any length: numbers shortest, ISO 8601, base64 for bytes. `from` FLOAT32: digits of a float32.
Result<cdcrt_cell> render_text(const cdcrt_cell& cell, cdcrt_type from, event::Arena& arena);

/// The text of a date and time, or of a time, without the digits after its microseconds; nullopt: it has none.
std::optional<std::string_view> without_fine_digits(std::string_view text, event::Arena& arena);

/// Microseconds of an ISO 8601 duration of hours, minutes and seconds. nullopt: it has other parts, finer digits, or too many.
std::optional<int64_t> length_of(std::string_view duration);
std::string_view duration_text(int64_t microseconds, event::Arena& arena);

/// BAD_RECORD: "12345 does not fit int8", "not a date: 'abc'".
Error does_not_fit(const cdcrt_cell& cell, cdcrt_type to);
Error not_a_value(const cdcrt_cell& cell, cdcrt_type to);

}  // namespace cdcrt::types
