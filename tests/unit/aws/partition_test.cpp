#include "aws/partition.hpp"

#include <doctest/doctest.h>

#include "aws/environment.hpp"

using namespace cdcrt;
using aws::Service;

TEST_CASE("partition: the hosts of a service are those of Amazon's own rules, with FIPS and dual-stack") {
  struct Case {
    Service service;
    const char* region;
    const char* hosts[4];  // plain, dual-stack, FIPS, both; "": there is none
  };
  // What botocore 1.44's endpoint rules answer.
  // clang-format off
  const Case cases[] = {
    {Service::kS3, "eu-west-1", {"s3.eu-west-1.amazonaws.com", "s3.dualstack.eu-west-1.amazonaws.com", "s3-fips.eu-west-1.amazonaws.com", "s3-fips.dualstack.eu-west-1.amazonaws.com"}},
    {Service::kS3, "cn-northwest-1", {"s3.cn-northwest-1.amazonaws.com.cn", "s3.dualstack.cn-northwest-1.amazonaws.com.cn", "", ""}},
    {Service::kS3, "us-gov-west-1", {"s3.us-gov-west-1.amazonaws.com", "s3.dualstack.us-gov-west-1.amazonaws.com", "s3-fips.us-gov-west-1.amazonaws.com", "s3-fips.dualstack.us-gov-west-1.amazonaws.com"}},
    {Service::kS3, "eusc-de-east-1", {"s3.eusc-de-east-1.amazonaws.eu", "s3.dualstack.eusc-de-east-1.amazonaws.eu", "s3-fips.eusc-de-east-1.amazonaws.eu", "s3-fips.dualstack.eusc-de-east-1.amazonaws.eu"}},
    {Service::kS3, "us-isob-east-1", {"s3.us-isob-east-1.sc2s.sgov.gov", "s3.dualstack.us-isob-east-1.sc2s.sgov.gov", "s3-fips.us-isob-east-1.sc2s.sgov.gov", "s3-fips.dualstack.us-isob-east-1.sc2s.sgov.gov"}},
    {Service::kSts, "eu-west-1", {"sts.eu-west-1.amazonaws.com", "sts.eu-west-1.api.aws", "sts-fips.eu-west-1.amazonaws.com", "sts-fips.eu-west-1.api.aws"}},
    {Service::kSts, "cn-northwest-1", {"sts.cn-northwest-1.amazonaws.com.cn", "sts.cn-northwest-1.api.amazonwebservices.com.cn", "sts-fips.cn-northwest-1.amazonaws.com.cn", "sts-fips.cn-northwest-1.api.amazonwebservices.com.cn"}},
    {Service::kSts, "us-gov-west-1", {"sts.us-gov-west-1.amazonaws.com", "sts.us-gov-west-1.api.aws", "sts.us-gov-west-1.amazonaws.com", "sts-fips.us-gov-west-1.api.aws"}},
    {Service::kSts, "eusc-de-east-1", {"sts.eusc-de-east-1.amazonaws.eu", "sts.eusc-de-east-1.api.amazonwebservices.eu", "sts-fips.eusc-de-east-1.amazonaws.eu", "sts-fips.eusc-de-east-1.api.amazonwebservices.eu"}},
    {Service::kSts, "us-isob-east-1", {"sts.us-isob-east-1.sc2s.sgov.gov", "sts.us-isob-east-1.api.aws.scloud", "sts-fips.us-isob-east-1.sc2s.sgov.gov", "sts-fips.us-isob-east-1.api.aws.scloud"}},
    {Service::kSecretsManager, "eu-west-1", {"secretsmanager.eu-west-1.amazonaws.com", "secretsmanager.eu-west-1.amazonaws.com", "secretsmanager-fips.eu-west-1.amazonaws.com", "secretsmanager-fips.eu-west-1.amazonaws.com"}},
    {Service::kSecretsManager, "cn-northwest-1", {"secretsmanager.cn-northwest-1.amazonaws.com.cn", "secretsmanager.cn-northwest-1.amazonaws.com.cn", "secretsmanager-fips.cn-northwest-1.amazonaws.com.cn", "secretsmanager-fips.cn-northwest-1.api.amazonwebservices.com.cn"}},
    {Service::kSecretsManager, "us-gov-west-1", {"secretsmanager.us-gov-west-1.amazonaws.com", "secretsmanager.us-gov-west-1.amazonaws.com", "secretsmanager-fips.us-gov-west-1.amazonaws.com", "secretsmanager-fips.us-gov-west-1.amazonaws.com"}},
    {Service::kSecretsManager, "eusc-de-east-1", {"secretsmanager.eusc-de-east-1.amazonaws.eu", "secretsmanager.eusc-de-east-1.api.amazonwebservices.eu", "secretsmanager-fips.eusc-de-east-1.amazonaws.eu", "secretsmanager-fips.eusc-de-east-1.api.amazonwebservices.eu"}},
    {Service::kSecretsManager, "us-isob-east-1", {"secretsmanager.us-isob-east-1.sc2s.sgov.gov", "secretsmanager.us-isob-east-1.api.aws.scloud", "secretsmanager-fips.us-isob-east-1.sc2s.sgov.gov", "secretsmanager-fips.us-isob-east-1.api.aws.scloud"}},
    {Service::kRedshift, "eu-west-1", {"redshift.eu-west-1.amazonaws.com", "redshift.eu-west-1.api.aws", "redshift-fips.eu-west-1.amazonaws.com", "redshift-fips.eu-west-1.api.aws"}},
    {Service::kRedshift, "cn-northwest-1", {"redshift.cn-northwest-1.amazonaws.com.cn", "redshift.cn-northwest-1.api.amazonwebservices.com.cn", "redshift-fips.cn-northwest-1.amazonaws.com.cn", "redshift-fips.cn-northwest-1.api.amazonwebservices.com.cn"}},
    {Service::kRedshift, "us-gov-west-1", {"redshift.us-gov-west-1.amazonaws.com", "redshift.us-gov-west-1.api.aws", "redshift.us-gov-west-1.amazonaws.com", "redshift-fips.us-gov-west-1.api.aws"}},
    {Service::kRedshift, "eusc-de-east-1", {"redshift.eusc-de-east-1.amazonaws.eu", "redshift.eusc-de-east-1.api.amazonwebservices.eu", "redshift-fips.eusc-de-east-1.amazonaws.eu", "redshift-fips.eusc-de-east-1.api.amazonwebservices.eu"}},
    {Service::kRedshift, "us-isob-east-1", {"redshift.us-isob-east-1.sc2s.sgov.gov", "redshift.us-isob-east-1.api.aws.scloud", "redshift-fips.us-isob-east-1.sc2s.sgov.gov", "redshift-fips.us-isob-east-1.api.aws.scloud"}},
    {Service::kRedshiftServerless, "eu-west-1", {"redshift-serverless.eu-west-1.amazonaws.com", "redshift-serverless.eu-west-1.api.aws", "redshift-serverless-fips.eu-west-1.amazonaws.com", "redshift-serverless-fips.eu-west-1.api.aws"}},
    {Service::kRedshiftServerless, "cn-northwest-1", {"redshift-serverless.cn-northwest-1.amazonaws.com.cn", "redshift-serverless.cn-northwest-1.api.amazonwebservices.com.cn", "redshift-serverless-fips.cn-northwest-1.amazonaws.com.cn", "redshift-serverless-fips.cn-northwest-1.api.amazonwebservices.com.cn"}},
    {Service::kRedshiftServerless, "us-gov-west-1", {"redshift-serverless.us-gov-west-1.amazonaws.com", "redshift-serverless.us-gov-west-1.api.aws", "redshift-serverless-fips.us-gov-west-1.amazonaws.com", "redshift-serverless-fips.us-gov-west-1.api.aws"}},
    {Service::kRedshiftServerless, "eusc-de-east-1", {"redshift-serverless.eusc-de-east-1.amazonaws.eu", "redshift-serverless.eusc-de-east-1.api.amazonwebservices.eu", "redshift-serverless-fips.eusc-de-east-1.amazonaws.eu", "redshift-serverless-fips.eusc-de-east-1.api.amazonwebservices.eu"}},
    {Service::kRedshiftServerless, "us-isob-east-1", {"redshift-serverless.us-isob-east-1.sc2s.sgov.gov", "redshift-serverless.us-isob-east-1.api.aws.scloud", "redshift-serverless-fips.us-isob-east-1.sc2s.sgov.gov", "redshift-serverless-fips.us-isob-east-1.api.aws.scloud"}},
  };
  // clang-format on
  for (const auto& [service, region, hosts] : cases) {
    for (int i = 0; i < 4; ++i) {
      std::string host;
      const auto found = aws::service_host(service, region, {i >= 2, i % 2 == 1}, host);
      CAPTURE(region);
      CAPTURE(i);
      if (*hosts[i] == '\0') {
        CHECK(found.code() == CDCRT_BAD_CONFIG);
      } else {
        CHECK(found.ok());
        CHECK(host == hosts[i]);
      }
    }
  }
}

