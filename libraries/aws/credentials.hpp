// Credentials: who signs the requests, and where the keys come from.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "cdcrt/sdk/status.hpp"

namespace cdcrt::aws {

/// Asked about once a second by the thread that waits for an answer or before another attempt: true ends the wait with RETRY. May be empty.
using Interrupted = std::function<bool()>;

/// Keys of a user or of a role. Never printed, never logged.
struct Credentials {
  std::string access_key;
  std::string secret_key;
  std::string session_token;  ///< empty: long-lived keys
  std::optional<std::chrono::system_clock::time_point> expires_at;

  [[nodiscard]] bool empty() const { return access_key.empty(); }
};

/// One place that may hold keys. Called under the provider's lock.
class CredentialsSource {
 public:
  virtual ~CredentialsSource() = default;
  /// What it is, for messages: "environment variable AWS_ACCESS_KEY_ID".
  [[nodiscard]] virtual std::string name() const = 0;
  /// Fills `out`, or leaves it empty and says in `why_not` (one short text) why there are none here. An error: the place was
  /// configured and is broken (unreadable, half a pair of keys): the chain ends there, because the next place would be a surprise.
  virtual sdk::Status find(Credentials& out, std::string& why_not) = 0;
};

struct CredentialsSettings {
  Credentials given;    ///< of the manifest; when not empty, nothing else is looked at
  std::string profile;  ///< of the manifest; when not empty, only this profile is looked at
  std::string region;   ///< where STS is asked for roles; empty: the environment's or profile's
  Interrupted interrupted;
};

/// Keys kept until 5 minutes before they expire, then asked for again from the place that had them. A refresh that fails while the
/// keys are still valid for a minute is not an error. Any thread; one thread refreshes, the others wait.
class CredentialsProvider {
 public:
  /// `configured`: what names these sources, when they are no chain that is tried one after the other ("profile 'etl'").
  explicit CredentialsProvider(std::vector<std::unique_ptr<CredentialsSource>> sources, std::string configured = {});

  /// AUTH when no place has keys: the message lists what was looked at. RETRY when an endpoint that had them does not answer.
  /// `for_long`: for work that goes on with these keys for a while: fresh ones where a quarter of an hour is not left.
  sdk::Status get(Credentials& out, bool for_long = false);
  /// The service said that `refused` is expired or invalid: when these are the cached ones the next get() asks again.
  void invalidate(const Credentials& refused);
  /// Name of the place the keys came from; empty before the first get(). For messages.
  [[nodiscard]] std::string origin() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<CredentialsSource>> sources_;
  const std::string configured_;
  CredentialsSource* found_ = nullptr;
  Credentials cached_;
  std::chrono::steady_clock::time_point asked_{};  ///< a place that hands out the same keys again is not asked at every request
};

/// Given keys; a given profile; else environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN), web identity
/// (AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE: EKS service accounts), profile (AWS_PROFILE; AWS_SHARED_CREDENTIALS_FILE, AWS_CONFIG_FILE,
/// ~/.aws/credentials, ~/.aws/config: keys, credential_process, role_arn), container endpoint (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or
/// _FULL_URI: ECS, EKS Pod Identity), instance metadata (version 2). The first that is configured is the identity: when it fails, the next
/// ones are not asked.
std::shared_ptr<CredentialsProvider> default_credentials(CredentialsSettings settings);

}  // namespace cdcrt::aws
