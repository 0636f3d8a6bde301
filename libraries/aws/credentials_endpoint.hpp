// The endpoints beside a container or a machine that hand out the keys of its role.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "aws/credentials.hpp"

namespace cdcrt::aws {

/// ECS and EKS Pod Identity.
std::unique_ptr<CredentialsSource> container_keys(Interrupted interrupted);
/// EC2, metadata version 2 only.
std::unique_ptr<CredentialsSource> instance_keys(Interrupted interrupted);

/// AccessKeyId, SecretAccessKey, Token and Expiration of such an endpoint's answer. False: it is not one.
bool read_role_keys(std::string_view json, Credentials& out);

}  // namespace cdcrt::aws
