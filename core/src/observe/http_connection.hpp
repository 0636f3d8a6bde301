// HttpConnection: one client of the HTTP server, from its first byte to its last.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "observe/http_message.hpp"
#include "observe/tls.hpp"

namespace cdcrt::observe {

class FileDescriptor {
 public:
  explicit FileDescriptor(int number = -1) : number_(number) {}
  FileDescriptor(FileDescriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~FileDescriptor();
  [[nodiscard]] int get() const { return number_; }

 private:
  int number_;
};

/// Asks, is answered, and is waited for until it has hung up. Its socket does not block. One thread.
class HttpConnection {
 public:
  using Clock = std::chrono::steady_clock;
  /// `tls`: null without.
  HttpConnection(FileDescriptor socket, std::unique_ptr<TlsSession> tls, Clock::time_point deadline)
      : socket_(std::move(socket)), tls_(std::move(tls)), deadline_(deadline) {}

  [[nodiscard]] int socket() const { return socket_.get(); }
  /// What to poll for.
  [[nodiscard]] short events() const;
  [[nodiscard]] Clock::time_point deadline() const { return deadline_; }
  [[nodiscard]] bool is_over(Clock::time_point now) const { return state_ == State::kOver || now >= deadline_; }
  [[nodiscard]] bool is_asking() const { return state_ == State::kAsking; }
  [[nodiscard]] std::size_t bytes_to_send() const { return out_.size() - sent_; }

  /// Reads what came. True: request() is complete, or is none, and wants an answer.
  bool receive();
  [[nodiscard]] const ReadRequest& request() const { return request_; }
  void answer(const std::string& text, Clock::time_point deadline);
  /// Sends on, or takes note that the client hung up.
  void go_on();

 private:
  enum class State : uint8_t { kAsking, kAnswered, kEnding, kOver };
  void send();

  FileDescriptor socket_;
  std::unique_ptr<TlsSession> tls_;
  Clock::time_point deadline_;
  State state_ = State::kAsking;
  std::string in_;
  ReadRequest request_;
  std::string out_;
  std::size_t sent_ = 0;
};

}  // namespace cdcrt::observe
