// Requests and responses of the HTTP server: HTTP/1.0 and 1.1, without bodies of requests, one request per connection.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cdcrt::observe {

struct Request {
  std::string method, path, query;                           ///< `query`: behind the '?', as sent
  std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case

  /// Null: not there.
  [[nodiscard]] const std::string* header(std::string_view lower_case_name) const;
};

struct Response {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

/// How long the head of a request may be.
inline constexpr std::size_t kMaxHead = 8 << 10;

/// What was read so far, judged.
struct ReadRequest {
  bool is_complete = false;
  int status = 0;  ///< 0: fine; else the answer to what is no request: 400, 414, 431, 501, 505
  Request request;
};
ReadRequest read_request(std::string_view text);

/// With the head; `head_only`: without the body (HEAD).
std::string to_text(const Response& response, bool head_only);

}  // namespace cdcrt::observe
