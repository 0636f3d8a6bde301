#include "kafka/token_source.hpp"

#include <rapidjson/document.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "aws/credentials.hpp"
#include "aws/msk_token.hpp"
#include "aws/profile.hpp"
#include "cdcrt/sdk/base64.hpp"

namespace cdcrt::kafka {
namespace {

using std::chrono::system_clock;

constexpr std::size_t kMaxToken = 64 << 10;

class FileTokens final : public TokenSource {
 public:
  explicit FileTokens(std::string path) : path_(std::move(path)) {}

  sdk::Status get(Token& out) override {
    errno = 0;
    std::ifstream file(path_, std::ios::binary);
    std::string text(kMaxToken + 1, '\0');
    if (file) file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (!file && !file.eof()) {
      return sdk::Status::error(CDCRT_AUTH, "the token file '" + path_ + "' cannot be read: " + std::strerror(errno == 0 ? EIO : errno),
                                "sasl.token_file names a file that this process may read, and that another program writes");
    }
    text.resize(static_cast<std::size_t>(file.gcount()));
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    const auto now = system_clock::now();
    const auto expires_at = expiry_of_token(text).value_or(now + kUnknownLifetime);
    if (text.empty() || text.size() > kMaxToken || text.find_first_of(" \t\r\n") != std::string::npos)
      return sdk::Status::error(CDCRT_AUTH, "the token file '" + path_ + "' does not hold a token", "it holds one token and nothing else");
    if (expires_at <= now) {
      return sdk::Status::error(CDCRT_AUTH, "the token in '" + path_ + "' has expired, and nobody has written a new one",
                                "look at the program that writes the file; it is read again every 10 s");
    }
    out = {std::move(text), expires_at};
    return {};
  }

 private:
  const std::string path_;
};

class MskTokens final : public TokenSource {
 public:
  explicit MskTokens(MskIdentity identity) : identity_(std::move(identity)) {}

  sdk::Status get(Token& out) override {
    std::string region = identity_.region.empty() ? aws::region_of_msk_brokers(identity_.brokers) : identity_.region;
    if (region.empty()) region = aws::find_region({}, identity_.profile);
    if (region.empty()) {
      return sdk::Status::bad_config("sasl.region", "the region of the cluster is not known: the brokers' names do not tell it",
                                     "give sasl.region, or set AWS_REGION");
    }
    if (!credentials_) {
      aws::CredentialsSettings settings;
      settings.profile = identity_.profile;
      settings.region = region;
      settings.interrupted = identity_.interrupted;
      credentials_ = aws::default_credentials(std::move(settings));
    }
    if (auto got = credentials_->get(keys_); !got.ok()) return got;
    auto token = aws::msk_token(keys_, region, identity_.lifetime, system_clock::now());
    out = {std::move(token.text), token.expires_at};
    return {};
  }

  void refused() override {
    if (credentials_) credentials_->invalidate(keys_);
  }

 private:
  const MskIdentity identity_;
  std::shared_ptr<aws::CredentialsProvider> credentials_;
  aws::Credentials keys_;
};

}  // namespace

std::optional<system_clock::time_point> expiry_of_token(std::string_view token) {
  const std::size_t first = token.find('.'), second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  const std::string_view encoded = token.substr(first + 1, second - first - 1);
  std::string payload(sdk::base64_decoded_bound(encoded.size()), '\0');
  const auto size = sdk::decode_base64(encoded, payload.data());
  if (!size) return std::nullopt;
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(payload.data(), *size);
  if (document.HasParseError() || !document.IsObject()) return std::nullopt;
  const auto found = document.FindMember("exp");
  // Beyond the year 9999 it is no time of this kind.
  if (found == document.MemberEnd() || !found->value.IsNumber() || found->value.GetDouble() < 0 ||
      found->value.GetDouble() > 253402300799.0)
    return std::nullopt;
  return system_clock::from_time_t(static_cast<std::time_t>(found->value.GetDouble()));
}

std::unique_ptr<TokenSource> tokens_of_file(std::string path) { return std::make_unique<FileTokens>(std::move(path)); }
std::unique_ptr<TokenSource> tokens_of_msk(MskIdentity identity) { return std::make_unique<MskTokens>(std::move(identity)); }

}  // namespace cdcrt::kafka
