// What a run did as a table for people or JSON for programs; and the progress line of a terminal.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>

#include "runtime/summary.hpp"

namespace cdcrt::cli {

/// "1,234,567".
std::string grouped(uint64_t value);

void print_text(const runtime::RunSummary& summary, std::ostream& out);
void print_json(const runtime::RunSummary& summary, std::ostream& out);

/// One line that replaces itself: bar when the end is known, rows per second.
std::string progress_line(const runtime::RunProgress& progress);

}  // namespace cdcrt::cli
