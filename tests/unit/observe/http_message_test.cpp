#include <doctest/doctest.h>

#include <string>

#include "observe/http_message.hpp"

using namespace cdcrt::observe;

namespace {

ReadRequest read(const std::string& text) { return read_request(text); }
int status_of(const std::string& text) {
  const ReadRequest request = read(text);
  CHECK(request.is_complete);
  return request.status;
}

}  // namespace

TEST_CASE("http: a request is read into method, path, query and headers") {
  const auto read = read_request("GET /status?limit=5&sort=lag HTTP/1.1\r\nHost: localhost:9464\r\nACCEPT:  text/plain \r\n\r\nrest");
  REQUIRE(read.is_complete);
  REQUIRE(read.status == 0);
  CHECK(read.request.method == "GET");
  CHECK(read.request.path == "/status");
  CHECK(read.request.query == "limit=5&sort=lag");
  REQUIRE(read.request.header("accept") != nullptr);
  CHECK(*read.request.header("accept") == "text/plain");
  CHECK(read.request.header("cookie") == nullptr);
}

TEST_CASE("http: what is not complete is waited for, byte by byte") {
  const std::string text = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  for (std::size_t size = 0; size < text.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(read_request(text.substr(0, size)).is_complete);
  }
  CHECK(read_request(text).is_complete);
}

TEST_CASE("http: what is no request is refused") {
  CHECK(status_of("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03") == 400);  // TLS at a port without
  CHECK(status_of("GET / HTTP/1.1 \r\n\r\n") == 400);
  CHECK(status_of("GET  HTTP/1.1\r\n\r\n") == 400);
  CHECK(status_of("GET /\r\n\r\n") == 400);
  CHECK(status_of("GET http://elsewhere/ HTTP/1.1\r\n\r\n") == 400);
  CHECK(status_of("GET * HTTP/1.1\r\n\r\n") == 400);
  CHECK(status_of("GET /a b HTTP/1.1\r\n\r\n") == 400);
  CHECK(status_of("GET /\x01 HTTP/1.1\r\n\r\n") == 400);
  CHECK(status_of("GET /\xc3\xa4 HTTP/1.1\r\n\r\n") == 400);
  CHECK(status_of("GET / HTTP/2.0\r\n\r\n") == 505);
  CHECK(status_of("GET / FTP/1.1\r\n\r\n") == 400);
  CHECK(status_of("G(T / HTTP/1.1\r\n\r\n") == 400);
  CHECK(status_of("GET / HTTP/1.1\r\nno colon\r\n\r\n") == 400);
  CHECK(status_of("GET / HTTP/1.1\r\n folded: x\r\n\r\n") == 400);
  CHECK(status_of("GET / HTTP/1.1\r\nname : x\r\n\r\n") == 400);
  CHECK(status_of("GET / HTTP/1.1\r\nname: a\nb: c\r\n\r\n") == 400);
  CHECK(status_of("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n") == 400);
  CHECK(status_of("GET / HTTP/1.1\r\nAuthorization: a\r\nauthorization: b\r\n\r\n") == 400);
}

TEST_CASE("http: bodies are not taken") {
  CHECK(status_of("POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody") == 400);
  CHECK(status_of("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") == 400);
  CHECK(status_of("POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n") == 0);
}

TEST_CASE("http: what is too long is refused, and does not wait for its end") {
  CHECK(status_of("GET /" + std::string(3000, 'a') + " HTTP/1.1\r\n\r\n") == 414);
  CHECK(status_of("GET / HTTP/1.1\r\nname: " + std::string(kMaxHead, 'a')) == 431);
  CHECK(status_of("GET / HTTP/1.1\r\nname: " + std::string(kMaxHead, 'a') + "\r\n\r\n") == 431);
  CHECK(status_of(std::string(40, 'A')) == 400);
  std::string many = "GET / HTTP/1.1\r\n";
  for (int i = 0; i < 65; ++i) many += "n" + std::to_string(i) + ": v\r\n";
  CHECK(status_of(many + "\r\n") == 431);
}

TEST_CASE("http: an answer tells its length, and HEAD gets no more than that") {
  Response response;
  response.body = "text\n";
  response.headers.emplace_back("Allow", "GET");
  const std::string whole = to_text(response, false), head = to_text(response, true);
  CHECK(whole.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(whole.find("Content-Length: 5\r\n") != std::string::npos);
  CHECK(whole.find("Connection: close\r\n") != std::string::npos);
  CHECK(whole.find("Allow: GET\r\n") != std::string::npos);
  CHECK(whole.ends_with("\r\n\r\ntext\n"));
  CHECK(head + "text\n" == whole);
}
