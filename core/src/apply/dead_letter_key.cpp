#include "apply/dead_letter_key.hpp"

#include <array>
#include <cstdio>

#include "cdcrt/sdk/hash.hpp"

namespace cdcrt::apply {
namespace {

// Database indexes take entries of about 2,700 bytes, and the position is a part of this one.
constexpr std::size_t kMaxKey = 1024;

}  // namespace

// The result is stored in targets: it must stay the same in every version.
std::string dead_letter_key(std::string_view key) {
  if (key.size() <= kMaxKey) return std::string(key);
  std::array<char, 34> digest{};
  (void)std::snprintf(digest.data(), digest.size(), "%016llx%016llx", static_cast<unsigned long long>(sdk::fnv1a(key)),
                      static_cast<unsigned long long>(sdk::fnv1a(key, 0x9ae16a3b2f90404f)));
  return std::string(key.substr(0, kMaxKey - 33)) + digest.data();
}

}  // namespace cdcrt::apply
