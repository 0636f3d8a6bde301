// HttpConnection: one request after the other over a connection that is kept alive.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/credentials.hpp"

namespace cdcrt::aws {

/// Signature version 4 of a request. Borrowed for the call.
struct HttpSignature {
  const Credentials* credentials = nullptr;
  std::string_view region;
  std::string_view service;
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;                   ///< encoded, query parameters sorted, each with '='
  std::vector<std::string> headers;  ///< "name: value"
  std::string_view body;
  std::string_view ca;  ///< PEM of the certificates that are trusted; empty: the system's list, or $AWS_CA_BUNDLE
  std::chrono::milliseconds connect_timeout{5000};
  std::chrono::milliseconds stall_timeout{30000};  ///< no byte in either direction; whole seconds, at least one
  std::chrono::milliseconds total_timeout{0};      ///< 0: none
  bool fresh = false;       ///< over a connection of its own: one that was kept may be dead, and libcurl then sends again
  bool link_local = false;  ///< an address of this machine's own network: never by way of a proxy
};

enum class HttpFailure : uint8_t {
  kNone,         ///< there is an answer
  kUnreachable,  ///< no such host, nothing listens
  kTimeout,      ///< connecting or stalled
  kBroken,       ///< reset, cut short, not HTTP
  kCertificate,  ///< TLS was refused by either side
  kInterrupted   ///< by the owner
};

struct HttpAnswer {
  HttpFailure failure = HttpFailure::kNone;
  std::string failure_text;  ///< libcurl's own words
  int status = 0;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case

  /// Empty when there is none.
  [[nodiscard]] std::string_view header(std::string_view name) const;
  /// Of the server's clock, to a second (the header Date).
  [[nodiscard]] std::optional<std::chrono::system_clock::time_point> date() const;
};

/// One thread at a time. Certificates are checked against the system's list or $AWS_CA_BUNDLE; redirects are not followed.
class HttpConnection {
 public:
  HttpConnection();
  ~HttpConnection();
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  /// Never throws for what the network does. With `signature`, x-amz-content-sha256 must be among the headers for S3.
  HttpAnswer send(const HttpRequest& request, const HttpSignature* signature, const Interrupted& interrupted);

 private:
  class Handle;
  std::unique_ptr<Handle> handle_;
};

}  // namespace cdcrt::aws
