// Presigned URLs: signature version 4 in the query of an address, so that whoever holds the address can make the request until it expires.
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "aws/credentials.hpp"

namespace cdcrt::aws {

/// A GET that is signed and not made.
struct PresignRequest {
  std::string service;
  std::string region;
  std::string host;
  std::string path = "/";  ///< encoded
  std::vector<std::pair<std::string, std::string>> parameters;
  std::chrono::seconds lifetime{900};
  /// Digest of the body: that of an empty one, or UNSIGNED-PAYLOAD (S3).
  std::string payload;
};

/// https://HOST PATH?... with the parameters and X-Amz-*. As secret as a password while it is good.
std::string presigned_url(const PresignRequest& request, const Credentials& keys, std::chrono::system_clock::time_point now);

}  // namespace cdcrt::aws
