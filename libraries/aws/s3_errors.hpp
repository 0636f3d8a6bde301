// What S3's refusals mean, and what to do about each.
#pragma once

#include <string>
#include <string_view>

#include "aws/s3_settings.hpp"
#include "aws/service_caller.hpp"
#include "cdcrt/sdk/status.hpp"

namespace cdcrt::aws {

/// Code and Message of S3's XML; also of a 200 that holds an Error.
ServiceError read_s3_error(const HttpAnswer& answer);

/// The request that was refused.
struct S3Action {
  std::string_view name;    ///< "s3:PutObject"
  std::string_view object;  ///< key, or prefix of a listing; may be empty
  bool of_bucket = false;   ///< the grant is on the bucket, not on its objects
};

/// "s3:PutObject s3://bucket/key".
std::string describe(const S3Action& action, const S3Settings& settings);

/// A Status for an answer that is not OK and that no further attempt mends.
sdk::Status explain_refusal(const ServiceAnswer& answer, const S3Action& action, const S3Settings& settings, std::string_view keys_origin);

}  // namespace cdcrt::aws
