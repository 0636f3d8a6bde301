// JSON string scanning: the hot loop of the source.
#pragma once

#include <cstddef>

namespace cdcrt::kcat {

/// Both functions start behind the opening quote. A character below 0x20 must stand at the end of the input, and 63 bytes behind
/// it must be readable. Bytes from 0x80 up pass as they are: what they mean is the format's business.

struct Unescaped {
  const char* next = nullptr;     ///< behind the closing quote; where it went wrong, when `problem` is set
  char* end = nullptr;            ///< behind the last byte written
  const char* problem = nullptr;  ///< NULL: done
};

/// Writes the string's bytes to `to`, which has room for the rest of the input and 16 bytes more.
Unescaped unescape(const char* from, char* to);

/// The closing quote; NULL: the input ends before it.
const char* closing_quote(const char* from);

}  // namespace cdcrt::kcat
