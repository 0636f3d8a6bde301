#include <doctest/doctest.h>

#include <string>

#include "cdcrt/sdk/base64.hpp"
#include "observe/endpoint.hpp"
#include "snapshots.hpp"

using namespace cdcrt;
using namespace cdcrt::observe;

namespace {

constexpr const char* kToken = "0123456789abcdef";

struct StatedHealth final : Health {
  [[nodiscard]] std::vector<Reason> not_ready() const override { return unready; }
  [[nodiscard]] std::vector<Reason> not_alive() const override { return dead; }
  std::vector<Reason> unready, dead;
};

struct Asked {
  explicit Asked(const std::string& token = {}) {
    settings.listen = "127.0.0.1:0";
    settings.token = token;
    endpoint = std::make_unique<Endpoint>(settings, health, [this] {
      ++taken;
      return snapshot_of(1);
    });
  }
  Response get(const std::string& path, std::vector<std::pair<std::string, std::string>> headers = {}, const std::string& method = "GET") {
    Request request;
    request.method = method;
    request.path = path;
    request.headers = std::move(headers);
    return endpoint->answer(request);
  }
  int status(const std::string& path, const std::string& authorization) { return get(path, {{"authorization", authorization}}).status; }
  Settings settings;
  StatedHealth health;
  int taken = 0;
  std::unique_ptr<Endpoint> endpoint;
};

}  // namespace

TEST_CASE("endpoint: each path answers, others do not") {
  Asked asked;
  CHECK(asked.get("/metrics").body.find("cdcrt_ready{pipeline=\"shop\"} 1\n") != std::string::npos);
  CHECK(asked.get("/status").content_type == "application/json");
  CHECK(asked.get("/").status == 200);
  for (const auto* path :
       {"/../etc/passwd", "//", "/metrics/", "/METRICS", "/status/..", "/%2e%2e/etc", "/metrics%00", "/favicon.ico", ""}) {
    CAPTURE(path);
    CHECK(asked.get(path).status == 404);
  }
}

TEST_CASE("endpoint: nothing but reading is allowed") {
  Asked asked;
  for (const auto* method : {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get"}) {
    CAPTURE(method);
    CHECK(asked.get("/metrics", {}, method).status == 405);
  }
  CHECK(asked.get("/metrics", {}, "HEAD").status == 200);
  CHECK(asked.taken == 1);
}

TEST_CASE("endpoint: the format is the one that is asked for") {
  Asked asked;
  const auto open = asked.get("/metrics", {{"accept", "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"}});
  CHECK(open.content_type.starts_with("application/openmetrics-text"));
  CHECK(open.body.ends_with("# EOF\n"));
  CHECK(asked.get("/metrics", {{"accept", "*/*"}}).content_type.starts_with("text/plain"));
}

TEST_CASE("endpoint: health answers with its reasons") {
  Asked asked;
  CHECK(asked.get("/readyz").status == 200);
  CHECK(asked.get("/readyz").body == "{\"ready\":true,\"reasons\":[]}\n");
  asked.health.unready.push_back({"sinks.db", "away"});
  CHECK(asked.get("/readyz").status == 503);
  CHECK(asked.get("/readyz").body.find("away") != std::string::npos);
  CHECK(asked.get("/livez").status == 200);
  asked.health.dead.push_back({"pipeline", "stuck"});
  CHECK(asked.get("/livez").status == 503);
  CHECK(asked.taken == 0);
}

TEST_CASE("endpoint: with a token nothing is told without it, but for whether the pipeline is ready and alive") {
  Asked asked(kToken);
  asked.health.unready.push_back({"sinks.db", "away"});
  for (const auto* path : {"/metrics", "/status", "/", "/nothing"}) {
    CAPTURE(path);
    const auto refused = asked.get(path);
    CHECK(refused.status == 401);
    CHECK(refused.headers.front().first == "WWW-Authenticate");
  }
  CHECK(asked.taken == 0);
  CHECK(asked.get("/readyz").status == 503);
  CHECK(asked.get("/readyz").body == "{\"ready\":false}\n");
  CHECK(asked.get("/readyz", {{"authorization", std::string("Bearer ") + kToken}}).body.find("away") != std::string::npos);
}

TEST_CASE("endpoint: a token is taken as a bearer's or as a password, and a wrong one is refused everywhere") {
  Asked asked(kToken);
  const std::string bearer = std::string("Bearer ") + kToken;
  CHECK(asked.status("/metrics", bearer) == 200);
  CHECK(asked.status("/metrics", std::string("bearer   ") + kToken) == 200);
  CHECK(asked.status("/metrics", "Basic " + sdk::encode_base64(std::string("anyone:") + kToken)) == 200);
  for (const std::string& wrong :
       {bearer + "x", bearer.substr(0, bearer.size() - 1), std::string("Bearer 0123456789abcdeF"), std::string("Bearer"),
        std::string("Bearer "), std::string(kToken), std::string("Digest ") + kToken, std::string("Basic ") + kToken,
        std::string("Basic !!"), "Basic " + sdk::encode_base64(kToken), "Basic " + sdk::encode_base64("a:"), std::string()}) {
    CAPTURE(wrong);
    CHECK(asked.status("/metrics", wrong) == 401);
    CHECK(asked.status("/readyz", wrong) == 401);
  }
}

TEST_CASE("endpoint: without a token a name that is not an address is refused, so that no page of the web reads it through a browser") {
  Asked asked, with_token(kToken);
  for (const auto* host : {"localhost:9464", "localhost", "127.0.0.1:9464", "127.0.0.1", "[::1]:9464"}) {
    CAPTURE(host);
    CHECK(asked.get("/status", {{"host", host}}).status == 200);
  }
  for (const auto* host : {"evil.example:9464", "127.0.0.1.evil.example", "localhost.evil.example:80", ""}) {
    CAPTURE(host);
    CHECK(asked.get("/status", {{"host", host}}).status == 403);
  }
  CHECK(with_token.get("/status", {{"host", "node7.example"}, {"authorization", std::string("Bearer ") + kToken}}).status == 200);
}

TEST_CASE("endpoint: however often it is asked, the pipeline is looked at now and then") {
  Asked asked;
  for (int i = 0; i < 100; ++i) (void)asked.get(i % 2 == 0 ? "/metrics" : "/status");
  CHECK(asked.taken < 50);
}
