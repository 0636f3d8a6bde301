// Percent-encoding by the rules of Amazon's signatures: what is signed must be what is sent, byte by byte.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cdcrt::aws {

/// Every byte but A-Z a-z 0-9 - . _ ~ becomes %XX; '/' stays when `keep_slash`.
std::string percent_encode(std::string_view text, bool keep_slash);

/// "a=1&b=" sorted by name, both sides encoded.
std::string canonical_query(std::vector<std::pair<std::string, std::string>> parameters);

/// An endpoint "https://host[:port][/base]" in parts.
struct Endpoint {
  std::string scheme;     ///< http or https
  std::string authority;  ///< host[:port]
  std::string base;       ///< path without a slash at its end; mostly empty
};

/// False when it is no http or https URL of a host, or has a query or user name.
bool parse_endpoint(std::string_view text, Endpoint& out);

/// Of an authority; an address of IPv6 keeps its brackets.
std::string host_of(std::string_view authority);

/// `localhost`, `[::1]` or an address 127.x.x.x. Not a name that begins like one, which anybody may own.
bool is_loopback(const std::string& host);

}  // namespace cdcrt::aws
