#include "aws/redshift_identity.hpp"

#include <doctest/doctest.h>

#include "aws/environment.hpp"
#include "aws/http_server.hpp"
#include "aws/signature.hpp"

using namespace cdcrt;

namespace {

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// Redshift's and Redshift Serverless' own API.
struct Api {
  Api() {
    environment.set("AWS_ACCESS_KEY_ID", "A");
    environment.set("AWS_SECRET_ACCESS_KEY", "secret of the test");
    environment.set("AWS_ENDPOINT_URL", server.url());
    environment.set("AWS_REGION", "eu-west-1");
  }
  test::ServerResponse answer(const test::ServerRequest& request) {
    complaints += test::why_signature_is_wrong(request, "secret of the test");
    const bool serverless = !request.header("x-amz-target").empty();
    const std::string action = serverless ? request.header("x-amz-target") : request.body.substr(0, request.body.find('&'));
    seen.push_back(action);
    test::ServerResponse response;
    const bool describes = has(action, "DescribeClusters") || has(action, "GetWorkgroup");
    if (describes && !granted) {
      response.status = 403;
      response.body = serverless ? R"({"__type":"AccessDeniedException","message":"no"})"
                                 : "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>";
    } else if (describes) {
      response.body = serverless
                          ? R"({"workgroup":{"status":")" + state + R"(","endpoint":{"address":"w.example","port":5440}}})"
                          : "<DescribeClustersResponse><DescribeClustersResult><Clusters><Cluster><ClusterStatus>" + state +
                                "</ClusterStatus><Endpoint><Port>5439</Port><Address>c.example</Address></Endpoint></Cluster></Clusters>"
                                "</DescribeClustersResult></DescribeClustersResponse>";
    } else if (!error.empty()) {
      response.status = 400;
      response.body = serverless ? R"({"__type":")" + error + R"(","message":"words"})"
                                 : "<ErrorResponse><Error><Code>" + error + "</Code><Message>words</Message></Error></ErrorResponse>";
    } else {
      last = request;
      response.body = serverless ? R"({"dbUser":"IAMR:loader","dbPassword":"p<&\"1","expiration":1893553445.25})"
                                 : "<R><DbUser>IAM:loader</DbUser><DbPassword>p&lt;&amp;&quot;1</"
                                   "DbPassword><Expiration>2030-01-02T03:04:05.1Z</Expiration></R>";
    }
    return response;
  }
  sdk::Status login(const char* text) {
    aws::RedshiftReference reference;
    if (auto parsed = aws::RedshiftReference::parse(text, reference); !parsed.ok()) return parsed;
    return aws::RedshiftIdentity(aws::default_credentials({})).login(reference, out);
  }

  test::Environment environment;
  test::ServerRequest last;
  std::vector<std::string> seen;
  std::string complaints, state = "available", error;
  bool granted = true;
  aws::RedshiftLogin out;
  test::HttpServer server{[this](const test::ServerRequest& request) { return answer(request); }};
};

}  // namespace

TEST_CASE("redshift login: a cluster's by a database user or by the identity itself, and a workgroup's") {
  Api api;
  REQUIRE(api.login("shop/dev/loader").ok());
  CHECK(api.out.json == R"({"username":"IAM:loader","password":"p<&\"1","dbname":"dev","host":"c.example","port":"5439"})");
  CHECK(std::chrono::system_clock::to_time_t(api.out.expires_at) == 1893553445);
  CHECK(api.last.body ==
        "Action=GetClusterCredentials&AutoCreate=false&ClusterIdentifier=shop&DbName=dev&DbUser=loader&DurationSeconds=3600&Version=2012-"
        "12-01");
  CHECK(has(api.last.header("authorization"), "/eu-west-1/redshift/aws4_request"));
  REQUIRE(api.login("shop@cn-north-1/dev").ok());
  CHECK(api.last.body == "Action=GetClusterCredentialsWithIAM&ClusterIdentifier=shop&DbName=dev&DurationSeconds=3600&Version=2012-12-01");
  CHECK(has(api.last.header("authorization"), "/cn-north-1/redshift/"));
  api.state = "AVAILABLE";
  REQUIRE(api.login("serverless:shop/dev#password").ok());
  CHECK(api.out.json == R"({"username":"IAMR:loader","password":"p<&\"1","dbname":"dev","host":"w.example","port":"5440"})");
  CHECK(std::chrono::system_clock::to_time_t(api.out.expires_at) == 1893553445);
  CHECK(api.last.body == R"({"workgroupName":"shop","dbName":"dev","durationSeconds":3600})");
  CHECK(api.last.header("x-amz-target") == "RedshiftServerless.GetCredentials");
  CHECK(has(api.last.header("authorization"), "/eu-west-1/redshift-serverless/aws4_request"));
  CHECK(api.complaints == "");
  // Without the right to ask where it is, the manifest says so itself.
  api.granted = false;
  REQUIRE(api.login("serverless:shop/dev").ok());
  CHECK(!has(api.out.json, "host"));
  REQUIRE(api.login("shop/dev").ok());
  CHECK(!has(api.out.json, "host"));
}

