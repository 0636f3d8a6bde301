// S3 settings: which bucket, where it is and how it is spoken to.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "cdcrt/sdk/status.hpp"

namespace cdcrt::aws {

/// "s3://bucket/some/prefix/" in parts. `prefix` has no leading slash and is empty or ends with one.
struct S3Location {
  std::string bucket;
  std::string prefix;
};

/// BAD_CONFIG with `option` (dotted, "staging.url") when it is no S3 URL, or its bucket's name cannot exist.
sdk::Status parse_s3_url(std::string_view url, std::string_view option, S3Location& out);

/// "s3://bucket/key".
std::string s3_url(std::string_view bucket, std::string_view key);

enum class Encryption : uint8_t {
  kBucketDefault,  ///< no header: what the bucket says
  kS3,             ///< AES256
  kKms             ///< aws:kms, with `kms_key` or the account's aws/s3 key
};

/// Settings of one bucket. Checked by S3Client's first call.
struct S3Settings {
  std::string bucket;
  std::string region;       ///< empty: $AWS_REGION, $AWS_DEFAULT_REGION, the profile's; else BAD_CONFIG
  std::string profile;      ///< for the region; empty: $AWS_PROFILE, else "default"
  std::string endpoint;     ///< "https://host[:port]"; empty: $AWS_ENDPOINT_URL_S3, $AWS_ENDPOINT_URL, else Amazon's of the region
  bool path_style = false;  ///< https://endpoint/bucket/key rather than https://bucket.endpoint/key; set for names with dots
  Encryption encryption = Encryption::kBucketDefault;
  std::string kms_key;              ///< id or ARN; only with kKms
  std::string options = "staging";  ///< the option table that holds these, for messages and BAD_CONFIG keys

  std::chrono::milliseconds connect_timeout{5000};
  std::chrono::milliseconds stall_timeout{30000};  ///< no byte moved for this long: the attempt has failed
  uint32_t attempts = 6;                           ///< of one request, the first included
  std::chrono::milliseconds first_wait{200};       ///< before the second attempt; doubled each time, half of it by chance
  std::chrono::milliseconds max_wait{10000};
};

}  // namespace cdcrt::aws
