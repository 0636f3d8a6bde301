// Memory that will be touched soon is asked for without waiting: what another core wrote, or what is in no cache for being one of very
// many.
#pragma once

#include <cstddef>

namespace cdcrt::sdk {

/// Any address, also one that is nobody's any more.
inline void fetch_ahead([[maybe_unused]] const void* from, [[maybe_unused]] std::size_t bytes) {
#if defined(__GNUC__)
  constexpr std::size_t kLine = 64;
  const char* const begin = static_cast<const char*>(from);
  for (std::size_t at = 0; at < bytes; at += kLine) __builtin_prefetch(begin + at);
#endif
}

}  // namespace cdcrt::sdk
