// Names of the tables in which cdcrt keeps its progress: no source table may be written into one of them.
#pragma once

#include <string>
#include <string_view>

namespace cdcrt::progress {

/// Whether a target is one of them. `schema`: empty where the target has none, and names begin with `progress_schema` and '_'. Letters'
/// case does not count: some targets do not tell it apart.
bool is_own_table(const std::string& progress_schema, std::string_view schema, std::string_view name);

}  // namespace cdcrt::progress
