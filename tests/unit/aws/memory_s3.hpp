// MemoryS3: enough of S3 for the client's tests: verifies signatures, keeps objects and uploads, fails on command.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "aws/http_server.hpp"

namespace cdcrt::test {

class MemoryS3 {
 public:
  /// What happens to requests of `action` ("PUT object", "POST start", "PUT part", "POST complete", "POST delete", "GET list", ...; ""
  /// any).
  struct Planned {
    std::string action;
    ServerResponse response;
    bool done_anyway = false;  ///< the work is done and only the answer is replaced
  };

  static constexpr const char* kAccessKey = "AKIDEXAMPLE";
  static constexpr const char* kSecretKey = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
  static constexpr const char* kBucket = "stage";

  MemoryS3();

  void plan(std::string action, ServerResponse response, bool done_anyway = false);
  static ServerResponse error(int status, const std::string& code, const std::string& message = "as planned");
  [[nodiscard]] std::map<std::string, std::string> objects();
  [[nodiscard]] std::size_t uploads();
  /// "PUT object", ... in order.
  [[nodiscard]] std::vector<std::string> actions();
  [[nodiscard]] std::vector<ServerRequest> requests();
  /// What was wrong with signatures; empty when nothing.
  [[nodiscard]] std::string complaints();
  HttpServer& server() { return server_; }

  std::size_t page = 1000;  ///< of listings

 private:
  struct Upload {
    std::string key;
    std::map<int, std::string> parts;
  };
  ServerResponse answer(const ServerRequest& request);
  ServerResponse work(const std::string& action, const ServerRequest& request, const std::string& key,
                      std::map<std::string, std::string>& query);
  ServerResponse list(const std::map<std::string, std::string>& query);

  std::mutex mutex_;
  std::map<std::string, std::string> objects_;
  std::map<std::string, Upload> uploads_;
  std::deque<Planned> planned_;
  std::vector<std::string> actions_;
  std::vector<ServerRequest> requests_;
  std::string complaints_;
  int next_upload_ = 1;
  HttpServer server_;
};

}  // namespace cdcrt::test
