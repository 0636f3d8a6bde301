#include "observe/http_connection.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace cdcrt::observe {
namespace {

// Of a handshake, or a head with what follows it: nobody needs more before the answer.
constexpr std::size_t kMaxReceived = 64 << 10;

}  // namespace

FileDescriptor::~FileDescriptor() {
  if (number_ >= 0) ::close(number_);
}

short HttpConnection::events() const {
  if (state_ == State::kAsking) return static_cast<short>(POLLIN | (sent_ < out_.size() ? POLLOUT : 0));
  return state_ == State::kAnswered ? POLLOUT : POLLIN;
}

bool HttpConnection::receive() {
  std::array<char, 4096> piece{};
  std::size_t received = 0;
  bool is_at_end = false;
  while (received < kMaxReceived) {
    const ssize_t count = ::recv(socket_.get(), piece.data(), piece.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    if (count < 0) {
      state_ = State::kOver;
      return false;
    }
    if (count == 0) {
      is_at_end = true;
      break;
    }
    received += static_cast<std::size_t>(count);
    const std::string_view bytes(piece.data(), static_cast<std::size_t>(count));
    if (!tls_) {
      in_ += bytes;
    } else if (!tls_->receive(bytes, in_)) {
      // An alert may say why.
      out_ += tls_->take();
      state_ = State::kAnswered;
      send();
      return false;
    }
    is_at_end = tls_ && tls_->is_at_end();
    if (is_at_end || in_.size() > kMaxHead) break;
  }
  if (tls_) {
    out_ += tls_->take();
    send();
    if (state_ != State::kAsking) return false;
  }
  request_ = read_request(in_);
  // One that sends no more may still wait for its answer.
  if (is_at_end && !request_.is_complete) state_ = State::kOver;
  return request_.is_complete;
}

void HttpConnection::answer(const std::string& text, Clock::time_point deadline) {
  in_ = {};
  deadline_ = deadline;
  state_ = State::kAnswered;
  if (!tls_) {
    out_ += text;
  } else if (tls_->send(text)) {
    tls_->close();
    out_ += tls_->take();
  } else {
    state_ = State::kOver;
    return;
  }
  send();
}

void HttpConnection::send() {
  while (sent_ < out_.size()) {
    const ssize_t count = ::send(socket_.get(), out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (count <= 0) {
      state_ = State::kOver;
      return;
    }
    sent_ += static_cast<std::size_t>(count);
  }
  out_.clear();
  sent_ = 0;
  if (state_ != State::kAnswered) return;
  // Closed at once, what the client still sends would make its system throw the answer away.
  (void)::shutdown(socket_.get(), SHUT_WR);
  state_ = State::kEnding;
  deadline_ = std::min(deadline_, Clock::now() + std::chrono::seconds(1));
}

void HttpConnection::go_on() {
  if (state_ == State::kAnswered) return send();
  std::array<char, 4096> rest{};
  for (int i = 0; i < 16; ++i) {
    const ssize_t count = ::recv(socket_.get(), rest.data(), rest.size(), 0);
    if (count > 0 || (count < 0 && errno == EINTR)) continue;
    if (count == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) state_ = State::kOver;
    return;
  }
}

}  // namespace cdcrt::observe
