// HttpServer: answers on a loopback port as a test tells it, also badly.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace cdcrt::test {

struct ServerRequest {
  std::string method;
  std::string target;                          ///< path and query as sent
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;

  [[nodiscard]] std::string path() const { return target.substr(0, target.find('?')); }
  [[nodiscard]] std::string query() const {
    const auto mark = target.find('?');
    return mark == std::string::npos ? std::string() : target.substr(mark + 1);
  }
  [[nodiscard]] std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string() : found->second;
  }
};

struct ServerResponse {
  enum class Fault { kNone, kReset, kStall };
  int status = 200;
  std::string body;
  std::map<std::string, std::string> headers;
  Fault fault = Fault::kNone;  ///< instead of the answer: connection cut, or silence until the server is destroyed
};

class HttpServer {
 public:
  /// `answer` is called by one thread per connection, one at a time.
  using Answer = std::function<ServerResponse(const ServerRequest&)>;

  explicit HttpServer(Answer answer);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  /// Requests are cut in the middle of their body this many times, once this many bytes of it were read.
  void cut_bodies(int times, std::size_t after_bytes);

 private:
  void accept_all();
  void serve(int connection);

  Answer answer_;
  int listener_ = -1, port_ = 0;
  std::mutex mutex_, answering_;
  std::set<int> connections_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
  std::atomic<bool> stopping_{false};
  std::atomic<int> cuts_{0};
  std::size_t cut_after_ = 0;
};

}  // namespace cdcrt::test
