// SecretsManager: a secret's text, or one member of its JSON object.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "aws/credentials.hpp"
#include "cdcrt/sdk/status.hpp"

namespace cdcrt::aws {

/// What "id" or "id#key" names. An id is a name, or an ARN, whose region then counts.
struct SecretReference {
  std::string id;
  std::string key;  ///< empty: the whole text

  /// BAD_CONFIG when it is neither. No request is made.
  static sdk::Status parse(std::string_view text, SecretReference& out);
};

/// Member `reference.key` of a secret's JSON object (texts as they are, numbers and booleans as written), or the whole when there is no
/// key.
sdk::Status member_of_secret(const std::string& secret, const SecretReference& reference, std::string& out);

/// GetSecretValue. One thread at a time. Region: of the ARN, $AWS_REGION, $AWS_DEFAULT_REGION, the profile's. Endpoint:
/// $AWS_ENDPOINT_URL_SECRETS_MANAGER, $AWS_ENDPOINT_URL, else Amazon's of the region.
class SecretsManager {
 public:
  explicit SecretsManager(std::shared_ptr<CredentialsProvider> credentials, Interrupted interrupted = {});
  ~SecretsManager();
  SecretsManager(const SecretsManager&) = delete;
  SecretsManager& operator=(const SecretsManager&) = delete;

  /// Current version. BAD_CONFIG: no such secret, no such key in it, no region, binary secret; AUTH: no or wrong keys;
  /// FATAL: not granted; RETRY, UNREACHABLE: the service did not answer after some attempts (a few seconds in all).
  sdk::Status get(const SecretReference& reference, std::string& out);

 private:
  class Requests;
  std::unique_ptr<Requests> requests_;
};

}  // namespace cdcrt::aws
