// The places on this machine that may hold keys: manifest, environment, profile files.
#pragma once

#include <memory>
#include <string>

#include "aws/credentials.hpp"

namespace cdcrt::aws {

std::unique_ptr<CredentialsSource> given_keys(Credentials given);
std::unique_ptr<CredentialsSource> environment_keys();
/// `given`: the manifest's profile, which then must exist; empty: $AWS_PROFILE (must exist), else "default" (may be missing).
std::unique_ptr<CredentialsSource> profile_keys(std::string given);

}  // namespace cdcrt::aws