TEST_CASE("partition: an identity of another one is told from its ARN, and a server of one's own knows no partitions") {
  CHECK(aws::partition_of_region("cn-north-1") == "aws-cn");
  CHECK(aws::partition_of_region("us-gov-east-1") == "aws-us-gov");
  CHECK(aws::partition_of_region("us-east-1") == "aws");
  CHECK(aws::partition_of_region("ap-southeast-7") == "aws");
  for (const char* own : {"garage", "us-east", "default", "auto", "", "xx-east-1", "eu-west-1a"})
    CHECK(aws::partition_of_region(own) == "");
  CHECK(aws::arn_prefix("cn-north-1") == "arn:aws-cn");
  CHECK(aws::arn_prefix("garage") == "arn:aws");
  std::string why;
  CHECK(aws::of_another_partition("arn:aws:iam::1:role/x", "cn-north-1", why));
  CHECK(why == "'arn:aws:iam::1:role/x' is of partition aws, but region cn-north-1 is of partition aws-cn, which knows nothing of it");
  CHECK(!aws::of_another_partition("arn:aws-cn:iam::1:role/x", "cn-north-1", why));
  CHECK(!aws::of_another_partition("arn:aws-cn:iam::1:role/x", "garage", why));
  CHECK(!aws::of_another_partition("default", "cn-north-1", why));
}

