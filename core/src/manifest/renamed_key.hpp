// Keys that had another name before: the former one is still read, with a warning (docs/compatibility.md).
#pragma once

#include <cstdint>

#include "cdcrt/abi/base.h"

namespace cdcrt::manifest {

/// Of a row of an option table of the host that is no option, but the former name of one. No flag of the boundary: plugins have none.
inline constexpr uint16_t kRenamedKey = 1U << 15U;

/// The row, beside that of `key` itself. Both are keys of one table of the manifest ("batch.max_rows" and "batch.rows").
constexpr cdcrt_option renamed(const char* former, const char* key) {
  cdcrt_option option{};
  option.size = sizeof(cdcrt_option);
  option.type = CDCRT_OPTION_STRING;
  option.flags = kRenamedKey;
  option.key = former;
  option.doc = "";
  option.example = key;
  return option;
}

constexpr bool is_renamed(const cdcrt_option& option) { return (option.flags & kRenamedKey) != 0; }
/// The name that the key of such a row has now.
constexpr const char* present_key(const cdcrt_option& option) { return option.example; }

}  // namespace cdcrt::manifest
