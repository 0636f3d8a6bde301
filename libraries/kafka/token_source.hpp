// TokenSource: where the tokens of SASL OAUTHBEARER come from.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "cdcrt/sdk/status.hpp"

namespace cdcrt::kafka {

using Interrupted = std::function<bool()>;

struct Token {
  std::string text;  ///< never printed, never logged
  std::chrono::system_clock::time_point expires_at;
};

/// Any thread, one at a time.
class TokenSource {
 public:
  virtual ~TokenSource() = default;
  /// A token that is good now. May take as long as the service that is asked.
  virtual sdk::Status get(Token& out) = 0;
  /// A broker refused the last one: what it was made of is asked for anew.
  virtual void refused() {}
};

/// A file that others renew, read at each call.
std::unique_ptr<TokenSource> tokens_of_file(std::string path);

struct MskIdentity {
  std::string region, brokers, profile;  ///< region may be empty: see the option
  std::chrono::seconds lifetime{900};
  Interrupted interrupted;
};
/// Amazon's IAM, as the identity of the environment or of a profile.
std::unique_ptr<TokenSource> tokens_of_msk(MskIdentity identity);

struct TokenEndpoint {
  std::string url, client_id, client_secret, scope;
  std::string ca;  ///< PEM; empty: the system's list
  Interrupted interrupted;
};
/// OAuth 2.0 client credentials (RFC 6749, 4.4).
std::unique_ptr<TokenSource> tokens_of_endpoint(TokenEndpoint endpoint);

/// The member `exp` of a JSON Web Token; nullopt: it is none, or has none. Nothing of it is verified: brokers do that.
std::optional<std::chrono::system_clock::time_point> expiry_of_token(std::string_view token);

/// How long a token is used that does not say how long it is good.
inline constexpr std::chrono::minutes kUnknownLifetime{5};

}  // namespace cdcrt::kafka
