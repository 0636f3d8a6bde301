#include "apply/letter_key.hpp"

#include <array>
#include <cstdint>
#include <cstdio>

namespace cdcrt::apply {
namespace {

// Indexes of databases take keys of about 2,700 bytes; beside the key stands a position.
constexpr std::size_t kLongestKey = 1024;

uint64_t hash_of(std::string_view text, uint64_t hash) {
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

}  // namespace

// Stored, so it must stay what it is.
std::string letter_key(std::string_view key) {
  if (key.size() <= kLongestKey) return std::string(key);
  std::array<char, 34> digest{};
  (void)std::snprintf(digest.data(), digest.size(), "%016llx%016llx", static_cast<unsigned long long>(hash_of(key, 0xcbf29ce484222325)),
                      static_cast<unsigned long long>(hash_of(key, 0x9ae16a3b2f90404f)));
  return std::string(key.substr(0, kLongestKey - 33)) + digest.data();
}

}  // namespace cdcrt::apply
