// Memory that will be touched soon is asked for without waiting: with thousands of tables what a row touches is in no cache.
#pragma once

#include <cstddef>

namespace cdcrt::event {

/// Any address, also one that is nobody's any more.
inline void fetch_ahead(const void* from, std::size_t bytes) {
  constexpr std::size_t kLine = 64;
  const char* const begin = static_cast<const char*>(from);
  for (std::size_t at = 0; at < bytes; at += kLine) __builtin_prefetch(begin + at);
}

}  // namespace cdcrt::event
