// The JSON of /status. Its names are part of what stays compatible: docs/operating.md lists them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "diagnostics/result.hpp"
#include "observe/snapshot.hpp"

namespace cdcrt::observe {

/// Which tables, and in which order.
struct StatusQuery {
  enum class Sort : uint8_t { kName, kLag, kRows, kState };
  std::size_t limit = 1000, offset = 0;
  Sort sort = Sort::kName;
  std::string state;   ///< of kTableStates; empty: all
  std::string search;  ///< part of a name, without regard to the case of ASCII letters; empty: all
};

/// Of a URL, behind the '?'. BAD_CONFIG names the parameter.
Result<StatusQuery> read_status_query(std::string_view query);

std::string render_status(const Snapshot& snapshot, const StatusQuery& query);

/// Of /readyz and /livez: {"ready":true,"reasons":[]}.
std::string render_reasons(std::string_view key, const std::vector<Reason>& reasons);

}  // namespace cdcrt::observe
