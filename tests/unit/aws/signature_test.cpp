// The checker of signatures against Amazon's Signature Version 4 test suite; what libcurl signs is checked by it elsewhere.
#include "aws/signature.hpp"

#include <doctest/doctest.h>

using namespace cdcrt;

namespace {

constexpr const char* kSuiteSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

test::ServerRequest request(const char* method, const char* target, std::map<std::string, std::string> headers, const std::string& scope,
                            const std::string& names, const std::string& signature) {
  test::ServerRequest made;
  made.method = method;
  made.target = target;
  made.headers = std::move(headers);
  made.headers["authorization"] =
      "AWS4-HMAC-SHA256 Credential=" + scope + "/aws4_request, SignedHeaders=" + names + ", Signature=" + signature;
  return made;
}

test::ServerRequest suite(const char* method, const char* target, const std::string& signature) {
  return request(method, target, {{"host", "example.amazonaws.com"}, {"x-amz-date", "20150830T123600Z"}},
                 "AKIDEXAMPLE/20150830/us-east-1/service", "host;x-amz-date", signature);
}

}  // namespace

TEST_CASE("signature: requests of Amazon's Signature Version 4 test suite are right, and one that was changed is not") {
  CHECK(test::why_signature_is_wrong(suite("GET", "/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"), kSuiteSecret) ==
        "");
  CHECK(test::why_signature_is_wrong(suite("POST", "/", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
                                     kSuiteSecret) == "");
  CHECK(test::why_signature_is_wrong(
            suite("GET", "/?Param2=value2&Param1=value1", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
            kSuiteSecret) == "");
  CHECK(test::why_signature_is_wrong(suite("GET", "/x", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
                                     kSuiteSecret) != "");
}

TEST_CASE("signature: the examples of S3's reference with a body, a bare parameter and several parameters are right") {
  constexpr const char* kSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
  constexpr const char* kEmpty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  const auto s3 = [](const char* method, const char* target, std::map<std::string, std::string> headers, const std::string& names,
                     const std::string& signature, const std::string& body = "") {
    headers["host"] = "examplebucket.s3.amazonaws.com";
    headers["x-amz-date"] = "20130524T000000Z";
    auto made = request(method, target, std::move(headers), "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3", names, signature);
    made.body = body;
    return test::why_signature_is_wrong(made, kSecret);
  };
  CHECK(s3("PUT", "/test%24file.text",
           {{"date", "Fri, 24 May 2013 00:00:00 GMT"},
            {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
            {"x-amz-content-sha256", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"}},
           "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
           "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd", "Welcome to Amazon S3.") == "");
  const std::string names = "host;x-amz-content-sha256;x-amz-date";
  CHECK(s3("GET", "/?lifecycle", {{"x-amz-content-sha256", kEmpty}}, names,
           "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543") == "");
  CHECK(s3("GET", "/?max-keys=2&prefix=J", {{"x-amz-content-sha256", kEmpty}}, names,
           "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7") == "");
}
