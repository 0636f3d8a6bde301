// What a run did as a table for people or JSON for programs; and the progress line of a terminal.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>

#include "runtime/summary.hpp"

namespace cdcrt::cli {

/// "1,234,567".
std::string grouped(uint64_t value);

/// "3.2 s", "41 s", "12 min", "5 h 20 min".
std::string duration(double seconds);

void print_text(const runtime::RunSummary& summary, std::ostream& out);
void print_json(const runtime::RunSummary& summary, std::ostream& out);

/// One line that replaces itself: bar when the end is known, rows per second, and the time left where it is known.
std::string progress_line(const runtime::RunProgress& progress);

}  // namespace cdcrt::cli
