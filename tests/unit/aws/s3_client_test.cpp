#include "aws/s3_client.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <ctime>

#include "aws/environment.hpp"
#include "aws/http.hpp"
#include "aws/memory_s3.hpp"
#include "aws/signature.hpp"

using namespace cdcrt;
using test::MemoryS3;
using test::ServerResponse;
using namespace std::chrono_literals;

namespace {

std::shared_ptr<aws::CredentialsProvider> keys(const char* secret = MemoryS3::kSecretKey) {
  aws::CredentialsSettings settings;
  settings.given.access_key = MemoryS3::kAccessKey;
  settings.given.secret_key = secret;
  return aws::default_credentials(std::move(settings));
}

aws::S3Settings settings_of(MemoryS3& s3) {
  aws::S3Settings settings;
  settings.bucket = MemoryS3::kBucket;
  settings.region = "eu-west-1";
  settings.endpoint = s3.server().url();
  settings.path_style = true;
  settings.first_wait = settings.max_wait = std::chrono::milliseconds(1);
  settings.stall_timeout = std::chrono::milliseconds(1000);
  settings.attempts = 3;
  return settings;
}

aws::S3Client client_of(MemoryS3& s3, aws::S3Watch watch = {}) { return {settings_of(s3), keys(), std::move(watch)}; }

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// Answered by a server whose clock is ahead of this machine's by that much.
ServerResponse dated(ServerResponse response, std::chrono::seconds ahead) {
  const std::time_t time = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now() + ahead);
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  std::array<char, 64> text{};
  (void)std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  response.headers["Date"] = text.data();
  return response;
}

ServerResponse fault(ServerResponse::Fault kind) {
  ServerResponse response;
  response.fault = kind;
  return response;
}

/// Hands out other keys each time it is asked.
class Rotating final : public aws::CredentialsSource {
 public:
  explicit Rotating(int& asked) : asked_(asked) {}
  [[nodiscard]] std::string name() const override { return "the test"; }
  sdk::Status find(aws::Credentials& out, std::string&) override {
    ++asked_;
    out.access_key = MemoryS3::kAccessKey;
    out.secret_key = MemoryS3::kSecretKey;
    out.session_token = "token" + std::to_string(asked_);
    return {};
  }

 private:
  int& asked_;
};

}  // namespace

