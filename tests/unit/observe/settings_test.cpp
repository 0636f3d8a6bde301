#include <doctest/doctest.h>

#include <string>

#include "observe/settings.hpp"

using namespace cdcrt::observe;

namespace {

Settings settings_of(const std::string& listen, const std::string& token = {}) {
  Settings settings;
  settings.listen = listen;
  settings.token = token;
  return settings;
}

std::string fault_of(const Settings& settings) {
  const auto checked = check(settings);
  return checked ? std::string() : checked.error().config_key + ": " + checked.error().message;
}

}  // namespace

TEST_CASE("http settings: addresses are read") {
  CHECK(read_address("127.0.0.1:9464")->port == 9464);
  CHECK(read_address("127.0.0.1:0")->is_loopback);
  CHECK(read_address("localhost:1")->host == "127.0.0.1");
  CHECK(read_address("127.255.0.3:1")->is_loopback);
  CHECK(read_address("[::1]:1")->is_loopback);
  CHECK_FALSE(read_address("[::]:1")->is_loopback);
  CHECK_FALSE(read_address("0.0.0.0:1")->is_loopback);
  CHECK_FALSE(read_address("128.0.0.1:1")->is_loopback);
  for (const auto* wrong :
       {"", ":", "9464", "127.0.0.1", "127.0.0.1:", ":9464", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:80x", "127.1:80",
        "example.com:80", "::1:80", "[::1]", "[::1:80", "[127.0.0.1]:80", "http://127.0.0.1:80", "127.0.0.1:80 "}) {
    CAPTURE(wrong);
    CHECK_FALSE(read_address(wrong).ok());
  }
}

TEST_CASE("http settings: what other machines reach needs a token, and a token that cannot be tried out") {
  CHECK(fault_of(settings_of("127.0.0.1:9464")).empty());
  CHECK(fault_of(settings_of("0.0.0.0:9464")).starts_with("http: can be reached from other machines"));
  CHECK(fault_of(settings_of("[::]:9464")).starts_with("http: can be reached from other machines"));
  CHECK(fault_of(settings_of("0.0.0.0:9464", "0123456789abcdef")).empty());
  CHECK(fault_of(settings_of("127.0.0.1:9464", "short")).starts_with("http_token: must have 16"));
  CHECK(fault_of(settings_of("", "0123456789abcdef")).starts_with("http_token: is for http"));
}

TEST_CASE("http settings: a certificate and its key go together") {
  Settings settings = settings_of("127.0.0.1:9464");
  settings.certificate = "/tls.crt";
  CHECK(fault_of(settings).starts_with("http_certificate: needs the other one"));
  settings.key = "/tls.key";
  CHECK(fault_of(settings).empty());
  settings.certificate.clear();
  CHECK(fault_of(settings).starts_with("http_key: needs the other one"));
}
