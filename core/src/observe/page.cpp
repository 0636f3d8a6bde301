#include "observe/page.hpp"

#include <openssl/sha.h>

#include <array>
#include <string>
#include <string_view>

#include "cdcrt/sdk/base64.hpp"

namespace cdcrt::observe {
namespace {

/// "'sha256-...'" of what stands between the tags, as a Content-Security-Policy names it.
std::string source_of(std::string_view page, std::string_view tag) {
  const std::string begin = "<" + std::string(tag) + ">", end = "</" + std::string(tag) + ">";
  const std::size_t from = page.find(begin) + begin.size();
  const std::string_view text = page.substr(from, page.find(end, from) - from);
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return "'sha256-" + sdk::encode_base64({reinterpret_cast<const char*>(digest.data()), digest.size()}) + "'";
}

}  // namespace

Response page() {
  static const std::string kPolicy = "default-src 'none'; connect-src 'self'; script-src " + source_of(kPageText, "script") +
                                     "; style-src " + source_of(kPageText, "style") +
                                     "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
  Response response;
  response.content_type = "text/html; charset=utf-8";
  response.body = kPageText;
  response.headers = {{"Content-Security-Policy", kPolicy}, {"Referrer-Policy", "no-referrer"}};
  return response;
}

}  // namespace cdcrt::observe
