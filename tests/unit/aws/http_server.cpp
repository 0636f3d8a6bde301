#include "aws/http_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

namespace cdcrt::test {
namespace {

bool send_all(int connection, const std::string& text) {
  for (std::size_t sent = 0; sent < text.size();) {
    const auto count = ::send(connection, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (count <= 0) return false;
    sent += static_cast<std::size_t>(count);
  }
  return true;
}

/// Closing with something unread, and without lingering, is what a reset looks like to the other side.
void reset(int connection) {
  const linger now{1, 0};
  ::setsockopt(connection, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

std::string lower(std::string text) {
  for (char& letter : text) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  return text;
}

ServerRequest parse_head(const std::string& head) {
  ServerRequest request;
  const auto line_end = head.find("\r\n");
  const std::string line = head.substr(0, line_end);
  const auto first = line.find(' '), second = line.find(' ', first + 1);
  request.method = line.substr(0, first);
  request.target = line.substr(first + 1, second - first - 1);
  for (std::size_t begin = line_end + 2; begin < head.size();) {
    const auto end = head.find("\r\n", begin);
    const std::string header = head.substr(begin, end - begin);
    const auto colon = header.find(':');
    if (colon != std::string::npos) {
      const auto value = header.find_first_not_of(' ', colon + 1);
      request.headers[lower(header.substr(0, colon))] = value == std::string::npos ? std::string() : header.substr(value);
    }
    begin = end + 2;
  }
  return request;
}

}  // namespace

HttpServer::HttpServer(Answer answer) : answer_(std::move(answer)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 16) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("the test's server cannot listen");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

HttpServer::~HttpServer() {
  stopping_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  ::close(listener_);
  {
    const std::lock_guard lock(mutex_);
    for (const int connection : connections_) ::shutdown(connection, SHUT_RDWR);
  }
  for (auto& thread : threads_) thread.join();
}

void HttpServer::cut_bodies(int times, std::size_t after_bytes) {
  cut_after_ = after_bytes;
  cuts_ = times;
}

void HttpServer::accept_all() {
  while (!stopping_) {
    const int connection = ::accept(listener_, nullptr, nullptr);
    if (connection < 0) continue;
    const std::lock_guard lock(mutex_);
    connections_.insert(connection);
    threads_.emplace_back([this, connection] {
      serve(connection);
      const std::lock_guard closing(mutex_);
      connections_.erase(connection);
      ::close(connection);
    });
  }
}

void HttpServer::serve(int connection) {
  std::string buffer;
  char chunk[65536];
  const auto receive = [&] {
    const auto count = ::recv(connection, chunk, sizeof chunk, 0);
    if (count > 0) buffer.append(chunk, static_cast<std::size_t>(count));
    return count > 0;
  };
  while (!stopping_) {
    std::size_t end = 0;
    while ((end = buffer.find("\r\n\r\n")) == std::string::npos)
      if (!receive()) return;
    ServerRequest request = parse_head(buffer.substr(0, end + 2));
    buffer.erase(0, end + 4);
    const std::string length = request.header("content-length");
    const std::size_t body = length.empty() ? 0 : std::stoull(length);
    if (!request.header("expect").empty() && !send_all(connection, "HTTP/1.1 100 Continue\r\n\r\n")) return;
    const bool cut = body > cut_after_ && cuts_ > 0;
    while (buffer.size() < (cut ? cut_after_ : body))
      if (!receive()) return;
    if (cut) {
      --cuts_;
      return reset(connection);
    }
    request.body = buffer.substr(0, body);
    buffer.erase(0, body);

    ServerResponse response;
    {
      const std::lock_guard lock(answering_);
      response = answer_(request);
    }
    if (response.fault == ServerResponse::Fault::kReset) return reset(connection);
    if (response.fault == ServerResponse::Fault::kStall) {
      while (receive()) {
      }
      return;
    }
    std::string text = "HTTP/1.1 " + std::to_string(response.status) + " Said\r\n";
    for (const auto& [name, value] : response.headers) text += name + ": " + value + "\r\n";
    if (response.headers.count("Content-Length") == 0) text += "Content-Length: " + std::to_string(response.body.size()) + "\r\n";
    text += "\r\n";
    if (request.method != "HEAD") text += response.body;
    if (!send_all(connection, text)) return;
  }
}

}  // namespace cdcrt::test