TEST_CASE("partition: FIPS and dual-stack come from the environment, then the profile; an endpoint given by hand is taken as it is") {
  test::Environment environment;
  environment.write(".aws/config", "[default]\nuse_fips_endpoint = true\n[profile cn]\nuse_dualstack_endpoint=TRUE\n");
  CHECK(aws::endpoint_choice("").fips);
  CHECK(!aws::endpoint_choice("").dual_stack);
  CHECK(aws::endpoint_choice("cn").dual_stack);
  environment.set("AWS_USE_FIPS_ENDPOINT", "false");
  CHECK(!aws::endpoint_choice("").fips);
  environment.set("AWS_USE_DUALSTACK_ENDPOINT", "true");
  std::string given;
  aws::Endpoint endpoint;
  CHECK(aws::find_endpoint(Service::kSts, "cn-north-1", "", "", given, endpoint).ok());
  CHECK(endpoint.authority == "sts.cn-north-1.api.amazonwebservices.com.cn");
  environment.set("AWS_ENDPOINT_URL", "http://localhost:1/all");
  CHECK(aws::find_endpoint(Service::kSts, "cn-north-1", "", "", given, endpoint).ok());
  CHECK(endpoint.authority == "localhost:1");
  CHECK(endpoint.base == "/all");
  environment.set("AWS_ENDPOINT_URL_STS", "localhost");
  given.clear();
  const auto refused = aws::find_endpoint(Service::kSts, "cn-north-1", "", "", given, endpoint);
  CHECK(refused.code() == CDCRT_BAD_CONFIG);
  CHECK(refused.message().find("AWS_ENDPOINT_URL_STS ('localhost')") != std::string_view::npos);
}