TEST_CASE("redshift login: refusals say which grant, which name, which region is wrong") {
  Api api;
  api.error = "ClusterNotFound";
  auto got = api.login("shop/dev/loader");
  CHECK(got.code() == CDCRT_BAD_CONFIG);
  CHECK(got.message() == "cluster 'shop' does not exist in region eu-west-1");
  api.error = "AccessDenied";
  got = api.login("shop@cn-north-1/dev/loader");
  CHECK(got.code() == CDCRT_FATAL);
  CHECK(has(got.hint(), "redshift:GetClusterCredentials on arn:aws-cn:redshift:cn-north-1:ACCOUNT:dbuser:shop/loader"));
  got = api.login("shop/dev");
  CHECK(has(got.hint(), "redshift:GetClusterCredentialsWithIAM on arn:aws:redshift:eu-west-1:ACCOUNT:dbname:shop/dev"));
  api.error = "ExpiredToken";
  CHECK(api.login("shop/dev").code() == CDCRT_AUTH);
  api.state = "AVAILABLE";
  api.error = "AccessDeniedException";
  CHECK(has(api.login("serverless:shop/dev").hint(), "redshift-serverless:GetCredentials"));
  api.error = "ResourceNotFoundException";
  CHECK(api.login("serverless:shop/dev").message() == "workgroup 'shop' does not exist in region eu-west-1");
  api.environment.unset("AWS_REGION");
  CHECK(has(api.login("shop/dev").hint(), "AWS_REGION"));
}

TEST_CASE("redshift login: a paused cluster or a workgroup that is not available is told before anything connects") {
  Api api;
  api.state = "paused";
  auto got = api.login("shop/dev");
  CHECK(got.code() == CDCRT_UNREACHABLE);
  CHECK(has(got.message(), "cluster 'shop' takes no connections: it is paused"));
  CHECK(got.hint() == "aws redshift resume-cluster --cluster-identifier shop");
  api.state = "resuming";
  CHECK(has(api.login("shop/dev").message(), "it is resuming"));
  api.state = "PAUSED";
  got = api.login("serverless:shop/dev");
  CHECK(got.code() == CDCRT_UNREACHABLE);
  CHECK(has(got.message(), "workgroup 'shop' takes no connections: it is PAUSED"));
}

TEST_CASE("redshift login: what names none is refused before anything is asked") {
  aws::RedshiftReference reference;
  CHECK(aws::RedshiftReference::parse("shop@eu-west-1/dev/loader#password", reference).ok());
  CHECK(reference.name == "shop");
  CHECK(reference.region == "eu-west-1");
  CHECK(reference.database == "dev");
  CHECK(reference.user == "loader");
  CHECK(reference.key == "password");
  for (const char* wrong : {"", "shop", "shop/", "/dev", "shop/dev/", "shop/dev#pwd", "shop/dev#", "serverless:/dev",
                            "serverless:w/dev/user", "shop@/dev", "s hop/dev", "shop@EU/dev"})
    CHECK_MESSAGE(aws::RedshiftReference::parse(wrong, reference).code() == CDCRT_BAD_CONFIG, wrong);
}
