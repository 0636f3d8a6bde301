// Moments as they are told: microseconds since 1970.
#pragma once

#include <chrono>
#include <cstdint>

namespace cdcrt::observe {

inline int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace cdcrt::observe
