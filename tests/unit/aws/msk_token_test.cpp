#include "aws/msk_token.hpp"

#include <doctest/doctest.h>

#include "aws/digest.hpp"
#include "aws/presigned_url.hpp"
#include "cdcrt/sdk/base64.hpp"

namespace {

using namespace cdcrt;
using std::chrono::seconds;
using std::chrono::system_clock;

std::string url_of(const std::string& token) {
  std::string url(sdk::base64_decoded_bound(token.size()), '\0');
  url.resize(sdk::decode_base64(token, url.data()).value());
  return url;
}

const system_clock::time_point kNoon = system_clock::from_time_t(1769860800);  // 2026-01-31T12:00:00Z

}  // namespace

TEST_CASE("presigned url: the example of Amazon's documentation has its signature") {
  // "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)", Amazon S3 API reference.
  aws::PresignRequest request;
  request.service = "s3";
  request.region = "us-east-1";
  request.host = "examplebucket.s3.amazonaws.com";
  request.path = "/test.txt";
  request.lifetime = seconds(86400);
  request.payload = "UNSIGNED-PAYLOAD";
  const aws::Credentials keys{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", {}, {}};
  CHECK(
      aws::presigned_url(request, keys, system_clock::from_time_t(1369353600)) ==
      "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2F"
      "us-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature="
      "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

TEST_CASE("msk token: it is what Amazon's own signer makes of the same keys at the same time") {
  // botocore 1.44.8, SigV4QueryAuth as aws-msk-iam-sasl-signer-python calls it, with the user agent "cdcrt".
  const aws::Credentials keys{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", {}, {}};
  const auto token = aws::msk_token(keys, "us-west-2", seconds(900), kNoon);
  CHECK(
      url_of(token.text) ==
      "https://kafka.us-west-2.amazonaws.com/?Action=kafka-cluster%3AConnect&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential="
      "AKIDEXAMPLE%2F20260131%2Fus-west-2%2Fkafka-cluster%2Faws4_request&X-Amz-Date=20260131T120000Z&X-Amz-Expires=900&X-Amz-SignedHeaders="
      "host&X-Amz-Signature=4fb99feee65910dd36fb8c19fdab9961b265978f50d6a1ff7b6752ae7100334a&User-Agent=cdcrt");
  CHECK(token.text.find_first_of("+/=") == std::string::npos);
  CHECK(token.expires_at == kNoon + seconds(900));
}

TEST_CASE("msk token: the token of temporary keys is signed with them, and it is good no longer than they are") {
  aws::Credentials keys{"ASIAEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "IQoJb3JpZ2luX2VjE//a+b==", kNoon + seconds(300)};
  const auto token = aws::msk_token(keys, "eu-central-1", seconds(900), kNoon);
  const std::string url = url_of(token.text);
  CHECK(url.find("X-Amz-Security-Token=IQoJb3JpZ2luX2VjE%2F%2Fa%2Bb%3D%3D&") != std::string::npos);
  CHECK(url.find("X-Amz-Signature=8db43d6ab9c971a586c339e87f80d90b8c803681e36824f333d21dd9d5631194&") != std::string::npos);
  CHECK(token.expires_at == kNoon + seconds(300));
}

TEST_CASE("msk token: the region is read from names of brokers, and from nothing else") {
  CHECK(aws::region_of_msk_brokers(
            "b-1.shop.a1b2c3.c2.kafka.eu-west-1.amazonaws.com:9098,b-2.shop.a1b2c3.c2.kafka.eu-west-1.amazonaws.com:9098") == "eu-west-1");
  CHECK(aws::region_of_msk_brokers("boot-x.c1.kafka-serverless.us-east-2.amazonaws.com:9098") == "us-east-2");
  CHECK(aws::region_of_msk_brokers("b-1.shop.a1b2c3.c2.kafka.cn-north-1.amazonaws.com.cn:9098") == "cn-north-1");
  for (const char* other : {"", "localhost:9092", "ec2-1-2-3-4.eu-west-1.compute.amazonaws.com:9092", ".amazonaws.com", "x.amazonaws.com",
                            "kafka.amazonaws.com"})
    CHECK_MESSAGE(aws::region_of_msk_brokers(other).empty(), other);
}
