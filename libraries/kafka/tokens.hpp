// Tokens: keeps handles of librdkafka supplied with tokens for SASL OAUTHBEARER.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cdcrt/sdk/status.hpp"
#include "kafka/token_source.hpp"

struct rd_kafka_s;

namespace cdcrt::kafka {

/// One for all handles of a source or sink. Any thread.
class Tokens {
 public:
  /// What librdkafka is told of a token that a broker refused, and tells its error callback.
  static constexpr const char* kRefused = "a broker refused it";

  Tokens(std::unique_ptr<TokenSource> source, std::vector<std::pair<std::string, std::string>> extensions)
      : source_(std::move(source)), extensions_(std::move(extensions)) {}

  /// Gives the handle a token, or says that there is none: then librdkafka tells its error callback, and asks again 10 s later.
  void give(rd_kafka_s* handle);
  /// A broker refused the handle's token: another one is made. Asks nobody by itself.
  void refused(rd_kafka_s* handle);
  /// Why there was no token the last time; OK where there was one.
  [[nodiscard]] sdk::Status failure() const;

 private:
  sdk::Status get(Token& out);
  const std::unique_ptr<TokenSource> source_;
  const std::vector<std::pair<std::string, std::string>> extensions_;
  std::mutex getting_;
  mutable std::mutex mutex_;
  Token last_;
  std::chrono::system_clock::time_point made_at_{};
  cdcrt_code failure_code_ = CDCRT_OK;
  std::string failure_, hint_;
};

}  // namespace cdcrt::kafka
