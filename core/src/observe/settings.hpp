// Settings of the HTTP server: `http` and its like in [runtime].
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "diagnostics/result.hpp"

namespace cdcrt::observe {

struct Address {
  std::string host;  ///< an IP address, without brackets
  uint16_t port = 0;
  bool is_ipv6 = false;
  bool is_loopback = false;
};

struct Settings {
  std::string listen;            ///< as written; empty: no server
  std::string token;             ///< empty: none is asked for. A secret
  std::string certificate, key;  ///< files, PEM; empty: no TLS
  uint32_t max_tables = 1000;    ///< with series of their own in /metrics
};

/// "127.0.0.1:9464", "[::1]:9464", "localhost:9464". BAD_CONFIG says what is wrong with it.
Result<Address> read_address(std::string_view text);

/// What is wrong between them: nothing that others can reach goes without a token. `config_key` names the key.
Result<void> check(const Settings& settings);

}  // namespace cdcrt::observe
