#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "observe/http_connection.hpp"
#include "observe/http_server.hpp"

using namespace cdcrt::observe;
using namespace std::chrono_literals;

namespace {

constexpr auto kLong = 30s;  // nothing here takes that long, but on a machine that does something else

struct Served {
  explicit Served(HttpLimits limits = {}) {
    Settings settings;
    settings.listen = "127.0.0.1:0";
    auto started = HttpServer::start(
        settings, limits,
        [](const Request& request) {
          return Response{200, "text/plain", answer_to(request), {}};
        },
        [](const std::string&) {});
    REQUIRE(started.ok());
    server = std::move(*started);
    const std::string& url = server->url();
    port = static_cast<uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
  }
  static std::string answer_to(const Request& request) {
    return request.path == "/large" ? std::string(64 << 20, 'x') : "path " + request.path + "\n";
  }
  std::unique_ptr<HttpServer> server;
  uint16_t port = 0;
};

class Client {
 public:
  explicit Client(const Served& served) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_port = htons(served.port);
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(socket_.get(), reinterpret_cast<sockaddr*>(&place), sizeof place) == 0);
  }
  void send(const std::string& text) const { (void)!::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL); }
  void send_no_more() const { REQUIRE(::shutdown(socket_.get(), SHUT_WR) == 0); }
  /// Until the other side closes.
  [[nodiscard]] std::string receive() const {
    std::string all;
    std::array<char, 65536> piece{};
    while (waits(kLong)) {
      const ssize_t count = ::recv(socket_.get(), piece.data(), piece.size(), 0);
      if (count <= 0) return all;
      all.append(piece.data(), static_cast<std::size_t>(count));
    }
    FAIL("the server keeps the connection");
    return all;
  }
  [[nodiscard]] bool waits(std::chrono::milliseconds time) const {
    pollfd polled{socket_.get(), POLLIN, 0};
    return ::poll(&polled, 1, static_cast<int>(time.count())) > 0;
  }

 private:
  FileDescriptor socket_;
};

bool answers(const Served& served) {
  const Client client(served);
  client.send("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n");
  return client.receive().ends_with("path /livez\n");
}

}  // namespace

TEST_CASE("http server: a request is answered and the connection closed") {
  const Served served;
  CHECK(answers(served));
  const Client slow(served);
  for (const char c : std::string("GET /a HTTP/1.0\r\n\r\n")) slow.send(std::string(1, c));
  CHECK(slow.receive().ends_with("path /a\n"));
}

TEST_CASE("http server: what is sent behind a request does not cost its answer") {
  const Served served;
  const Client client(served);
  client.send("GET /a HTTP/1.1\r\n\r\n" + std::string(100'000, 'x'));
  CHECK(client.receive().ends_with("path /a\n"));
}

TEST_CASE("http server: who closes its sending side behind a request is answered") {
  const Served served;
  for (int i = 0; i < 50; ++i) {
    const Client client(served);
    client.send("GET /a HTTP/1.1\r\n\r\n");
    client.send_no_more();
    REQUIRE(client.receive().ends_with("path /a\n"));
  }
  const Client half(served);
  half.send("GET / HTTP/1.1\r\nHost:");
  half.send_no_more();
  CHECK(half.receive().empty());
}

TEST_CASE("http server: who does not send a request is hung up on") {
  const Served served(HttpLimits{64, 100ms, 100ms});
  const Client silent(served), half(served);
  half.send("GET / HTTP/1.1\r\nHost:");
  CHECK(silent.receive().empty());
  CHECK(half.receive().empty());
  CHECK(answers(served));
}

TEST_CASE("http server: noise is answered with a refusal") {
  const Served served;
  const Client client(served);
  client.send("\x16\x03\x01\x02\x01 noise");
  CHECK(client.receive().starts_with("HTTP/1.1 400 "));
}

TEST_CASE("http server: a thousand connections that ask for nothing keep nobody from being answered") {
  const Served served;
  std::vector<std::unique_ptr<Client>> crowd;
  for (int i = 0; i < 900; ++i) {
    crowd.push_back(std::make_unique<Client>(served));
    crowd.back()->send("GET /");
    if (i % 100 == 99) CHECK(answers(served));
  }
  CHECK(answers(served));
  // Those that came first have given way.
  CHECK(crowd.front()->receive().empty());
}

TEST_CASE("http server: who does not take an answer is given up, and large answers are bounded together") {
  const Served served(HttpLimits{8, 5'000ms, 500ms, 1 << 20});
  const Client lazy(served);
  lazy.send("GET /large HTTP/1.1\r\n\r\n");
  REQUIRE(lazy.waits(kLong));
  const Client next(served);
  next.send("GET /large HTTP/1.1\r\n\r\n");
  CHECK(next.receive().starts_with("HTTP/1.1 503 "));
  // After its time it holds nothing any more.
  for (int i = 0; i < 300; ++i) {
    const Client later(served);
    later.send("GET /a HTTP/1.1\r\n\r\n");
    if (later.receive().starts_with("HTTP/1.1 200 ")) return;
    std::this_thread::sleep_for(100ms);
  }
  FAIL("the answer that nobody takes is kept");
}

TEST_CASE("http server: who is answered and does not hang up keeps nobody from being answered") {
  const Served served(HttpLimits{4, 5'000ms, 60'000ms});
  std::vector<std::unique_ptr<Client>> crowd;
  for (int i = 0; i < 8; ++i) {
    crowd.push_back(std::make_unique<Client>(served));
    crowd.back()->send(i % 2 == 0 ? "GET /large HTTP/1.1\r\n\r\n" : "GET /a HTTP/1.1\r\n\r\n");
    REQUIRE(crowd.back()->waits(kLong));
  }
  CHECK(answers(served));
}

TEST_CASE("http server: it ends while clients hang on it") {
  auto served = std::make_unique<Served>();
  const Client silent(*served), half(*served);
  half.send("GET / HT");
  served.reset();
  CHECK(silent.receive().empty());
}

TEST_CASE("http server: an address that is taken is said so") {
  const Served served;
  Settings settings;
  settings.listen = "127.0.0.1:" + std::to_string(served.port);
  const auto second = HttpServer::start(
      settings, {}, [](const Request&) { return Response(); }, [](const std::string&) {});
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().config_key == "http");
  CHECK(second.error().message.find("cannot listen on 127.0.0.1") != std::string::npos);
}

TEST_CASE("http server: without a certificate that can be read it does not start") {
  Settings settings;
  settings.listen = "127.0.0.1:0";
  settings.certificate = "/nowhere/tls.crt";
  settings.key = "/nowhere/tls.key";
  const auto started = HttpServer::start(
      settings, {}, [](const Request&) { return Response(); }, [](const std::string&) {});
  REQUIRE_FALSE(started.ok());
  CHECK(started.error().config_key == "http_certificate");
}

TEST_CASE("http server: a token that others can read on its way is warned of") {
  Settings settings;
  settings.token = "0123456789abcdef";
  for (const auto* reached : {"0.0.0.0:9464", "[::]:0", "192.0.2.1:9464"}) {
    settings.listen = reached;
    CHECK(warning_of(settings) == "http without http_certificate: whoever can read the network reads http_token");
  }
  settings.certificate = "/tls.crt";
  CHECK(warning_of(settings).empty());
  settings.certificate.clear();
  settings.listen = "127.0.0.1:9464";
  CHECK(warning_of(settings).empty());
}
