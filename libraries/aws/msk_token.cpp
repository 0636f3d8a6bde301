#include "aws/msk_token.hpp"

#include <algorithm>

#include "aws/digest.hpp"
#include "aws/presigned_url.hpp"
#include "cdcrt/sdk/base64.hpp"

namespace cdcrt::aws {

MskToken msk_token(const Credentials& keys, const std::string& region, std::chrono::seconds lifetime,
                   std::chrono::system_clock::time_point now) {
  PresignRequest request;
  request.service = "kafka-cluster";
  request.region = region;
  request.host = "kafka." + region + ".amazonaws.com";  // of every partition: the broker signs the same name
  request.parameters = {{"Action", "kafka-cluster:Connect"}};
  request.lifetime = lifetime;
  request.payload = sha256_hex({});
  MskToken token;
  // Not signed: it is added when the rest is done.
  token.text = sdk::encode_base64_url(presigned_url(request, keys, now) + "&User-Agent=cdcrt");
  token.expires_at = now + lifetime;
  if (keys.expires_at) token.expires_at = std::min(token.expires_at, *keys.expires_at);
  return token;
}

std::string region_of_msk_brokers(std::string_view brokers) {
  const std::size_t domain = brokers.find(".amazonaws.com");
  if (domain == std::string_view::npos) return {};
  const std::size_t dot = brokers.rfind('.', domain - 1);
  if (domain == 0 || dot == std::string_view::npos) return {};
  const std::size_t before = brokers.rfind('.', dot - 1);
  const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
  const std::string_view service = brokers.substr(begin, dot - begin);
  if (service != "kafka" && service != "kafka-serverless") return {};
  return std::string(brokers.substr(dot + 1, domain - dot - 1));
}

}  // namespace cdcrt::aws
