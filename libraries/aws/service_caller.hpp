// ServiceCaller: a signed request to one of Amazon's services, tried again while that can help.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "aws/credentials.hpp"
#include "aws/http.hpp"
#include "cdcrt/sdk/clock.hpp"
#include "cdcrt/sdk/status.hpp"

namespace cdcrt::aws {

/// What a service said besides its status. Empty when it is not the service's own form.
struct ServiceError {
  std::string code;     ///< "SlowDown"
  std::string message;  ///< the service's own words
};

struct ServiceAnswer {
  HttpAnswer http;
  ServiceError error;               ///< for statuses outside of 200..299, and for errors inside of a 200
  uint32_t attempts = 0;            ///< more than one: an earlier one may have done the work
  std::optional<sdk::Clock> clock;  ///< of the service, where it told

  [[nodiscard]] bool ok() const { return http.status / 100 == 2 && error.code.empty(); }
};

struct RetryRule {
  uint32_t attempts = 6;
  std::chrono::milliseconds first_wait{200}, max_wait{10000};
};

/// One thread at a time.
class ServiceCaller {
 public:
  using ReadError = ServiceError (*)(const HttpAnswer&);
  using Retried = std::function<void(std::string_view what, std::string_view why, std::chrono::milliseconds wait)>;

  /// `credentials` may be empty: then nothing is signed (the request says itself who asks).
  ServiceCaller(std::string service, std::shared_ptr<CredentialsProvider> credentials, ReadError read_error, RetryRule rule,
                Interrupted interrupted, Retried retried);

  /// Signs and sends. `what` names action and object in messages. OK: `out` holds the service's answer, whatever its status (expired keys
  /// were refreshed once, and throttling and server errors were retried). RETRY: all attempts failed for reasons that pass, or
  /// interrupted; UNREACHABLE: no such host, nothing listens, certificate; AUTH: no keys.
  /// `removes`: a request that takes away what is not wanted any more. It is made even after an interruption: once, within 5 seconds.
  sdk::Status call(HttpRequest request, std::string_view region, std::string_view what, bool removes, ServiceAnswer& out);

  uint64_t requests = 0, retries = 0, bytes_sent = 0;

 private:
  [[nodiscard]] bool interrupted() const { return interrupted_ && interrupted_(); }
  /// False: interrupted meanwhile.
  bool wait(std::chrono::milliseconds time) const;

  std::string service_;
  std::shared_ptr<CredentialsProvider> credentials_;
  ReadError read_error_;
  RetryRule rule_;
  Interrupted interrupted_;
  Retried retried_;
  HttpConnection connection_;
};

/// Doubled with each attempt (1: the first wait), half of it by chance, so that many clients do not come back together.
std::chrono::milliseconds back_off(const RetryRule& rule, uint32_t attempt);

}  // namespace cdcrt::aws
