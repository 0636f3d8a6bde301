#include "aws/credentials.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "aws/environment.hpp"
#include "aws/http_server.hpp"
#include "aws/profile.hpp"

using namespace cdcrt;
using test::Environment;
using test::HttpServer;
using test::ServerRequest;
using test::ServerResponse;

namespace {

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

ServerResponse text(std::string body, int status = 200) {
  ServerResponse response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

std::string role_keys(const std::string& access, const std::string& expiration = "2100-01-01T00:00:00Z") {
  return R"({"Code":"Success","AccessKeyId":")" + access + R"(","SecretAccessKey":"s","Token":"t","Expiration":")" + expiration + "\"}";
}

}  // namespace

TEST_CASE("the first place that has keys gives them") {
  Environment environment;
  environment.write(".aws/credentials",
                    "# mine\n[default]\naws_access_key_id = "
                    "F\naws_secret_access_key=fs\n\n[other]\nAWS_ACCESS_KEY_ID=O\naws_secret_access_key=os\naws_session_token = ot\n");
  aws::Credentials keys;
  auto provider = aws::default_credentials({});
  REQUIRE(provider->get(keys).ok());
  CHECK(keys.access_key == "F");
  CHECK(keys.secret_key == "fs");
  CHECK(provider->origin() == "profile 'default'");

  environment.set("AWS_PROFILE", "other");
  REQUIRE(aws::default_credentials({})->get(keys).ok());
  CHECK(keys.access_key == "O");
  CHECK(keys.session_token == "ot");

  environment.set("AWS_ACCESS_KEY_ID", "E");
  environment.set("AWS_SECRET_ACCESS_KEY", "es");
  REQUIRE(aws::default_credentials({})->get(keys).ok());
  CHECK(keys.access_key == "E");
  CHECK(keys.session_token == "");

  aws::CredentialsSettings chosen;
  chosen.profile = "default";
  REQUIRE(aws::default_credentials(chosen)->get(keys).ok());
  CHECK(keys.access_key == "F");

  aws::CredentialsSettings given;
  given.given.access_key = "G";
  given.given.secret_key = "gs";
  REQUIRE(aws::default_credentials(given)->get(keys).ok());
  CHECK(keys.access_key == "G");
}

TEST_CASE("no keys anywhere: the message lists what was looked at") {
  Environment environment;
  environment.write(".aws/config", "[profile default]\nregion = eu-north-1\n");
  aws::Credentials keys;
  const auto got = aws::default_credentials({})->get(keys);
  CHECK(got.code() == CDCRT_AUTH);
  for (const char* part : {"AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE: not set", "profile 'default': has no keys",
                           "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_EC2_METADATA_DISABLED is set"})
    CHECK_MESSAGE(has(got.message(), part), got.message());
}

TEST_CASE("half of a configuration is an error and not a reason to look further") {
  Environment environment;
  environment.write(".aws/credentials", "[default]\naws_access_key_id=F\naws_secret_access_key=fs\n[half]\naws_access_key_id=F\n");
  aws::Credentials keys;
  environment.set("AWS_ACCESS_KEY_ID", "E");
  auto got = aws::default_credentials({})->get(keys);
  CHECK(got.code() == CDCRT_AUTH);
  CHECK(has(got.message(), "AWS_SECRET_ACCESS_KEY is not set"));
  environment.unset("AWS_ACCESS_KEY_ID");
  environment.set("AWS_PROFILE", "half");
  got = aws::default_credentials({})->get(keys);
  CHECK(has(got.message(), "only one of"));
  environment.set("AWS_PROFILE", "missing");
  got = aws::default_credentials({})->get(keys);
  CHECK(has(got.message(), "profile 'missing' is neither in"));
}

TEST_CASE("a container's endpoint gives keys to who shows the token") {
  Environment environment;
  HttpServer server([](const ServerRequest& request) {
    if (request.header("authorization") != "from file") return text("no", 403);
    return text(role_keys("C"));
  });
  environment.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", server.url() + "/role?x=1");
  environment.set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "wrong");
  aws::Credentials keys;
  auto got = aws::default_credentials({})->get(keys);
  CHECK(got.code() == CDCRT_AUTH);
  CHECK(has(got.message(), "answered 403"));
  environment.set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", environment.write("token", "from file\n"));
  REQUIRE(aws::default_credentials({})->get(keys).ok());
  CHECK(keys.access_key == "C");
  CHECK(keys.session_token == "t");
  CHECK(keys.expires_at.has_value());
  environment.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.com/role");
  CHECK(aws::default_credentials({})->get(keys).code() == CDCRT_AUTH);
}

