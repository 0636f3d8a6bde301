// The identity of a profile: keys of its own, a command, a role by way of another identity, a web identity.
#pragma once

#include <memory>
#include <string>

#include "aws/credentials.hpp"

namespace cdcrt::aws {

/// `settings.profile`: the manifest's profile, which then must exist and hold an identity; empty: $AWS_PROFILE (likewise), else "default"
/// (may be missing, and may hold none). What a profile names is its identity or an error: no other place is looked at then.
std::unique_ptr<CredentialsSource> profile_keys(const CredentialsSettings& settings);

}  // namespace cdcrt::aws
