#include "aws/secrets_manager.hpp"

#include <doctest/doctest.h>

#include "aws/environment.hpp"
#include "aws/http_server.hpp"
#include "aws/signature.hpp"

using namespace cdcrt;

namespace {

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

struct Service {
  Service() {
    environment.set("AWS_ACCESS_KEY_ID", "A");
    environment.set("AWS_SECRET_ACCESS_KEY", "secret of the test");
    environment.set("AWS_ENDPOINT_URL_SECRETS_MANAGER", server.url());
    environment.set("AWS_REGION", "eu-west-1");
  }
  test::ServerResponse answer(const test::ServerRequest& request) {
    last = request;
    ++asked;
    complaints += test::why_signature_is_wrong(request, "secret of the test");
    test::ServerResponse response;
    response.status = status;
    response.body = body;
    if (failures > 0) {
      --failures;
      response.status = 500;
    }
    return response;
  }
  sdk::Status get(const char* text, std::string& out) {
    aws::SecretReference reference;
    if (auto parsed = aws::SecretReference::parse(text, reference); !parsed.ok()) return parsed;
    aws::SecretsManager manager(aws::default_credentials({}));
    return manager.get(reference, out);
  }

  test::Environment environment;
  test::ServerRequest last;
  std::string complaints, body;
  int status = 200, failures = 0, asked = 0;
  test::HttpServer server{[this](const test::ServerRequest& request) { return answer(request); }};
};

}  // namespace

TEST_CASE("a secret is its text, or a member of its object") {
  Service service;
  service.body = R"({"Name":"shop/rs","SecretString":"{\"password\":\"p#\\\"1\",\"port\":5439.00,\"tls\":true,\"x\":{}}"})";
  std::string out;
  CHECK(service.get("shop/rs#password", out).ok());
  CHECK(out == "p#\"1");
  CHECK(service.get("shop/rs#port", out).ok());
  CHECK(out == "5439.00");
  CHECK(service.get("shop/rs#tls", out).ok());
  CHECK(out == "true");
  CHECK(service.get("shop/rs", out).ok());
  CHECK(out == R"({"password":"p#\"1","port":5439.00,"tls":true,"x":{}})");
  CHECK(service.last.method == "POST");
  CHECK(service.last.header("x-amz-target") == "secretsmanager.GetSecretValue");
  CHECK(service.last.header("content-type") == "application/x-amz-json-1.1");
  CHECK(service.last.body == R"({"SecretId":"shop/rs"})");
  CHECK(has(service.last.header("authorization"), "/eu-west-1/secretsmanager/aws4_request"));
  CHECK(service.complaints == "");

  const auto missing = service.get("shop/rs#user", out);
  CHECK(missing.code() == CDCRT_BAD_CONFIG);
  CHECK(has(missing.message(), "has no key 'user'"));
  CHECK(missing.hint() == "its keys: password, port, tls, x");
  CHECK(service.get("shop/rs#x", out).code() == CDCRT_BAD_CONFIG);
  service.body = R"({"SecretString":"plain"})";
  CHECK(has(service.get("shop/rs#user", out).message(), "is no JSON object"));
  service.body = R"({"SecretBinary":"AAAA"})";
  CHECK(has(service.get("shop/rs", out).message(), "is binary"));
}

TEST_CASE("the region of an ARN counts") {
  Service service;
  service.body = R"({"SecretString":"plain"})";
  std::string out;
  CHECK(service.get("arn:aws:secretsmanager:us-west-2:123456789012:secret:shop/rs-AbCdEf", out).ok());
  CHECK(has(service.last.header("authorization"), "/us-west-2/secretsmanager/"));
  service.environment.unset("AWS_REGION");
  const auto nowhere = service.get("shop/rs", out);
  CHECK(nowhere.code() == CDCRT_BAD_CONFIG);
  CHECK(has(nowhere.message(), "region of secret 'shop/rs' is not known"));
}

TEST_CASE("refusals name the secret and what to grant") {
  Service service;
  service.status = 400;
  std::string out;
  service.body = R"({"__type":"ResourceNotFoundException","Message":"Secrets Manager can't find the specified secret."})";
  auto got = service.get("shop/rs", out);
  CHECK(got.code() == CDCRT_BAD_CONFIG);
  CHECK(has(got.message(), "secret 'shop/rs' does not exist in region eu-west-1"));
  service.body = R"({"__type":"com.amazonaws.secretsmanager#AccessDeniedException","Message":"User: x is not authorized"})";
  got = service.get("shop/rs", out);
  CHECK(got.code() == CDCRT_FATAL);
  CHECK(has(got.message(), "User: x is not authorized"));
  CHECK(has(got.hint(), "secretsmanager:GetSecretValue"));
  service.body = R"({"__type":"InvalidSignatureException","message":"no"})";
  CHECK(service.get("shop/rs", out).code() == CDCRT_AUTH);
  service.body = "<html/>";
  CHECK(service.get("shop/rs", out).code() == CDCRT_FATAL);
}

TEST_CASE("a server error is tried again") {
  Service service;
  service.body = R"({"SecretString":"plain"})";
  service.failures = 2;
  std::string out;
  CHECK(service.get("shop/rs", out).ok());
  CHECK(out == "plain");
  CHECK(service.asked == 3);
}

TEST_CASE("what names no secret is refused before anything is asked") {
  aws::SecretReference reference;
  CHECK(aws::SecretReference::parse("shop/rs#a b", reference).ok());
  CHECK(reference.id == "shop/rs");
  CHECK(reference.key == "a b");
  for (const char* wrong : {"", "#key", "shop/rs#", "shop rs", "arn:aws:s3:::bucket", "arn:aws:secretsmanager"})
    CHECK_MESSAGE(aws::SecretReference::parse(wrong, reference).code() == CDCRT_BAD_CONFIG, wrong);
}

TEST_CASE("a refusal that repeats what was signed shows no token and no key") {
  Service service;
  service.environment.set("AWS_SESSION_TOKEN", "token of the test");
  service.status = 403;
  service.body =
      R"({"__type":"InvalidSignatureException","message":"It does not match: token of the test, secret of the test. The Canonical String for this request should have been 'x-amz-security-token:token of the test'"})";
  std::string out;
  const auto refused = service.get("shop/rs", out);
  CHECK(!refused.ok());
  for (const auto& text : {std::string(refused.message()), std::string(refused.hint())}) {
    CHECK(!has(text, "token of the test"));
    CHECK(!has(text, "secret of the test"));
    CHECK(!has(text, "x-amz-security-token"));
  }
}
