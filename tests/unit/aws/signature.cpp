#include "aws/signature.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <sstream>
#include <vector>

namespace cdcrt::test {
namespace {

std::string hex(const std::string& bytes) {
  std::string out;
  for (const char letter : bytes) {
    char text[3];
    std::snprintf(text, sizeof text, "%02x", static_cast<unsigned char>(letter));
    out += text;
  }
  return out;
}

std::string hmac(const std::string& key, const std::string& text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest,
       &size);
  return {reinterpret_cast<char*>(digest), size};
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::stringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

std::string part_of(const std::string& authorization, const std::string& name) {
  const auto begin = authorization.find(name + "=");
  if (begin == std::string::npos) return {};
  const auto start = begin + name.size() + 1;
  const auto end = authorization.find_first_of(", ", start);
  return authorization.substr(start, end == std::string::npos ? end : end - start);
}

}  // namespace

std::string sha256_hex(const std::string& text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha256(), nullptr);
  return hex({reinterpret_cast<char*>(digest), size});
}

std::string sha256_base64(const std::string& text) {
  unsigned char digest[EVP_MAX_MD_SIZE], encoded[2 * EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha256(), nullptr);
  const int length = EVP_EncodeBlock(encoded, digest, static_cast<int>(size));
  return {encoded, encoded + length};
}

std::string why_signature_is_wrong(const ServerRequest& request, const std::string& secret_key) {
  const std::string authorization = request.header("authorization");
  if (authorization.rfind("AWS4-HMAC-SHA256 ", 0) != 0) return "no signature: " + authorization;
  const auto scope = split(part_of(authorization, "Credential"), '/');
  if (scope.size() != 5 || scope[4] != "aws4_request") return "no credential scope: " + authorization;
  const std::string digest =
      request.header("x-amz-content-sha256").empty() ? sha256_hex(request.body) : request.header("x-amz-content-sha256");
  if (digest != sha256_hex(request.body) && digest != "UNSIGNED-PAYLOAD") return "the body's digest is wrong";

  auto parameters = split(request.query(), '&');
  std::sort(parameters.begin(), parameters.end());
  std::string query;
  for (auto& parameter : parameters)
    query += (query.empty() ? "" : "&") + parameter + (parameter.find('=') == std::string::npos ? "=" : "");
  std::string canonical = request.method + "\n" + request.path() + "\n" + query + "\n";
  const std::string names = part_of(authorization, "SignedHeaders");
  bool host = false;
  for (const auto& name : split(names, ';')) {
    if (request.headers.count(name) == 0) return "signed header " + name + " was not sent";
    canonical += name + ":" + request.header(name) + "\n";
    host = host || name == "host";
  }
  if (!host) return "host is not signed";
  for (const auto& [name, value] : request.headers)
    if (name.rfind("x-amz-", 0) == 0 && (";" + names + ";").find(";" + name + ";") == std::string::npos) return name + " is not signed";
  canonical += "\n" + names + "\n" + digest;

  const std::string date = request.header("x-amz-date");
  const std::string to_sign =
      "AWS4-HMAC-SHA256\n" + date + "\n" + scope[1] + "/" + scope[2] + "/" + scope[3] + "/aws4_request\n" + sha256_hex(canonical);
  const std::string key = hmac(hmac(hmac(hmac("AWS4" + secret_key, scope[1]), scope[2]), scope[3]), "aws4_request");
  const std::string expected = hex(hmac(key, to_sign));
  return expected == part_of(authorization, "Signature") ? std::string()
                                                         : "expected " + expected + " in " + authorization + " of\n" + canonical;
}

}  // namespace cdcrt::test
