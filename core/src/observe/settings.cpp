#include "observe/settings.hpp"

#include <arpa/inet.h>

#include <charconv>

#include "diagnostics/text.hpp"

namespace cdcrt::observe {
namespace {

// Shorter ones can be tried out.
constexpr std::size_t kMinToken = 16;

Error at(std::string_view key, std::string message, std::string hint = {}) {
  Error error = make_error(CDCRT_BAD_CONFIG, std::move(message), std::move(hint));
  error.config_key = key;
  return error;
}

Error not_an_address(std::string_view text) {
  return at("http", "must be an IP address with a port, not " + diagnostics::quote(text), "write http = \"127.0.0.1:9464\"");
}

}  // namespace

Result<Address> read_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return not_an_address(text);
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  Address address;
  const auto read = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (port.empty() || read.ec != std::errc() || read.ptr != port.data() + port.size()) return not_an_address(text);
  if (host == "localhost") host = "127.0.0.1";
  address.is_ipv6 = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (address.is_ipv6) host = host.substr(1, host.size() - 2);
  address.host = host;
  in_addr four{};
  in6_addr six{};
  if (address.is_ipv6 ? ::inet_pton(AF_INET6, address.host.c_str(), &six) != 1 : ::inet_pton(AF_INET, address.host.c_str(), &four) != 1) {
    return not_an_address(text);
  }
  address.is_loopback = address.is_ipv6 ? IN6_IS_ADDR_LOOPBACK(&six) : (ntohl(four.s_addr) >> 24U) == 127;
  return address;
}

Result<void> check(const Settings& settings) {
  const auto without_server = [&](std::string_view key) {
    return at(key, "is for http, and http is not given", "add http, or take it out");
  };
  if (settings.listen.empty()) {
    if (!settings.token.empty()) return without_server("http_token");
    if (!settings.certificate.empty()) return without_server("http_certificate");
    if (!settings.key.empty()) return without_server("http_key");
    return {};
  }
  const auto address = read_address(settings.listen);
  if (!address) return address.error();
  if (!settings.token.empty() && settings.token.size() < kMinToken) {
    return at("http_token", "must have " + std::to_string(kMinToken) + " characters at least", "openssl rand -hex 32 makes a good one");
  }
  if (settings.certificate.empty() != settings.key.empty()) {
    return at(settings.key.empty() ? "http_certificate" : "http_key", "needs the other one: a certificate and its key go together",
              "give http_certificate and http_key");
  }
  if (!address->is_loopback && settings.token.empty()) {
    return at("http", "can be reached from other machines, and no token is asked for",
              "add http_token = \"${file:/run/secrets/cdcrt-token}\", or listen on 127.0.0.1");
  }
  return {};
}

}  // namespace cdcrt::observe
