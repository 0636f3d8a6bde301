#include "progress/own_tables.hpp"

#include <algorithm>
#include <array>

#include "diagnostics/text.hpp"

namespace cdcrt::progress {

bool is_own_table(const std::string& progress_schema, std::string_view schema, std::string_view name) {
  static constexpr auto kNames = std::to_array<std::string_view>(
      {"format",     "leases",     "watermarks",   "progress", "tables",       "known_columns", "key_changes",     "open_dead_letters",
       "row_orders", "tombstones", "troubles",     "replayed", "dead_letters", "claims",        "progress_tables", "processes",
       "moved",      "holds",      "open_letters", "columns" /* of older formats */});
  return std::any_of(kNames.begin(), kNames.end(), [&](std::string_view own) {
    if (schema.empty()) return diagnostics::equal_but_for_case(name, progress_schema + "_" + std::string(own));
    return diagnostics::equal_but_for_case(schema, progress_schema) && diagnostics::equal_but_for_case(name, own);
  });
}

}  // namespace cdcrt::progress