TEST_CASE("the signature check agrees with the examples that AWS published") {
  // docs.aws.amazon.com, "Signature Version 4 test suite" (get-vanilla) and "Authenticating requests: Using the Authorization header" (GET
  // object).
  test::ServerRequest vanilla{"GET", "/", {{"host", "example.amazonaws.com"}, {"x-amz-date", "20150830T123600Z"}}, ""};
  vanilla.headers["authorization"] =
      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, "
      "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
  CHECK(test::why_signature_is_wrong(vanilla, "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY") == "");

  test::ServerRequest object{"GET", "/test.txt", {}, ""};
  object.headers = {{"host", "examplebucket.s3.amazonaws.com"},
                    {"range", "bytes=0-9"},
                    {"x-amz-date", "20130524T000000Z"},
                    {"x-amz-content-sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
                    {"authorization",
                     "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
                     "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
                     "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"}};
  CHECK(test::why_signature_is_wrong(object, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY") == "");
  object.headers["range"] = "bytes=0-8";
  CHECK(test::why_signature_is_wrong(object, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY") != "");
}

TEST_CASE("an object that was put is there, whatever its name") {
  MemoryS3 s3;
  auto client = client_of(s3);
  const std::vector<std::string> names{"shop/a b+c.csv",
                                       "shop/gr\xc3\xbc\xc3\x9f"
                                       "e&<x>.csv",
                                       "shop/../dots/./x", "shop/%41=1?x#y", "~a_b-c.d"};
  for (const auto& name : names) {
    const auto put = client.put_object(name, "text of " + name);
    CHECK_MESSAGE(put.ok(), put.message());
    std::string body;
    CHECK(client.get_object(name, body).ok());
    CHECK(body == "text of " + name);
  }
  CHECK(s3.objects().size() == names.size());
  CHECK(s3.complaints() == "");
}

TEST_CASE("a session token and the encryption headers are sent and signed") {
  MemoryS3 s3;
  int asked = 0;
  std::vector<std::unique_ptr<aws::CredentialsSource>> sources;
  sources.push_back(std::make_unique<Rotating>(asked));
  auto settings = settings_of(s3);
  settings.encryption = aws::Encryption::kKms;
  settings.kms_key = "arn:aws:kms:eu-west-1:1:key/2";
  aws::S3Client client(settings, std::make_shared<aws::CredentialsProvider>(std::move(sources)));
  CHECK(client.put_object("k", "v").ok());
  std::string id;
  CHECK(client.start_multipart("m", id).ok());
  for (const auto& request : s3.requests()) {
    CHECK(request.header("x-amz-security-token") == "token1");
    CHECK(request.header("x-amz-server-side-encryption") == "aws:kms");
    CHECK(request.header("x-amz-server-side-encryption-aws-kms-key-id") == settings.kms_key);
  }
  CHECK(s3.complaints() == "");
}

TEST_CASE("a bucket may be part of the host's name") {
  MemoryS3 s3;
  auto settings = settings_of(s3);
  settings.endpoint = "http://localhost:" + std::to_string(s3.server().port());
  settings.path_style = false;
  aws::S3Client client(settings, keys());
  CHECK(client.put_object("shop/k", "v").ok());
  CHECK(s3.requests().front().header("host") == "stage.localhost:" + std::to_string(s3.server().port()));
  CHECK(s3.requests().front().target == "/shop/k");
  CHECK(s3.complaints() == "");
}

TEST_CASE("what passes is tried again until it has passed, and told to the observer") {
  MemoryS3 s3;
  std::vector<std::string> seen;
  aws::S3Watch watch;
  watch.retried = [&](std::string_view what, std::string_view why, std::chrono::milliseconds) {
    seen.push_back(std::string(what) + ": " + std::string(why));
  };
  const std::string body(3u << 20, 'x');

  SUBCASE("500") { s3.plan("PUT object", MemoryS3::error(500, "InternalError")); }
  SUBCASE("503") { s3.plan("PUT object", MemoryS3::error(503, "SlowDown", "Please reduce your request rate.")); }
  SUBCASE("a reset") { s3.plan("PUT object", fault(ServerResponse::Fault::kReset)); }
  SUBCASE("silence") { s3.plan("PUT object", fault(ServerResponse::Fault::kStall)); }
  SUBCASE("half a body") { s3.server().cut_bodies(1, 1u << 20); }

  auto client = client_of(s3, watch);
  const auto put = client.put_object("shop/a.csv", body);
  CHECK_MESSAGE(put.ok(), put.message());
  CHECK(s3.objects().at("shop/a.csv") == body);
  CHECK(client.counters().retries == 1);
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].rfind("s3:PutObject s3://stage/shop/a.csv: ", 0) == 0);
}

TEST_CASE("what does not pass ends as RETRY with the last reason") {
  MemoryS3 s3;
  for (int i = 0; i < 3; ++i) s3.plan("PUT object", MemoryS3::error(503, "SlowDown", "Please reduce your request rate."));
  auto client = client_of(s3);
  const auto put = client.put_object("k", "v");
  CHECK(put.code() == CDCRT_RETRY);
  CHECK(has(put.message(), "s3:PutObject s3://stage/k failed in 3 attempts"));
  CHECK(has(put.message(), "503 SlowDown: Please reduce your request rate."));
  CHECK(s3.actions().size() == 3);
}

TEST_CASE("an endpoint where nothing listens is UNREACHABLE") {
  aws::S3Settings settings;
  {
    MemoryS3 gone;
    settings = settings_of(gone);
  }
  aws::S3Client client(settings, keys());
  const auto put = client.put_object("k", "v");
  CHECK(put.code() == CDCRT_UNREACHABLE);
  CHECK(has(put.message(), settings.endpoint));
}

TEST_CASE("a refusal says what is missing and is not tried again") {
  MemoryS3 s3;
  auto settings = settings_of(s3);
  auto provider = keys();
  cdcrt_code code = CDCRT_OK;
  std::string message, hint;

  SUBCASE("denied") {
    s3.plan("PUT object", MemoryS3::error(403, "AccessDenied", "Access Denied"));
    code = CDCRT_BAD_CONFIG, message = "s3:PutObject s3://stage/k",
    hint = "allow s3:PutObject on arn:aws:s3:::stage/* to the keys (keys of the manifest)";
  }
  SUBCASE("denied key of encryption") {
    s3.plan("PUT object", MemoryS3::error(403, "AccessDenied", "not authorized to perform: kms:GenerateDataKey"));
    code = CDCRT_BAD_CONFIG, message = "kms:GenerateDataKey", hint = "grant kms:GenerateDataKey";
  }
  SUBCASE("wrong region by header") {
    auto response = MemoryS3::error(301, "PermanentRedirect");
    response.headers["x-amz-bucket-region"] = "eu-central-1";
    s3.plan("PUT object", response);
    code = CDCRT_BAD_CONFIG, message = "bucket 'stage' is in region eu-central-1, not in eu-west-1", hint = "set region = \"eu-central-1\"";
  }
  SUBCASE("wrong region by body") {
    auto response = MemoryS3::error(400, "AuthorizationHeaderMalformed");
    response.body.insert(response.body.find("</Error>"), "<Region>us-west-2</Region>");
    s3.plan("PUT object", response);
    code = CDCRT_BAD_CONFIG, message = "is in region us-west-2", hint = "us-west-2";
  }
  SUBCASE("no bucket") {
    settings.bucket = "nowhere";
    code = CDCRT_BAD_CONFIG, message = "404 NoSuchBucket", hint = "create bucket 'nowhere'";
  }
  SUBCASE("wrong secret") {
    provider = keys("wrong");
    code = CDCRT_AUTH, message = "SignatureDoesNotMatch", hint = "the secret key does not belong to the access key";
  }
  SUBCASE("clock") {
    s3.plan("PUT object", MemoryS3::error(403, "RequestTimeTooSkewed"));
    code = CDCRT_UNREACHABLE, message = "RequestTimeTooSkewed", hint = "let a time service set this machine's clock";
  }
  SUBCASE("clock that is behind, and whose difference the answer tells") {
    s3.plan("PUT object", dated(MemoryS3::error(403, "RequestTimeTooSkewed"), 20min));
    code = CDCRT_UNREACHABLE, message = "RequestTimeTooSkewed", hint = "this machine's clock is 20 min behind that of 127.0.0.1:";
  }
  SUBCASE("clock that is ahead") {
    s3.plan("PUT object", dated(MemoryS3::error(403, "RequestTimeTooSkewed"), -25h));
    code = CDCRT_UNREACHABLE, message = "RequestTimeTooSkewed", hint = "this machine's clock is 25 h ahead of that of 127.0.0.1:";
  }
  SUBCASE("a signature that does not match, from a clock that is far off") {
    s3.plan("PUT object", dated(MemoryS3::error(403, "SignatureDoesNotMatch"), 6min));
    code = CDCRT_UNREACHABLE, message = "SignatureDoesNotMatch", hint = "clock is 360 s behind";
  }
  SUBCASE("wrong secret, from a clock that is right") {
    s3.plan("PUT object", dated(MemoryS3::error(403, "SignatureDoesNotMatch"), 10s));
    code = CDCRT_AUTH, message = "SignatureDoesNotMatch", hint = "the secret key does not belong to the access key";
  }
  SUBCASE("not S3") {
    ServerResponse page;
    page.status = 401;
    page.body = "<html>who are you?</html>";
    s3.plan("PUT object", page);
    code = CDCRT_FATAL, message = "401", hint = "not S3's";
  }
  aws::S3Client client(settings, provider);
  const auto put = client.put_object("k", "v");
  CHECK(put.code() == code);
  CHECK_MESSAGE(has(put.message(), message), put.message());
  CHECK_MESSAGE(has(put.hint(), hint), put.hint());
  CHECK(client.counters().requests == 1);
  CHECK(!has(put.message(), MemoryS3::kSecretKey));
}

TEST_CASE("each answer tells the clock of S3, also a refusal") {
  MemoryS3 s3;
  aws::S3Client client = client_of(s3);
  CHECK_FALSE(client.clock());
  s3.plan("PUT object", dated(MemoryS3::error(403, "AccessDenied"), 1h));
  CHECK_FALSE(client.put_object("k", "v").ok());
  REQUIRE(client.clock());
  CHECK(client.clock()->owner == "S3");
  CHECK(client.clock()->allowed == 15min);
  const auto wrong = client.clock()->ahead - std::chrono::microseconds(1h);
  CHECK(std::chrono::abs(wrong) <= client.clock()->accuracy);
  for (const char* date : {"yesterday", "Fri, 31 Dec 9999 23:59:59 GMT", ""}) {
    aws::HttpAnswer answer;
    answer.headers = {{"date", date}};
    CHECK_FALSE(answer.date());
  }
}

TEST_CASE("expired keys are asked for anew, once") {
  MemoryS3 s3;
  int asked = 0;
  std::vector<std::unique_ptr<aws::CredentialsSource>> sources;
  sources.push_back(std::make_unique<Rotating>(asked));
  aws::S3Client client(settings_of(s3), std::make_shared<aws::CredentialsProvider>(std::move(sources)));
  s3.plan("PUT object", MemoryS3::error(400, "ExpiredToken", "The provided token has expired."));
  CHECK(client.put_object("k", "v").ok());
  CHECK(asked == 2);
  CHECK(s3.requests().back().header("x-amz-security-token") == "token2");

  s3.plan("PUT object", MemoryS3::error(400, "ExpiredToken"));
  s3.plan("PUT object", MemoryS3::error(400, "ExpiredToken"));
  const auto put = client.put_object("k", "v");
  CHECK(put.code() == CDCRT_AUTH);
  CHECK(has(put.hint(), "renew"));
  CHECK(asked == 3);
}

TEST_CASE("parts become one object") {
  MemoryS3 s3;
  auto client = client_of(s3);
  std::string id;
  REQUIRE(client.start_multipart("big", id).ok());
  std::vector<std::string> etags(3);
  const std::vector<std::string> parts{std::string(5u << 20, 'a'), std::string(5u << 20, 'b'), "c"};
  s3.plan("PUT part", MemoryS3::error(500, "InternalError"));
  for (uint32_t i = 0; i < 3; ++i) CHECK(client.upload_part("big", id, i + 1, parts[i], etags[i]).ok());
  SUBCASE("plainly") {}
  SUBCASE("with an error inside of a 200") { s3.plan("POST complete", MemoryS3::error(200, "InternalError")); }
  SUBCASE("with the answer lost") { s3.plan("POST complete", fault(ServerResponse::Fault::kReset), true); }
  const auto done = client.complete_multipart("big", id, etags);
  CHECK_MESSAGE(done.ok(), done.message());
  CHECK(s3.objects().at("big") == parts[0] + parts[1] + parts[2]);
  CHECK(s3.uploads() == 0);
  CHECK(s3.complaints() == "");
}

TEST_CASE("completing an upload that someone aborted is no success") {
  MemoryS3 s3;
  auto client = client_of(s3);
  CHECK(client.complete_multipart("big", "gone", {"\"1\""}).code() == CDCRT_RETRY);
  CHECK(client.abort_multipart("big", "gone").ok());
}

TEST_CASE("a start whose answer was lost leaves no upload behind") {
  MemoryS3 s3;
  s3.plan("POST start", fault(ServerResponse::Fault::kReset), true);
  auto client = client_of(s3);
  std::string id;
  REQUIRE(client.start_multipart("big", id).ok());
  CHECK(s3.uploads() == 1);
  CHECK(client.abort_multipart("big", id).ok());
  CHECK(s3.uploads() == 0);
}

TEST_CASE("listings are read to their end") {
  MemoryS3 s3;
  s3.page = 2;
  auto client = client_of(s3);
  for (const char* name : {"p/a", "p/b", "p/c&d", "p/e", "p/f", "q/a"}) REQUIRE(client.put_object(name, "12345").ok());
  std::vector<aws::S3Object> found;
  CHECK(client.list_objects("p/", found).ok());
  REQUIRE(found.size() == 5);
  CHECK(found[2].key == "p/c&d");
  CHECK(found[2].size == 5);
}

TEST_CASE("deleting a prefix takes its objects and uploads and nothing else") {
  MemoryS3 s3;
  auto client = client_of(s3);
  for (const char* name : {"shop/p1/a", "shop/p1/b<&>", "shop/p11/a", "shop/p2/a"}) REQUIRE(client.put_object(name, "v").ok());
  std::string mine, other;
  REQUIRE(client.start_multipart("shop/p1/big", mine).ok());
  REQUIRE(client.start_multipart("shop/p2/big", other).ok());
  uint64_t deleted = 0;
  CHECK(client.delete_prefix("shop/p1/", deleted).ok());
  CHECK(deleted == 3);
  CHECK(s3.uploads() == 1);
  const auto left = s3.objects();
  CHECK(left.size() == 2);
  CHECK(left.count("shop/p11/a") == 1);
  CHECK(left.count("shop/p2/a") == 1);
  CHECK(client.delete_prefix("", deleted).code() == CDCRT_FATAL);
  CHECK(client.delete_prefix("shop/p2", deleted).code() == CDCRT_FATAL);
  CHECK(s3.objects().size() == 2);
}

TEST_CASE("many keys are deleted in requests of a thousand, and the one that is refused is named") {
  MemoryS3 s3;
  auto client = client_of(s3);
  std::vector<std::string> many;
  for (int i = 0; i < 2001; ++i) many.push_back("k" + std::to_string(i));
  REQUIRE(client.put_object("k0", "v").ok());
  REQUIRE(client.put_object("k2000", "v").ok());
  ServerResponse refusal;
  refusal.body = "<DeleteResult><Error><Key>k7</Key><Code>AccessDenied</Code><Message>Access Denied</Message></Error></DeleteResult>";
  s3.plan("POST delete", refusal, true);
  const auto done = client.delete_objects(many);
  CHECK(done.code() == CDCRT_BAD_CONFIG);
  CHECK(has(done.message(), "s3:DeleteObject s3://stage/k7"));
  CHECK(s3.actions().size() == 5);
  CHECK(s3.objects().empty());
}

TEST_CASE("Amazon's S3 deletes keys by a SHA-256 of the request, so that nothing needs MD5; other servers get MD5") {
  test::Environment environment;
  test::ServerRequest seen;
  test::HttpServer proxy([&](test::ServerRequest request) {
    // As a proxy gets it: with the host it is for.
    const std::string host = "http://" + request.header("host");
    if (request.target.rfind(host, 0) == 0) request.target.erase(0, host.size());
    seen = request;
    ServerResponse response;
    response.body = "<DeleteResult/>";
    return response;
  });
  environment.set("http_proxy", proxy.url());
  aws::S3Settings settings;
  settings.bucket = MemoryS3::kBucket;
  settings.region = "cn-north-1";
  settings.endpoint = "http://s3.cn-north-1.amazonaws.com.cn";
  aws::S3Client client(settings, keys());
  CHECK(client.delete_objects({"k"}).ok());
  environment.unset("http_proxy");
  CHECK(seen.header("host") == "stage.s3.cn-north-1.amazonaws.com.cn");
  CHECK(seen.header("content-md5") == "");
  CHECK(seen.header("x-amz-checksum-sha256") == test::sha256_base64(seen.body));
  CHECK(test::why_signature_is_wrong(seen, MemoryS3::kSecretKey) == "");

  MemoryS3 other;
  CHECK(client_of(other).delete_objects({"k"}).ok());
  CHECK(other.requests().back().header("content-md5") != "");
  CHECK(other.requests().back().header("x-amz-checksum-sha256") == "");
}

TEST_CASE("an interruption ends waiting, and what is not wanted any more is still removed") {
  MemoryS3 s3;
  bool stop = false;
  aws::S3Watch watch;
  watch.interrupted = [&] { return stop; };
  auto settings = settings_of(s3);
  settings.attempts = 1000;
  settings.first_wait = settings.max_wait = std::chrono::hours(1);
  settings.stall_timeout = std::chrono::hours(1);
  SUBCASE("of an answer") {
    s3.plan("PUT object", fault(ServerResponse::Fault::kStall), true);
    watch.interrupted = [&] { return stop = stop || !s3.actions().empty(); };
  }
  SUBCASE("between attempts") {
    s3.plan("PUT object", MemoryS3::error(503, "SlowDown"), true);
    watch.retried = [&](auto, auto, auto) { stop = true; };
  }
  aws::S3Client client(settings, keys(), watch);
  const auto put = client.put_object("k", "v");
  CHECK(put.code() == CDCRT_RETRY);
  CHECK(has(put.message(), "interrupted"));
  CHECK(s3.objects().size() == 1);
  CHECK(client.delete_objects({"k"}).ok());
  CHECK(s3.objects().empty());
  s3.plan("POST delete", MemoryS3::error(503, "SlowDown"));
  CHECK(client.delete_objects({"k"}).code() == CDCRT_RETRY);
}

TEST_CASE("settings that cannot be right are refused with their option") {
  aws::S3Location location;
  CHECK(aws::parse_s3_url("s3://my-bucket/shop/stage", "staging.url", location).ok());
  CHECK(location.bucket == "my-bucket");
  CHECK(location.prefix == "shop/stage/");
  CHECK(aws::parse_s3_url("s3://my-bucket", "staging.url", location).ok());
  CHECK(location.prefix == "");
  for (const char* wrong : {"http://my-bucket/x", "s3:/my-bucket", "s3://", "s3://My_Bucket/x", "s3://ab/x", "s3://my-bucket//x",
                            "s3://my-bucket/a//b", "s3://my-bucket/a?b"})
    CHECK_MESSAGE(aws::parse_s3_url(wrong, "staging.url", location).code() == CDCRT_BAD_CONFIG, wrong);

  MemoryS3 s3;
  auto settings = settings_of(s3);
  settings.endpoint = "localhost:9000";
  CHECK(aws::S3Client(settings, keys()).put_object("k", "v").code() == CDCRT_BAD_CONFIG);
  settings = settings_of(s3);
  settings.region = "eu west";
  CHECK(aws::S3Client(settings, keys()).put_object("k", "v").code() == CDCRT_BAD_CONFIG);
}
