#include <rapidjson/document.h>

#include <algorithm>
#include <utility>

#include "aws/http.hpp"
#include "aws/uri.hpp"
#include "cdcrt/sdk/base64.hpp"
#include "cdcrt/sdk/utf8.hpp"
#include "kafka/token_source.hpp"

namespace cdcrt::kafka {
namespace {

using std::chrono::system_clock;

constexpr std::size_t kMaxShown = 200;

std::string member(const rapidjson::Value& object, const char* name) {
  const auto found = object.FindMember(name);
  if (found == object.MemberEnd() || !found->value.IsString()) return {};
  return {found->value.GetString(), found->value.GetStringLength()};
}

/// RFC 6749, 5.2: "error" and "error_description". The rest of an answer is not shown: nobody knows what is in it.
std::string reason_of(const rapidjson::Document& answer, const std::string& secret) {
  if (!answer.IsObject()) return {};
  std::string text = member(answer, "error");
  if (const std::string more = member(answer, "error_description"); !more.empty()) text += (text.empty() ? "" : ": ") + more;
  for (auto at = text.find(secret); !secret.empty() && at != std::string::npos; at = text.find(secret, at + 3))
    text.replace(at, secret.size(), "***");
  return std::string(sdk::first_characters(text, kMaxShown));
}

class EndpointTokens final : public TokenSource {
 public:
  explicit EndpointTokens(TokenEndpoint endpoint) : endpoint_(std::move(endpoint)) {}

  sdk::Status get(Token& out) override {
    std::string body = "grant_type=client_credentials";
    if (!endpoint_.scope.empty()) body += "&scope=" + aws::percent_encode(endpoint_.scope, false);
    aws::HttpRequest request;
    request.method = "POST";
    request.url = endpoint_.url;
    request.headers = {"content-type: application/x-www-form-urlencoded", "accept: application/json",
                       "authorization: Basic " + sdk::encode_base64(aws::percent_encode(endpoint_.client_id, false) + ":" +
                                                                    aws::percent_encode(endpoint_.client_secret, false))};
    request.body = body;
    request.ca = endpoint_.ca;
    request.total_timeout = std::chrono::seconds(20);
    request.fresh = true;  // minutes lie between two requests
    const auto asked_at = system_clock::now();
    const auto answer = connection_.send(request, nullptr, endpoint_.interrupted);
    if (answer.failure != aws::HttpFailure::kNone) {
      const bool is_certificate = answer.failure == aws::HttpFailure::kCertificate;
      return sdk::Status::error(
          is_certificate ? CDCRT_AUTH : CDCRT_RETRY,
          "the token endpoint " + endpoint_.url + " cannot be asked for a token: " + answer.failure_text,
          is_certificate ? "give the certificate of its CA with sasl.token_endpoint_ca, or check the address and this machine's clock"
                         : "check sasl.token_endpoint and the network; it is asked again in 10 s");
    }
    rapidjson::Document document;
    document.Parse<rapidjson::kParseIterativeFlag>(answer.body.data(), answer.body.size());
    if (document.HasParseError()) document.SetNull();
    if (answer.status / 100 != 2) {
      const std::string reason = reason_of(document, endpoint_.client_secret);
      return sdk::Status::error(answer.status / 100 == 5 || answer.status == 429 ? CDCRT_RETRY : CDCRT_AUTH,
                                "the token endpoint " + endpoint_.url + " gives client '" + endpoint_.client_id + "' no token: status " +
                                    std::to_string(answer.status) + (reason.empty() ? "" : ", " + reason),
                                "check sasl.client_id, sasl.client_secret and sasl.scope, and what the client may do there");
    }
    Token token;
    if (document.IsObject()) token.text = member(document, "access_token");
    if (token.text.empty())
      return sdk::Status::error(CDCRT_AUTH, "the token endpoint " + endpoint_.url + " answers without an access_token",
                                "check that sasl.token_endpoint is the address for tokens, and not a page for people");
    token.expires_at = expiry_of_token(token.text).value_or(asked_at + kUnknownLifetime);
    const auto lifetime = document.FindMember("expires_in");
    if (lifetime != document.MemberEnd() && lifetime->value.IsNumber() && lifetime->value.GetDouble() > 0) {
      const std::chrono::seconds left(static_cast<int64_t>(std::min(lifetime->value.GetDouble(), 86400.0 * 365)));
      token.expires_at = expiry_of_token(token.text) ? std::min(token.expires_at, asked_at + left) : asked_at + left;
    }
    out = std::move(token);
    return {};
  }

 private:
  const TokenEndpoint endpoint_;
  aws::HttpConnection connection_;
};

}  // namespace

std::unique_ptr<TokenSource> tokens_of_endpoint(TokenEndpoint endpoint) { return std::make_unique<EndpointTokens>(std::move(endpoint)); }

}  // namespace cdcrt::kafka
