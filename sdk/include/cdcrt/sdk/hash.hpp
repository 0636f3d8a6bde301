// FNV-1a, 64 bits: the same everywhere and in every version, so that it may be stored. Not against attackers. Header-only, C++17.
#pragma once

#include <cstdint>
#include <string_view>

namespace cdcrt::sdk {

inline constexpr uint64_t kFnv1aStart = 0xcbf29ce484222325;

constexpr uint64_t fnv1a(uint64_t hash, unsigned char byte) { return (hash ^ byte) * 0x100000001b3; }

/// `hash`: kFnv1aStart, or what came before these bytes.
constexpr uint64_t fnv1a(std::string_view bytes, uint64_t hash = kFnv1aStart) {
  for (const char byte : bytes) hash = fnv1a(hash, static_cast<unsigned char>(byte));
  return hash;
}

}  // namespace cdcrt::sdk
