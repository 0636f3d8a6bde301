// One change as one line of JSON.
#pragma once

#include <string>

#include "cdcrt/abi/sink.h"

namespace cdcrt::file_sink {

/// Appends row `row` of `write` and a newline to `out`.
void append_line(const cdcrt_write& write, uint64_t row, std::string& out);

}  // namespace cdcrt::file_sink
