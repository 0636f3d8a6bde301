#include "aws/partition.hpp"

#include <array>

#include "aws/profile.hpp"

namespace cdcrt::aws {
namespace {

struct Partition {
  std::string_view name, region_prefix, home, suffix, dual_stack_suffix;
};

// The longer prefix first: us-gov- is no region of aws. Suffixes are those of botocore's partitions.json.
constexpr std::array<Partition, 8> kPartitions{{
    {"aws-cn", "cn-", "cn-north-1", "amazonaws.com.cn", "api.amazonwebservices.com.cn"},
    {"aws-us-gov", "us-gov-", "us-gov-west-1", "amazonaws.com", "api.aws"},
    {"aws-iso", "us-iso-", "us-iso-east-1", "c2s.ic.gov", "api.aws.ic.gov"},
    {"aws-iso-b", "us-isob-", "us-isob-east-1", "sc2s.sgov.gov", "api.aws.scloud"},
    {"aws-iso-e", "eu-isoe-", "eu-isoe-west-1", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"},
    {"aws-iso-f", "us-isof-", "us-isof-south-1", "csp.hci.ic.gov", "api.aws.hci.ic.gov"},
    {"aws-eusc", "eusc-", "eusc-de-east-1", "amazonaws.eu", "api.amazonwebservices.eu"},
    {"aws", "", "us-east-1", "amazonaws.com", "api.aws"},
}};

constexpr std::array<std::string_view, 9> kAreas{"us-", "eu-", "ap-", "sa-", "ca-", "me-", "af-", "il-", "mx-"};

/// AREA-PLACE-NUMBER, as all of Amazon's are.
bool has_form_of_region(std::string_view region) {
  const std::size_t last = region.rfind('-');
  if (last == std::string_view::npos || last + 1 == region.size() || region.find('-') == last) return false;
  return region.find_first_not_of("0123456789", last + 1) == std::string_view::npos;
}

const Partition* find_partition(std::string_view region) {
  if (!has_form_of_region(region)) return nullptr;
  for (const auto& partition : kPartitions)
    if (!partition.region_prefix.empty() && region.rfind(partition.region_prefix, 0) == 0) return &partition;
  for (const std::string_view area : kAreas)
    if (region.rfind(area, 0) == 0) return &kPartitions.back();
  return nullptr;
}

std::string_view host_name(Service service) {
  switch (service) {
    case Service::kS3: return "s3";
    case Service::kSts: return "sts";
    case Service::kSecretsManager: return "secretsmanager";
    case Service::kRedshift: return "redshift";
    case Service::kRedshiftServerless: return "redshift-serverless";
  }
  return "";
}

const char* endpoint_variable(Service service) {
  switch (service) {
    case Service::kS3: return "AWS_ENDPOINT_URL_S3";
    case Service::kSts: return "AWS_ENDPOINT_URL_STS";
    case Service::kSecretsManager: return "AWS_ENDPOINT_URL_SECRETS_MANAGER";
    case Service::kRedshift: return "AWS_ENDPOINT_URL_REDSHIFT";
    case Service::kRedshiftServerless: return "AWS_ENDPOINT_URL_REDSHIFT_SERVERLESS";
  }
  return "";
}

bool is_true(std::string text) {
  for (char& letter : text)
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter + ('a' - 'A'));
  return text == "true";
}

}  // namespace

std::string partition_of_region(std::string_view region) {
  const Partition* partition = find_partition(region);
  return partition == nullptr ? std::string() : std::string(partition->name);
}

std::string arn_prefix(std::string_view region) {
  const std::string partition = partition_of_region(region);
  return "arn:" + (partition.empty() ? std::string("aws") : partition);
}

std::string partition_of_arn(std::string_view arn) {
  if (arn.rfind("arn:", 0) != 0) return {};
  const std::size_t end = arn.find(':', 4);
  return end == std::string_view::npos ? std::string() : std::string(arn.substr(4, end - 4));
}

std::string home_region(std::string_view partition) {
  for (const auto& known : kPartitions)
    if (known.name == partition) return std::string(known.home);
  return "us-east-1";
}

bool of_another_partition(std::string_view arn, std::string_view region, std::string& why) {
  const std::string given = partition_of_arn(arn), here = partition_of_region(region);
  if (given.empty() || here.empty() || given == here) return false;
  why = "'" + std::string(arn) + "' is of partition " + given + ", but region " + std::string(region) + " is of partition " + here +
        ", which knows nothing of it";
  return true;
}

EndpointChoice endpoint_choice(std::string_view profile) {
  std::string fips = environment("AWS_USE_FIPS_ENDPOINT"), dual_stack = environment("AWS_USE_DUALSTACK_ENDPOINT");
  if (fips.empty() || dual_stack.empty()) {
    const Profile settings = read_profile(chosen_profile(profile));
    if (fips.empty()) fips = settings.value("use_fips_endpoint");
    if (dual_stack.empty()) dual_stack = settings.value("use_dualstack_endpoint");
  }
  return {is_true(fips), is_true(dual_stack)};
}

sdk::Status service_host(Service service, const std::string& region, EndpointChoice choice, std::string& host) {
  const Partition* known = find_partition(region);
  const Partition& partition = known == nullptr ? kPartitions.back() : *known;
  std::string name(host_name(service));
  if (service == Service::kS3) {
    if (choice.fips && partition.name == "aws-cn") {
      return sdk::Status::bad_config("", "S3 has no FIPS endpoints in region " + region,
                                     "unset AWS_USE_FIPS_ENDPOINT and use_fips_endpoint of the profile");
    }
    host = name + (choice.fips ? "-fips." : ".") + (choice.dual_stack ? "dualstack." : "") + region + "." + std::string(partition.suffix);
    return {};
  }
  // Where the plain hosts are dual-stack, or FIPS, there are no others of that name.
  if (service == Service::kSecretsManager &&
      (partition.name == "aws" || partition.name == "aws-us-gov" || (partition.name == "aws-cn" && !choice.fips)))
    choice.dual_stack = false;
  if (partition.name == "aws-us-gov" && !choice.dual_stack && (service == Service::kSts || service == Service::kRedshift))
    choice.fips = false;
  host = name + (choice.fips ? "-fips." : ".") + region + "." +
         std::string(choice.dual_stack ? partition.dual_stack_suffix : partition.suffix);
  return {};
}

sdk::Status find_endpoint(Service service, const std::string& region, std::string_view profile, const std::string& option,
                          std::string& given, Endpoint& out) {
  std::string origin = "option " + option;
  for (const char* variable : {endpoint_variable(service), "AWS_ENDPOINT_URL"}) {
    if (!given.empty()) break;
    given = environment(variable);
    origin = variable;
  }
  if (given.empty()) {
    out = Endpoint{"https", "", ""};
    return service_host(service, region, endpoint_choice(profile), out.authority);
  }
  if (parse_endpoint(given, out)) return {};
  // What is written before an '@' may be a password.
  const std::string shown = given.find('@') == std::string::npos ? "'" + given + "'" : "a text with '@'";
  if (origin.rfind("option", 0) == 0) {
    return sdk::Status::bad_config(option, shown + " is no http or https URL of a host", "write https://host:port");
  }
  return sdk::Status::bad_config("", "environment variable " + origin + " (" + shown + ") is no http or https URL of a host",
                                 "write it like https://host:port, or unset it");
}

}  // namespace cdcrt::aws
