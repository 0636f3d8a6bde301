// Credentials inside addresses, scheme://user:password@host and user:password@host: found without knowing what the text is.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cdcrt::diagnostics {

enum class Addresses {
  kWithScheme,  ///< only behind a "://": of any text, also one that shows values of rows
  kAny,         ///< of a manifest, where user:password@host can stand for a broker
};

/// Begin and end, as offsets, of what stands before the '@' of an address.
std::vector<std::pair<std::size_t, std::size_t>> find_userinfo(std::string_view text, Addresses which);

/// The value of one setting, which is an address as a whole or none.
std::string address_without_userinfo(std::string value, Addresses which);

/// The text with *** in their place.
std::string without_userinfo(std::string text, Addresses which);

}  // namespace cdcrt::diagnostics
