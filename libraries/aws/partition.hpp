// Partitions: the separate Amazon clouds (aws, aws-cn, aws-us-gov, ...), and the host that a service has in one of their regions.
#pragma once

#include <string>
#include <string_view>

#include "aws/uri.hpp"
#include "cdcrt/sdk/status.hpp"

namespace cdcrt::aws {

enum class Service { kS3, kSts, kSecretsManager, kRedshift, kRedshiftServerless };

/// "aws-cn" for "cn-north-1". Empty: the form of the name is none of Amazon's (an S3 server of one's own).
std::string partition_of_region(std::string_view region);
/// What an ARN in that region begins with: "arn:aws-cn". Regions of an unknown form: "arn:aws".
std::string arn_prefix(std::string_view region);
/// "aws-cn" for "arn:aws-cn:iam::...". Empty: no ARN.
std::string partition_of_arn(std::string_view arn);
/// The region where a partition's STS is asked when nothing else names one.
std::string home_region(std::string_view partition);

/// True when both are known and differ: an identity of one partition is nothing in another. `why` says so in words.
bool of_another_partition(std::string_view arn, std::string_view region, std::string& why);

/// Which of a service's hosts.
struct EndpointChoice {
  bool fips = false;
  bool dual_stack = false;
};
/// $AWS_USE_FIPS_ENDPOINT and $AWS_USE_DUALSTACK_ENDPOINT, else use_fips_endpoint and use_dualstack_endpoint of the profile.
EndpointChoice endpoint_choice(std::string_view profile);

/// BAD_CONFIG where that host does not exist (S3 has no FIPS hosts in China).
sdk::Status service_host(Service service, const std::string& region, EndpointChoice choice, std::string& host);

/// The endpoint that is given (a setting, its option named `option`), else $AWS_ENDPOINT_URL_<SERVICE>, $AWS_ENDPOINT_URL, else Amazon's of
/// the region. BAD_CONFIG when it is no URL of a host. `given` is set to what the environment says, and stays empty for Amazon's.
sdk::Status find_endpoint(Service service, const std::string& region, std::string_view profile, const std::string& option,
                          std::string& given, Endpoint& out);

}  // namespace cdcrt::aws
