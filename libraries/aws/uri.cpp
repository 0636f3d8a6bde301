#include "aws/uri.hpp"

#include <arpa/inet.h>

#include <algorithm>

namespace cdcrt::aws {

std::string percent_encode(std::string_view text, bool keep_slash) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    const bool plain = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' ||
                       byte == '.' || byte == '_' || byte == '~' || (keep_slash && byte == '/');
    if (plain) {
      out += letter;
    } else {
      out += '%';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
  return out;
}

std::string canonical_query(std::vector<std::pair<std::string, std::string>> parameters) {
  std::sort(parameters.begin(), parameters.end());
  std::string out;
  for (const auto& [name, value] : parameters) {
    if (!out.empty()) out += '&';
    out += percent_encode(name, false);
    out += '=';
    out += percent_encode(value, false);
  }
  return out;
}

bool parse_endpoint(std::string_view text, Endpoint& out) {
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return false;
  out.scheme = text.substr(0, colon);
  if (out.scheme != "http" && out.scheme != "https") return false;
  text.remove_prefix(colon + 3);
  const std::size_t slash = text.find('/');
  out.authority = text.substr(0, slash);
  out.base = slash == std::string_view::npos ? std::string_view() : text.substr(slash);
  while (!out.base.empty() && out.base.back() == '/') out.base.pop_back();
  return !out.authority.empty() && out.authority.find_first_of("@?# ") == std::string::npos &&
         out.base.find_first_of("?# ") == std::string::npos;
}

std::string host_of(std::string_view authority) {
  const std::size_t colon = authority.rfind(':');
  const bool has_port = colon != std::string_view::npos && authority.find_first_not_of("0123456789", colon + 1) == std::string_view::npos;
  return std::string(has_port ? authority.substr(0, colon) : authority);
}

bool is_loopback(const std::string& host) {
  in_addr four{};
  return host == "localhost" || host == "[::1]" || (::inet_pton(AF_INET, host.c_str(), &four) == 1 && ntohl(four.s_addr) >> 24U == 127);
}

}  // namespace cdcrt::aws
