#include "aws/presigned_url.hpp"

#include <ctime>

#include "aws/digest.hpp"
#include "aws/uri.hpp"

namespace cdcrt::aws {
namespace {

constexpr const char* kAlgorithm = "AWS4-HMAC-SHA256";

/// "20130524T000000Z"
std::string basic_time(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &parts)};
}

}  // namespace

std::string presigned_url(const PresignRequest& request, const Credentials& keys, std::chrono::system_clock::time_point now) {
  const std::string time = basic_time(now), day = time.substr(0, 8);
  const std::string scope = day + "/" + request.region + "/" + request.service + "/aws4_request";
  auto parameters = request.parameters;
  parameters.emplace_back("X-Amz-Algorithm", kAlgorithm);
  parameters.emplace_back("X-Amz-Credential", keys.access_key + "/" + scope);
  parameters.emplace_back("X-Amz-Date", time);
  parameters.emplace_back("X-Amz-Expires", std::to_string(request.lifetime.count()));
  parameters.emplace_back("X-Amz-SignedHeaders", "host");
  if (!keys.session_token.empty()) parameters.emplace_back("X-Amz-Security-Token", keys.session_token);
  const std::string query = canonical_query(std::move(parameters));
  const std::string canonical = "GET\n" + request.path + "\n" + query + "\nhost:" + request.host + "\n\nhost\n" + request.payload;
  const std::string to_sign = std::string(kAlgorithm) + "\n" + time + "\n" + scope + "\n" + sha256_hex(canonical);
  std::string key = hmac_sha256("AWS4" + keys.secret_key, day);
  for (const std::string& part : {request.region, request.service, std::string("aws4_request")}) key = hmac_sha256(key, part);
  return "https://" + request.host + request.path + "?" + query + "&X-Amz-Signature=" + to_hex(hmac_sha256(key, to_sign));
}

}  // namespace cdcrt::aws
