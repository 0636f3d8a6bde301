#include "aws/credentials.hpp"

#include "aws/credentials_endpoint.hpp"
#include "aws/credentials_place.hpp"
#include "aws/credentials_profile.hpp"
#include "aws/role.hpp"

namespace cdcrt::aws {
namespace {

using std::chrono::system_clock;

constexpr std::chrono::minutes kRefreshBefore{5};
constexpr std::chrono::seconds kUnusableBefore{60};
constexpr std::chrono::seconds kAskAgainAfter{10};
constexpr std::chrono::minutes kLongWork{15};

}  // namespace

CredentialsProvider::CredentialsProvider(std::vector<std::unique_ptr<CredentialsSource>> sources, std::string configured)
    : sources_(std::move(sources)), configured_(std::move(configured)) {}

sdk::Status CredentialsProvider::get(Credentials& out, bool for_long) {
  const std::lock_guard lock(mutex_);
  const auto now = system_clock::now();
  if (!cached_.empty() && (!cached_.expires_at || *cached_.expires_at - (for_long ? kLongWork : kRefreshBefore) > now)) {
    out = cached_;
    return {};
  }
  const bool usable = !cached_.empty() && *cached_.expires_at - kUnusableBefore > now;
  if (usable && std::chrono::steady_clock::now() - asked_ < kAskAgainAfter) {
    out = cached_;
    return {};
  }
  asked_ = std::chrono::steady_clock::now();
  std::string looked_at;
  for (const auto& source : sources_) {
    if (found_ != nullptr && source.get() != found_) continue;  // once found, other keys would be a surprise
    Credentials fresh;
    std::string why_not;
    if (auto found = source->find(fresh, why_not); !found.ok()) {
      if (!usable) return found;
      out = cached_;
      return {};
    }
    if (!fresh.empty()) {
      found_ = source.get();
      cached_ = std::move(fresh);
      out = cached_;
      return {};
    }
    looked_at += (looked_at.empty() ? "" : "; ") + source->name() + ": " + why_not;
  }
  if (usable) {
    out = cached_;
    return {};
  }
  if (found_ != nullptr) return sdk::Status::retry("the AWS credentials could not be renewed. " + looked_at);
  if (!configured_.empty())
    return sdk::Status::error(CDCRT_AUTH, configured_ + ": the identity that assumes its role is not there: " + looked_at,
                              "set it up, or choose another credential_source");
  return sdk::Status::error(
      CDCRT_AUTH, "no AWS credentials were found. Looked at: " + looked_at,
      "give access_key and secret_key, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, choose a profile with keys, or "
      "give the machine or container a role");
}

void CredentialsProvider::invalidate(const Credentials& refused) {
  const std::lock_guard lock(mutex_);
  if (cached_.access_key == refused.access_key && cached_.session_token == refused.session_token) cached_ = Credentials{};
}

std::string CredentialsProvider::origin() const {
  const std::lock_guard lock(mutex_);
  return found_ == nullptr ? std::string() : found_->name();
}

std::shared_ptr<CredentialsProvider> default_credentials(CredentialsSettings settings) {
  std::vector<std::unique_ptr<CredentialsSource>> sources;
  if (!settings.given.empty()) {
    sources.push_back(given_keys(std::move(settings.given)));
  } else if (!settings.profile.empty()) {
    sources.push_back(profile_keys(settings));
  } else {
    sources.push_back(environment_keys());
    sources.push_back(web_identity_of_environment(settings.region, settings.interrupted));
    sources.push_back(profile_keys(settings));
    sources.push_back(container_keys(settings.interrupted));
    sources.push_back(instance_keys(settings.interrupted));
  }
  return std::make_shared<CredentialsProvider>(std::move(sources));
}

}  // namespace cdcrt::aws
