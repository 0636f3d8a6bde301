// Who signs: roles, web identities, commands, and that none of them gives way to another identity when it fails.
#include <doctest/doctest.h>

#include <csignal>

#include "aws/credentials.hpp"
#include "aws/credentials_process.hpp"
#include "aws/environment.hpp"
#include "aws/http_server.hpp"
#include "aws/role.hpp"
#include "aws/signature.hpp"

using namespace cdcrt;

namespace {

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

std::string in(int seconds) {
  const std::time_t when = std::time(nullptr) + seconds;
  std::tm parts{};
  ::gmtime_r(&when, &parts);
  char buffer[32];
  std::strftime(buffer, sizeof buffer, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return buffer;
}

/// STS, and the node's own metadata service, which must not be asked when something else is configured.
struct Node {
  Node() {
    environment.unset("AWS_EC2_METADATA_DISABLED");
    environment.set("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.url());
    environment.set("AWS_ENDPOINT_URL_STS", sts.url());
  }

  test::ServerResponse role(const test::ServerRequest& request) {
    last = request;
    ++asked;
    if (!request.header("authorization").empty()) complaints += test::why_signature_is_wrong(request, base_secret);
    test::ServerResponse response;
    if (!error.empty()) {
      response.status = error == "InternalFailure" ? 500 : 403;
      response.body =
          "<ErrorResponse><Error><Type>Sender</Type><Code>" + error + "</Code><Message>words of STS</Message></Error></ErrorResponse>";
      return response;
    }
    response.body = "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>R" + std::to_string(asked) +
                    "</AccessKeyId><SecretAccessKey>rs</SecretAccessKey><SessionToken>rt</SessionToken><Expiration>" + in(valid_for) +
                    "</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>";
    return response;
  }
  test::ServerResponse instance(const test::ServerRequest& request) {
    ++node_asked;
    test::ServerResponse response;
    if (request.method == "PUT")
      response.body = "shown";
    else if (request.target == "/latest/meta-data/iam/security-credentials/")
      response.body = "node";
    else
      response.body =
          R"({"Code":"Success","AccessKeyId":"NODE","SecretAccessKey":"node secret","Token":"nt","Expiration":")" + in(20000) + "\"}";
    return response;
  }
  sdk::Status get(aws::Credentials& keys) { return aws::default_credentials({})->get(keys); }
  /// The message and the advice of an identity that fails, and that the node's was not taken.
  std::string why_not(aws::CredentialsSettings settings = {}) {
    const int before = node_asked;
    aws::Credentials keys;
    const auto got = aws::default_credentials(std::move(settings))->get(keys);
    CHECK(!got.ok());
    CHECK(keys.empty());
    CHECK(node_asked == before);
    CHECK(has(got.hint(), " "));
    return std::string(got.message()) + " | " + std::string(got.hint());
  }
  [[nodiscard]] std::string parameter(const std::string& name) const {
    const std::string body = "&" + last.body;
    const auto begin = body.find("&" + name + "=");
    if (begin == std::string::npos) return "(none)";
    return body.substr(begin + name.size() + 2, body.find('&', begin + 1) - begin - name.size() - 2);
  }

  test::Environment environment;
  test::ServerRequest last;
  std::string base_secret = "node secret", complaints, error;
  int asked = 0, node_asked = 0, valid_for = 3600;
  test::HttpServer metadata{[this](const test::ServerRequest& request) { return instance(request); }};
  test::HttpServer sts{[this](const test::ServerRequest& request) { return role(request); }};
};

}  // namespace

TEST_CASE("identity: a web identity (IRSA) is the role's, with the token of the file as it is then") {
  Node node;
  const std::string token = node.environment.write("token", "first token\n");
  node.environment.set("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/loader");
  node.environment.set("AWS_WEB_IDENTITY_TOKEN_FILE", token);
  node.environment.set("AWS_ROLE_SESSION_NAME", "pod 1/x");
  node.valid_for = 200;  // good, but soon to be renewed
  auto provider = aws::default_credentials({});
  aws::Credentials keys;
  REQUIRE(provider->get(keys).ok());
  CHECK(keys.access_key == "R1");
  CHECK(keys.session_token == "rt");
  CHECK(provider->origin() == "web identity of the environment (role arn:aws:iam::123456789012:role/loader)");
  CHECK(node.parameter("Action") == "AssumeRoleWithWebIdentity");
  CHECK(node.parameter("WebIdentityToken") == "first%20token");
  CHECK(node.parameter("RoleSessionName") == "pod-1-x");
  CHECK(node.last.header("authorization") == "");
  node.environment.write("token", "second token");
  provider->invalidate(keys);
  REQUIRE(provider->get(keys).ok());
  CHECK(keys.access_key == "R2");
  CHECK(node.parameter("WebIdentityToken") == "second%20token");
  CHECK(node.node_asked == 0);
}

TEST_CASE("identity: what is wrong with a web identity stops, in one line that says what to set, and the node's role is not asked") {
  Node node;
  const std::string token = node.environment.write("token", "t");
  node.environment.set("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/loader");
  std::string why = node.why_not();
  CHECK(has(why, "AWS_ROLE_ARN is set, but AWS_WEB_IDENTITY_TOKEN_FILE is not"));
  node.environment.set("AWS_WEB_IDENTITY_TOKEN_FILE", token + "-none");
  CHECK(has(node.why_not(), "its token file " + token + "-none cannot be read"));
  node.environment.set("AWS_WEB_IDENTITY_TOKEN_FILE", node.environment.write("empty", "\n"));
  CHECK(has(node.why_not(), "is empty"));
  node.environment.set("AWS_WEB_IDENTITY_TOKEN_FILE", token);
  node.error = "ExpiredTokenException";
  why = node.why_not();
  CHECK(has(why,
            "sts:AssumeRoleWithWebIdentity arn:aws:iam::123456789012:role/loader was refused in region us-east-1 with 403 "
            "ExpiredTokenException: words of STS"));
  CHECK(has(why, "the token in " + token + " is expired"));
  node.error = "AccessDenied";
  CHECK(has(node.why_not(), "its trust policy allows sts:AssumeRoleWithWebIdentity"));
  node.error = "InvalidIdentityToken";
  CHECK(has(node.why_not(), "OpenID Connect provider"));
  node.environment.set("AWS_REGION", "cn-north-1");
  why = node.why_not();
  CHECK(has(why, "'arn:aws:iam::123456789012:role/loader' is of partition aws, but region cn-north-1 is of partition aws-cn"));
  CHECK(has(why, "set AWS_ROLE_ARN to a role of arn:aws-cn:iam::..."));
  node.environment.set("AWS_ROLE_ARN", "loader");
  CHECK(has(node.why_not(), "set AWS_ROLE_ARN to arn:aws-cn:iam::ACCOUNT:role/NAME"));
  node.environment.unset("AWS_ROLE_ARN");
  CHECK(has(node.why_not(), "AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN is not"));
}

TEST_CASE("identity: an outage of STS is waited for, not passed by") {
  Node node;
  node.environment.set("AWS_ROLE_ARN", "arn:aws-cn:iam::123456789012:role/loader");
  node.environment.set("AWS_WEB_IDENTITY_TOKEN_FILE", node.environment.write("token", "t"));
  node.error = "InternalFailure";
  aws::Credentials keys;
  auto provider = aws::default_credentials({});
  CHECK(provider->get(keys).code() == CDCRT_RETRY);
  CHECK(node.node_asked == 0);
  node.error = "";
  CHECK(provider->get(keys).ok());
}

TEST_CASE("identity: a profile's role is assumed by what it names: the node, another profile, its own keys, a command, a token") {
  Node node;
  node.environment.write(
      ".aws/config",
      "[profile node]\nrole_arn = arn:aws:iam::1:role/a\ncredential_source = Ec2InstanceMetadata\n"
      "[profile  'base keys' ]\naws_access_key_id = B\naws_secret_access_key = base secret\n"
      "[profile other]\nrole_arn=arn:aws:iam::1:role/b\nsource_profile=base keys\nexternal_id = e=1&2\nduration_seconds=900\n"
      "role_session_name=me\nregion=eu-north-1\n"
      "[profile self]\nrole_arn=arn:aws:iam::1:role/c\nsource_profile=self\naws_access_key_id=B\naws_secret_access_key=base secret\n"
      "[profile second]\nrole_arn=arn:aws:iam::1:role/d\nsource_profile=other\n"
      "[profile command]\nrole_arn=arn:aws:iam::1:role/e\nsource_profile=printed\n"
      "[profile printed]\ncredential_process = printf '{\"Version\":1,\"AccessKeyId\":\"P\",\"SecretAccessKey\":\"base secret\"}'\n"
      "[profile pod]\nrole_arn=arn:aws:iam::1:role/f\nweb_identity_token_file=" +
          node.environment.write("token", "t") + "\n");
  aws::Credentials keys;
  node.environment.set("AWS_PROFILE", "node");
  REQUIRE(node.get(keys).ok());
  CHECK(keys.access_key == "R1");
  CHECK(has(node.last.header("authorization"), "Credential=NODE/"));
  CHECK(node.last.header("x-amz-security-token") == "nt");

  node.base_secret = "base secret";
  node.environment.set("AWS_PROFILE", "other");
  REQUIRE(node.get(keys).ok());
  CHECK(has(node.last.header("authorization"), "Credential=B/"));
  CHECK(has(node.last.header("authorization"), "/eu-north-1/sts/"));
  CHECK(node.parameter("RoleArn") == "arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fb");
  CHECK(node.parameter("ExternalId") == "e%3D1%262");
  CHECK(node.parameter("DurationSeconds") == "900");
  CHECK(node.parameter("RoleSessionName") == "me");
  CHECK(node.complaints == "");

  for (const char* profile : {"self", "command", "pod", "second"}) {
    CAPTURE(profile);
    aws::CredentialsSettings settings;
    settings.profile = profile;
    node.base_secret = std::string(profile) == "second" ? "rs" : "base secret";
    node.complaints.clear();
    keys = {};
    CHECK(aws::default_credentials(settings)->get(keys).ok());
    CHECK(keys.access_key.substr(0, 1) == "R");
    if (std::string(profile) != "second") CHECK(node.complaints == "");
    if (std::string(profile) == "second") CHECK(has(node.last.header("authorization"), "Credential=R"));
  }
}

TEST_CASE("identity: a profile that cannot give keys stops with what to set, and the node's role is not asked") {
  Node node;
  const std::string config = node.environment.write(
      ".aws/config",
      "[profile sso]\nsso_session = corp\nsso_account_id = 1\n[profile login]\nlogin_session = x\n"
      "[profile bare]\nrole_arn = arn:aws:iam::1:role/a\n[profile two]\nrole_arn = arn:aws:iam::1:role/a\nsource_profile = k\n"
      "credential_source = Environment\n[profile mfa]\nrole_arn = arn:aws:iam::1:role/a\nsource_profile = k\nmfa_serial = x\n"
      "[profile round]\nrole_arn = arn:aws:iam::1:role/a\nsource_profile = about\n"
      "[profile about]\nrole_arn = arn:aws:iam::1:role/a\nsource_profile = round\n"
      "[profile lost]\nrole_arn = arn:aws:iam::1:role/a\nsource_profile = nobody\n"
      "[profile place]\nrole_arn = arn:aws:iam::1:role/a\ncredential_source = Moon\n"
      "[profile env]\nrole_arn = arn:aws:iam::1:role/a\ncredential_source = Environment\n"
      "[profile halves]\nsource_profile = k\n[profile region]\nregion = eu-west-1\n[section]\naws_access_key_id = S\n"
      "[profile k]\naws_access_key_id=K\naws_secret_access_key=ks\n"
      "[profile cn]\nregion=cn-north-1\nrole_arn = arn:aws:iam::1:role/a\nsource_profile = k\n");
  const struct {
    const char *profile, *message, *advice;
  } cases[] = {
      {"sso", "profile 'sso' is of IAM Identity Center (SSO)",
       "credential_process = aws configure export-credentials --profile sso --format process"},
      {"login", "profile 'login' is of IAM Identity Center (SSO) or `aws login`", "credential_process"},
      {"bare", "has role_arn and nothing that says who assumes it", "one of source_profile, credential_source and web_identity_token_file"},
      {"two", "has more than one of", "one of"},
      {"mfa", "mfa_serial", "without MFA"},
      {"round", "leads back to itself by source_profile", "end the chain"},
      {"lost", "source_profile of profile 'lost': profile 'nobody' is neither in", "exists"},
      {"place", "credential_source = 'Moon' is not known", "Ec2InstanceMetadata"},
      {"env", "profile 'env': the identity that assumes its role is not there: environment variables AWS_ACCESS_KEY_ID",
       "credential_source"},
      {"halves", "profile 'halves' has source_profile without role_arn", "add role_arn"},
      {"region", "profile 'region' names no identity", "credential_process"},
      {"section", "profile 'section' is neither in", "[profile section]"},
      {"cn", "is of partition aws, but region cn-north-1", "role_arn of profile 'cn'"},
      {"nobody", "profile 'nobody' is neither in", "exists"}};
  for (const auto& [profile, message, advice] : cases) {
    CAPTURE(profile);
    node.environment.set("AWS_PROFILE", profile);
    std::string why = node.why_not();
    CHECK_MESSAGE(has(why, message), why);
    CHECK_MESSAGE(has(why, advice), why);
    node.environment.unset("AWS_PROFILE");
    aws::CredentialsSettings settings;
    settings.profile = profile;
    CHECK(has(node.why_not(settings), message));
  }
  // The profile that nobody named, but that is there, is an identity as well.
  node.environment.write(".aws/config", "[default]\nsso_session = corp\n");
  CHECK(has(node.why_not(), "profile 'default' is of IAM Identity Center"));
  node.environment.write(".aws/config", "[default]\nregion = eu-west-1\n");
  aws::Credentials keys;
  REQUIRE(node.get(keys).ok());
  CHECK(keys.access_key == "NODE");
}

TEST_CASE("identity: a file of profiles that is not there although it was named, or that is a folder, is no reason to be somebody else") {
  Node node;
  node.environment.set("AWS_SHARED_CREDENTIALS_FILE", "/nowhere/credentials");
  CHECK(has(node.why_not(), "environment variable AWS_SHARED_CREDENTIALS_FILE names /nowhere/credentials, which does not exist"));
  const std::string inside = node.environment.write("folder/file", "");
  node.environment.set("AWS_SHARED_CREDENTIALS_FILE", inside.substr(0, inside.rfind('/')));
  CHECK(has(node.why_not(), "profile 'default' cannot be read"));
}

TEST_CASE("identity: a command's keys are used until they expire, and its failure is told without what it printed") {
  Node node;
  const auto profile = [&](const std::string& command) {
    node.environment.write(".aws/config", "[default]\ncredential_process = " + command + "\n");
  };
  const std::string count = node.environment.write("count", "");
  aws::Credentials keys;
  profile("echo x >> " + count +
          "; echo '{\"Version\":1,\"AccessKeyId\":\"P\",\"SecretAccessKey\":\"ps\",\"SessionToken\":\"pt\",\"Expiration\":\"" + in(3600) +
          "\"}'");
  auto provider = aws::default_credentials({});
  for (int i = 0; i < 3; ++i) REQUIRE(provider->get(keys).ok());
  CHECK(keys.access_key == "P");
  CHECK(keys.session_token == "pt");
  CHECK(std::filesystem::file_size(count) == 2);
  CHECK(provider->origin() == "credential_process of profile 'default'");

  const struct {
    std::string command, message;
  } cases[] = {
      {"echo '{\"Version\":1,\"SecretAccessKey\":\"hidden-secret\"}'; echo 'session of hidden-secret expired' >&2; exit 7",
       "ended with exit code 7: session of *** expired"},
      {"kill -9 $$", "exit code 137"},
      {"/nowhere/command", "exit code 127"},
      {"echo no", "printed no JSON object"},
      {"echo '{\"AccessKeyId\":\"P\",\"SecretAccessKey\":\"hidden-secret\"}'", "Version is not 1"},
      {"echo '{\"Version\":1,\"AccessKeyId\":\"P\"}'", "without keys"},
      {"echo '{\"Version\":1,\"AccessKeyId\":\"P\",\"SecretAccessKey\":\"hidden-secret\",\"Expiration\":\"2020-01-01T00:00:00Z\"}'",
       "printed keys that expired at 2020-01-01"},
      {"echo '{\"Version\":1,\"AccessKeyId\":\"P\",\"SecretAccessKey\":\"hidden-secret\",\"Expiration\":\"soon\"}'", "is no time"}};
  for (const auto& [command, message] : cases) {
    profile(command);
    const std::string why = node.why_not();
    CHECK_MESSAGE(has(why, "credential_process of profile 'default' "), why);
    CHECK_MESSAGE(has(why, message), why);
    CHECK_MESSAGE(!has(why, "hidden-secret"), why);
  }
}

TEST_CASE("identity: a command that does not end is ended with its children, also when it writes all the time") {
  for (const char* command : {"sleep 600 & wait", "yes", "yes >&2", "exec 1>&- 2>&-; sleep 600"}) {
    aws::ProcessOutput output;
    REQUIRE(aws::run_command(command, std::chrono::milliseconds(100), {}, output));
    CHECK(output.timed_out);
  }
  aws::ProcessOutput output;
  REQUIRE(aws::run_command(
      "sleep 600", std::chrono::milliseconds(60000), [] { return true; }, output));
  CHECK(output.interrupted);
  // What it leaves behind in the background is not waited for.
  output = {};
  REQUIRE(aws::run_command("sleep 600 & echo $!", std::chrono::milliseconds(60000), {}, output));
  CHECK(output.exit_code == 0);
  const pid_t left = std::stoi(output.text);
  ::kill(left, SIGKILL);
}

TEST_CASE("identity: times with fractions and offsets are read") {
  const auto seconds = [](const std::string& text) {
    std::chrono::system_clock::time_point time;
    return aws::read_time(text, time) ? std::chrono::system_clock::to_time_t(time) : -1;
  };
  CHECK(seconds("2030-01-02T03:04:05Z") == 1893553445);
  CHECK(seconds("2030-01-02T03:04:05.678Z") == 1893553445);
  CHECK(seconds("2030-01-02T11:04:05+08:00") == 1893553445);
  CHECK(seconds("2030-01-01T22:04:05-0500") == 1893553445);
  CHECK(seconds("2030-01-02T03:04:05") == 1893553445);
  CHECK(seconds("tomorrow") == -1);
  CHECK(seconds("2030-01-02T03:04:05 PM") == -1);
}
