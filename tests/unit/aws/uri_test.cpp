#include "aws/uri.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace cdcrt;

TEST_CASE("uri: this machine is what is written as its name or address, and no name that begins like one") {
  const auto is_here = [](const char* url) {
    aws::Endpoint endpoint;
    return aws::parse_endpoint(url, endpoint) && aws::is_loopback(aws::host_of(endpoint.authority));
  };
  for (const char* here : {"http://localhost", "http://localhost:8080/token", "http://127.0.0.1/", "http://127.0.0.1:1",
                           "http://127.8.9.10:80", "http://[::1]", "http://[::1]:8080/token"}) {
    CAPTURE(here);
    CHECK(is_here(here));
  }
  for (const char* elsewhere : {"http://localhost.example.net/", "http://127.evil.example/", "http://127.0.0.1.evil.example:80",
                                "http://localhost:80.example.net", "http://localhosts", "http://[::1].example.net", "http://[::1",
                                "http://[::2]:1", "http://128.0.0.1", "http://127.1", "http://::1", "http://:80"}) {
    CAPTURE(elsewhere);
    CHECK_FALSE(is_here(elsewhere));
  }
}
