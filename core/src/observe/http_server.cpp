#include "observe/http_server.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <list>
#include <thread>
#include <utility>
#include <vector>

#include "observe/http_connection.hpp"
#include "observe/tls.hpp"

namespace cdcrt::observe {
namespace {

using Clock = HttpConnection::Clock;

constexpr int kBacklog = 128;
constexpr int kAcceptsInARow = 32;
constexpr auto kPauseWithoutFiles = std::chrono::milliseconds(200);
constexpr auto kRenewInterval = std::chrono::seconds(10);

Error cannot_listen(const std::string& listen) {
  Error error = make_error(CDCRT_UNREACHABLE, "cannot listen on " + listen + ": " + std::strerror(errno),
                           "another process may listen there; give another port, or 0 for any that is free");
  error.config_key = "http";
  return error;
}

struct Listening {
  FileDescriptor socket;
  uint16_t port = 0;
};

Result<Listening> listen_on(const std::string& text, const Address& address) {
  sockaddr_storage place{};
  socklen_t size = 0;
  if (address.is_ipv6) {
    auto& six = reinterpret_cast<sockaddr_in6&>(place);
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(address.port);
    ::inet_pton(AF_INET6, address.host.c_str(), &six.sin6_addr);
    size = sizeof six;
  } else {
    auto& four = reinterpret_cast<sockaddr_in&>(place);
    four.sin_family = AF_INET;
    four.sin_port = htons(address.port);
    ::inet_pton(AF_INET, address.host.c_str(), &four.sin_addr);
    size = sizeof four;
  }
  Listening made{FileDescriptor(::socket(place.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0))};
  const int one = 1;
  if (made.socket.get() < 0) return cannot_listen(text);
  (void)::setsockopt(made.socket.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  auto* const generic = reinterpret_cast<sockaddr*>(&place);
  if (::bind(made.socket.get(), generic, size) != 0 || ::listen(made.socket.get(), kBacklog) != 0) return cannot_listen(text);
  size = sizeof place;
  (void)::getsockname(made.socket.get(), generic, &size);
  made.port = ntohs(address.is_ipv6 ? reinterpret_cast<sockaddr_in6&>(place).sin6_port : reinterpret_cast<sockaddr_in&>(place).sin_port);
  return made;
}

class PollingServer final : public HttpServer {
 public:
  PollingServer(Listening listening, std::unique_ptr<Tls> tls, const HttpLimits& limits, Handler handler, Warn warn, std::string url)
      : listener_(std::move(listening.socket)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), tls_(std::move(tls)), limits_(limits),
        handler_(std::move(handler)), warn_(std::move(warn)), url_(std::move(url)) {
    thread_ = std::thread([this] { work(); });
  }

  ~PollingServer() override {
    stopping_ = true;
    (void)::eventfd_write(wake_.get(), 1);
    thread_.join();
  }

  [[nodiscard]] const std::string& url() const override { return url_; }

 private:
  void work() {
    std::vector<pollfd> polled;
    while (!stopping_) {
      const auto now = Clock::now();
      connections_.remove_if([&](const HttpConnection& connection) { return connection.is_over(now); });
      polled.assign({{wake_.get(), POLLIN, 0}, {now < accepts_again_ ? -1 : listener_.get(), POLLIN, 0}});
      auto until = std::max(accepts_again_, now);
      until = until == now ? now + std::chrono::seconds(10) : until;
      for (const HttpConnection& connection : connections_) {
        polled.push_back({connection.socket(), connection.events(), 0});
        until = std::min(until, connection.deadline());
      }
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - now).count();
      (void)::poll(polled.data(), polled.size(), static_cast<int>(std::max<int64_t>(0, left)));
      std::size_t place = 2;
      for (HttpConnection& connection : connections_) {
        if (polled[place++].revents != 0) serve(connection);
      }
      if (polled[1].revents != 0) accept();
    }
  }

  void accept() {
    for (int i = 0; i < kAcceptsInARow; ++i) {
      FileDescriptor socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (socket.get() < 0) {
        // Files belong to the pipeline first: whoever asks here waits.
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) accepts_again_ = Clock::now() + kPauseWithoutFiles;
        return;
      }
      if (connections_.size() >= limits_.connections) make_room();
      connections_.emplace_back(std::move(socket), begin_tls(), Clock::now() + limits_.request);
      // What came with the connection is answered at once, before others take its place.
      serve(connections_.back());
    }
  }

  /// The one that has been asking for longest gives way; where none asks, the one that has been here for longest.
  void make_room() {
    const auto is_asking = [](const HttpConnection& connection) { return connection.is_asking(); };
    const auto longest = std::find_if(connections_.begin(), connections_.end(), is_asking);  // they stand in the order in which they came
    connections_.erase(longest == connections_.end() ? connections_.begin() : longest);
  }

  std::unique_ptr<TlsSession> begin_tls() {
    if (!tls_) return nullptr;
    const auto now = Clock::now();
    if (now >= renews_at_) {
      renews_at_ = now + kRenewInterval;
      if (auto renewed = tls_->renew(); !renewed) warn_("the certificate from before is used on: " + explain(renewed.error()));
    }
    return tls_->begin();
  }

  void serve(HttpConnection& connection) {
    if (!connection.is_asking()) {
      connection.go_on();
      return;
    }
    if (!connection.receive()) return;
    const ReadRequest& read = connection.request();
    Response response;
    if (read.status != 0) {
      response.status = read.status;
      response.body = "this is no request that is understood here\n";
    } else if (bytes_on_their_way() > limits_.response_bytes) {
      response.status = 503;
      response.body = "too many answers are on their way\n";
    } else {
      response = handler_(read.request);
    }
    connection.answer(to_text(response, read.request.method == "HEAD"), Clock::now() + limits_.response);
  }

  [[nodiscard]] std::size_t bytes_on_their_way() const {
    std::size_t bytes = 0;
    for (const HttpConnection& connection : connections_) bytes += connection.bytes_to_send();
    return bytes;
  }

  FileDescriptor listener_, wake_;
  std::unique_ptr<Tls> tls_;
  const HttpLimits limits_;
  const Handler handler_;
  const Warn warn_;
  const std::string url_;
  std::list<HttpConnection> connections_;
  Clock::time_point accepts_again_{}, renews_at_{};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace

std::string warning_of(const Settings& settings) {
  const auto address = read_address(settings.listen);
  if (!address || address->is_loopback || !settings.certificate.empty()) return {};
  return "http without http_certificate: whoever can read the network reads http_token";
}

Result<std::unique_ptr<HttpServer>> HttpServer::start(const Settings& settings, const HttpLimits& limits, Handler handler, Warn warn) {
  auto address = read_address(settings.listen);
  if (!address) return std::move(address.error());
  std::unique_ptr<Tls> tls;
  if (!settings.certificate.empty()) {
    auto opened = Tls::open(settings.certificate, settings.key);
    if (!opened) return std::move(opened.error());
    tls = std::move(*opened);
  }
  auto listening = listen_on(settings.listen, *address);
  if (!listening) return std::move(listening.error());
  if (const std::string warning = warning_of(settings); !warning.empty()) warn(warning);
  const std::string url = std::string(tls ? "https" : "http") + "://" + (address->is_ipv6 ? "[" + address->host + "]" : address->host) +
                          ":" + std::to_string(listening->port);
  return std::unique_ptr<HttpServer>(
      std::make_unique<PollingServer>(std::move(*listening), std::move(tls), limits, std::move(handler), std::move(warn), url));
}

}  // namespace cdcrt::observe
