// Roles: temporary keys of a role from the Security Token Service, by the keys of another identity or by a token of a web identity.
#pragma once

#include <memory>
#include <string>

#include "aws/credentials.hpp"

namespace cdcrt::aws {

/// What is asked of STS, and how the identity is called in messages.
struct Role {
  std::string shown;    ///< "profile 'etl'", "web identity of the environment"
  std::string setting;  ///< where the ARN was given: "AWS_ROLE_ARN", "role_arn of profile 'etl'"
  std::string arn;
  std::string session_name;  ///< empty: cdcrt-HOST
  std::string external_id;
  std::string duration;    ///< seconds; empty: the service's default, one hour
  std::string token_file;  ///< of a web identity: read anew at each refresh, because others renew it
  std::string region;      ///< empty: the environment's or profile's, else the home of the ARN's partition
  std::string profile;     ///< for region and endpoint
};

/// AssumeRole, signed by `base`.
std::unique_ptr<CredentialsSource> assumed_role(Role role, std::shared_ptr<CredentialsProvider> base, Interrupted interrupted);
/// AssumeRoleWithWebIdentity, which is not signed: the token says who asks.
std::unique_ptr<CredentialsSource> web_identity_role(Role role, Interrupted interrupted);
/// The web identity of $AWS_ROLE_ARN and $AWS_WEB_IDENTITY_TOKEN_FILE (EKS service accounts: IRSA).
std::unique_ptr<CredentialsSource> web_identity_of_environment(std::string region, Interrupted interrupted);

/// "2030-01-02T03:04:05Z", also with a fraction. False: it is no such time.
bool read_time(const std::string& text, std::chrono::system_clock::time_point& out);

}  // namespace cdcrt::aws