TEST_CASE("an instance's metadata is asked with a token of its own") {
  Environment environment;
  environment.unset("AWS_EC2_METADATA_DISABLED");
  bool with_role = true;
  HttpServer server([&](const ServerRequest& request) {
    if (request.method == "PUT" && request.target == "/latest/api/token" &&
        request.header("x-aws-ec2-metadata-token-ttl-seconds") == "21600")
      return text("shown");
    if (request.header("x-aws-ec2-metadata-token") != "shown") return text("", 401);
    const std::string folder = "/latest/meta-data/iam/security-credentials/";
    if (request.target == folder) return with_role ? text("loader") : text("", 404);
    if (request.target == folder + "loader") return text(role_keys("I"));
    return text("", 404);
  });
  environment.set("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url() + "/");
  aws::Credentials keys;
  auto provider = aws::default_credentials({});
  REQUIRE(provider->get(keys).ok());
  CHECK(keys.access_key == "I");
  CHECK(provider->origin() == "instance metadata");
  with_role = false;
  const auto got = aws::default_credentials({})->get(keys);
  CHECK(got.code() == CDCRT_AUTH);
  CHECK(has(got.message(), "the instance has no role"));
}

TEST_CASE("keys are kept while they are good, renewed before they expire, and outlive an endpoint that is down for a while") {
  Environment environment;
  std::atomic<int> asked{0};
  std::atomic<bool> down{false};
  std::string expiration;
  HttpServer server([&](const ServerRequest&) {
    ++asked;
    return down ? text("busy", 500) : text(role_keys("C" + std::to_string(asked.load()), expiration));
  });
  environment.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", server.url());
  const auto in = [](int seconds) {
    const std::time_t when = std::time(nullptr) + seconds;
    std::tm parts{};
    ::gmtime_r(&when, &parts);
    char buffer[32];
    std::strftime(buffer, sizeof buffer, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return std::string(buffer);
  };
  aws::Credentials keys;

  expiration = in(3600);
  auto provider = aws::default_credentials({});
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      aws::Credentials mine;
      for (int j = 0; j < 100; ++j) (void)provider->get(mine);
    });
  for (auto& thread : threads) thread.join();
  CHECK(asked == 1);
  REQUIRE(provider->get(keys).ok());
  provider->invalidate(aws::Credentials{"someone else", "", "", {}});
  REQUIRE(provider->get(keys).ok());
  CHECK(asked == 1);
  provider->invalidate(keys);
  REQUIRE(provider->get(keys).ok());
  CHECK(keys.access_key == "C2");

  asked = 0;
  expiration = in(200);  // good, but soon to be renewed
  provider = aws::default_credentials({});
  REQUIRE(provider->get(keys).ok());
  down = true;
  REQUIRE(provider->get(keys).ok());
  CHECK(keys.access_key == "C1");

  down = false;
  asked = 0;
  expiration = in(30);  // too short to be of use
  provider = aws::default_credentials({});
  REQUIRE(provider->get(keys).ok());
  REQUIRE(provider->get(keys).ok());
  CHECK(asked == 2);
  down = true;
  CHECK(provider->get(keys).code() == CDCRT_RETRY);
}

TEST_CASE("a machine's metadata service that had keys and does not answer any more is an outage, and nobody else's keys are taken") {
  Environment environment;
  environment.unset("AWS_EC2_METADATA_DISABLED");
  bool up = true;
  HttpServer server([&](const ServerRequest& request) {
    if (!up) return text("", 503);
    if (request.method == "PUT") return text("shown");
    return text(request.target.back() == '/' ? std::string("loader") : role_keys("I"));
  });
  environment.set("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url());
  aws::Credentials keys;
  auto provider = aws::default_credentials({});
  REQUIRE(provider->get(keys).ok());
  provider->invalidate(keys);
  up = false;
  environment.set("AWS_ACCESS_KEY_ID", "E");
  environment.set("AWS_SECRET_ACCESS_KEY", "es");
  const auto got = provider->get(keys);
  CHECK(got.code() == CDCRT_RETRY);
  CHECK(has(got.message(), "instance metadata"));
  up = true;
  REQUIRE(provider->get(keys).ok());
  CHECK(keys.access_key == "I");
}

TEST_CASE("the region comes from the setting, the environment, then the profile") {
  Environment environment;
  environment.write(".aws/config", "[default]\nregion=eu-north-1\ns3 =\n  region = nested\n[profile other]\nregion = us-west-2\n");
  CHECK(aws::find_region("", "") == "eu-north-1");
  CHECK(aws::find_region("", "other") == "us-west-2");
  environment.set("AWS_DEFAULT_REGION", "ap-south-1");
  CHECK(aws::find_region("", "") == "ap-south-1");
  environment.set("AWS_REGION", "sa-east-1");
  CHECK(aws::find_region("", "") == "sa-east-1");
  CHECK(aws::find_region("eu-west-1", "") == "eu-west-1");
}
