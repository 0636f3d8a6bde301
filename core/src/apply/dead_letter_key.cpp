#include "apply/dead_letter_key.hpp"

#include <array>
#include <cstdio>

#include "cdcrt/sdk/hash.hpp"

namespace cdcrt::apply {
namespace {

// Indexes of databases take keys of about 2,700 bytes; beside the key stands a position.
constexpr std::size_t kMaxKey = 1024;

}  // namespace

// Stored, so it must stay what it is.
std::string dead_letter_key(std::string_view key) {
  if (key.size() <= kMaxKey) return std::string(key);
  std::array<char, 34> digest{};
  (void)std::snprintf(digest.data(), digest.size(), "%016llx%016llx", static_cast<unsigned long long>(sdk::fnv1a(key)),
                      static_cast<unsigned long long>(sdk::fnv1a(key, 0x9ae16a3b2f90404f)));
  return std::string(key.substr(0, kMaxKey - 33)) + digest.data();
}

}  // namespace cdcrt::apply
