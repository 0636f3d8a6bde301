// StatusClient: asks a running pipeline for its status.
#pragma once

#include <memory>
#include <string>

#include "cli/status_facts.hpp"
#include "diagnostics/result.hpp"

namespace cdcrt::aws {
class HttpConnection;
}

namespace cdcrt::cli {

/// Where a pipeline answers. `certificate`: a file of the certificates that are trusted; empty: the system's.
struct StatusPlace {
  std::string url;    ///< "http://127.0.0.1:9464"
  std::string token;  ///< a secret; empty: none
  std::string certificate;
};

/// A file beside a StatusPlace, as it stands. BAD_CONFIG: it cannot be read; `what` it is, for people.
Result<std::string> read_whole(const std::string& path, const std::string& what);

/// Not thread-safe.
class StatusClient {
 public:
  explicit StatusClient(StatusPlace place);
  ~StatusClient();
  StatusClient(const StatusClient&) = delete;
  StatusClient& operator=(const StatusClient&) = delete;

  /// `query`: behind the '?' of /status. UNREACHABLE: nobody answers there; BAD_CONFIG: it answers that the token is missing or wrong;
  /// BAD_RECORD: something else answers.
  Result<StatusFacts> ask(const std::string& query);

 private:
  StatusPlace place_;
  std::unique_ptr<aws::HttpConnection> connection_;
};

}  // namespace cdcrt::cli
