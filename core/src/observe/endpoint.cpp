#include "observe/endpoint.hpp"

#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>

#include "cdcrt/sdk/base64.hpp"
#include "diagnostics/text.hpp"
#include "observe/metrics.hpp"
#include "observe/page.hpp"
#include "observe/status.hpp"

namespace cdcrt::observe {
namespace {

// However often it is asked, the pipeline is looked at no more often than that.
constexpr auto kFresh = std::chrono::milliseconds(100);

constexpr const char* kJson = "application/json";

Response refuse(int status, std::string body) {
  Response response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

bool accepts_open_metrics(const Request& request) {
  const std::string* const accept = request.header("accept");
  return accept != nullptr && accept->find("application/openmetrics-text") != std::string::npos;
}

/// The secret of "Bearer SECRET", or the password of "Basic ...", as browsers send it; nullopt: neither.
std::optional<std::string> secret_of(const std::string& authorization) {
  const std::size_t blank = authorization.find(' ');
  if (blank == std::string::npos) return std::nullopt;
  const std::string_view scheme = std::string_view(authorization).substr(0, blank);
  const std::string_view value =
      std::string_view(authorization).substr(std::min(authorization.find_first_not_of(' ', blank), authorization.size()));
  if (diagnostics::equal_but_for_case(scheme, "Bearer")) return std::string(value);
  if (!diagnostics::equal_but_for_case(scheme, "Basic")) return std::nullopt;
  std::string decoded(sdk::base64_decoded_bound(value.size()), '\0');
  const auto size = sdk::decode_base64(value, decoded.data());
  if (!size) return std::nullopt;
  decoded.resize(*size);
  const std::size_t colon = decoded.find(':');
  if (colon == std::string::npos) return std::nullopt;
  return decoded.substr(colon + 1);
}

}  // namespace

bool is_same_secret(std::string_view one, std::string_view other) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> first{}, second{};
  SHA256(reinterpret_cast<const unsigned char*>(one.data()), one.size(), first.data());
  SHA256(reinterpret_cast<const unsigned char*>(other.data()), other.size(), second.data());
  return CRYPTO_memcmp(first.data(), second.data(), first.size()) == 0;
}

Endpoint::Endpoint(const Settings& settings, const Health& health, std::function<Snapshot()> snapshot)
    : settings_(settings), health_(health), take_(std::move(snapshot)) {}

Endpoint::Access Endpoint::access(const Request& request) const {
  if (settings_.token.empty()) return Access::kGranted;
  const std::string* const authorization = request.header("authorization");
  if (authorization == nullptr) return Access::kAnonymous;
  const auto secret = secret_of(*authorization);
  return secret && is_same_secret(*secret, settings_.token) ? Access::kGranted : Access::kRefused;
}

// A page of the web may lead its reader's browser here under a name of its own; it cannot do so under an address.
bool Endpoint::is_asked_by_its_address(const Request& request) const {
  const std::string* const host = request.header("host");
  if (!settings_.token.empty() || host == nullptr) return true;
  std::string name = *host;
  if (name.starts_with('[')) return true;
  name = name.substr(0, name.rfind(':'));
  in_addr four{};
  return name == "localhost" || ::inet_pton(AF_INET, name.c_str(), &four) == 1;
}

Response Endpoint::about_health(std::string_view key, const std::vector<Reason>& reasons, Access access) const {
  Response response;
  response.status = reasons.empty() ? 200 : 503;
  response.content_type = kJson;
  // Probes ask without a token; the reasons name what is inside.
  if (access == Access::kAnonymous) {
    response.body = "{\"" + std::string(key) + "\":" + (reasons.empty() ? "true" : "false") + "}\n";
  } else {
    response.body = render_reasons(key, reasons);
  }
  return response;
}

const Snapshot& Endpoint::fresh() {
  const auto now = std::chrono::steady_clock::now();
  if (!snapshot_ || now - taken_ >= kFresh) {
    snapshot_ = take_();
    taken_ = now;
  }
  return *snapshot_;
}

Response Endpoint::answer(const Request& request) {
  if (request.method != "GET" && request.method != "HEAD") {
    Response response = refuse(405, "only GET and HEAD\n");
    response.headers.emplace_back("Allow", "GET, HEAD");
    return response;
  }
  if (!is_asked_by_its_address(request)) return refuse(403, "ask by the address, or by localhost: by another name only with http_token\n");
  const Access granted = access(request);
  const bool is_health = request.path == "/livez" || request.path == "/readyz";
  if (granted == Access::kRefused || (granted == Access::kAnonymous && !is_health)) {
    Response response = refuse(401, "a token is needed: Authorization: Bearer TOKEN\n");
    response.headers.emplace_back("WWW-Authenticate", "Basic realm=\"cdcrt\", charset=\"UTF-8\"");
    return response;
  }
  Response response;
  if (request.path == "/livez") return about_health("alive", health_.not_alive(), granted);
  if (request.path == "/readyz") return about_health("ready", health_.not_ready(), granted);
  if (request.path == "/metrics") {
    const auto exposition = accepts_open_metrics(request) ? Exposition::kOpenMetrics : Exposition::kPrometheusText;
    response.content_type = content_type(exposition);
    response.body = render_metrics(fresh(), exposition, settings_.max_tables);
    return response;
  }
  if (request.path == "/status") {
    const auto query = read_status_query(request.query);
    if (!query) return refuse(400, query.error().message + "\n");
    response.content_type = kJson;
    response.body = render_status(fresh(), *query);
    return response;
  }
  if (request.path == "/") return page();
  return refuse(404, "nothing is here: /metrics /status /readyz /livez\n");
}

}  // namespace cdcrt::observe
