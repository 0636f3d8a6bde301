// The places on this machine that may hold keys: manifest and environment.
#pragma once

#include <memory>
#include <string>

#include "aws/credentials.hpp"

namespace cdcrt::aws {

std::unique_ptr<CredentialsSource> given_keys(Credentials given);
std::unique_ptr<CredentialsSource> environment_keys();

}  // namespace cdcrt::aws
