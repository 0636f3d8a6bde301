// What an operation is called, in texts that people and programs read. Header-only, C++17.
#pragma once

#include <cstdint>
#include <iterator>

#include "cdcrt/abi/value.h"

namespace cdcrt::sdk {

/// "insert"; "?" of none. A literal.
inline const char* operation_name(uint8_t operation) {
  constexpr const char* kNames[] = {"?", "snapshot", "insert", "update", "delete", "truncate", "definition", "marker"};
  static_assert(CDCRT_SNAPSHOT == 1 && CDCRT_MARKER + 1 == std::size(kNames), "in the order of cdcrt_operation");
  return operation < std::size(kNames) ? kNames[operation] : kNames[0];
}

}  // namespace cdcrt::sdk
