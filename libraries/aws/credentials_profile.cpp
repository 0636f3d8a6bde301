#include "aws/credentials_profile.hpp"

#include <algorithm>
#include <vector>

#include "aws/credentials_endpoint.hpp"
#include "aws/credentials_place.hpp"
#include "aws/credentials_process.hpp"
#include "aws/profile.hpp"
#include "aws/role.hpp"

namespace cdcrt::aws {
namespace {

sdk::Status wrong(std::string message, std::string advice) { return sdk::Status::error(CDCRT_AUTH, std::move(message), std::move(advice)); }

/// Everything that says who somebody is. A profile with none of them holds settings alone (a region).
constexpr const char* kIdentityKeys[] = {"aws_access_key_id", "aws_secret_access_key",   "role_arn",           "source_profile",
                                         "credential_source", "web_identity_token_file", "credential_process", "sso_session",
                                         "sso_start_url",     "sso_account_id",          "login_session"};

class ProfileKeys final : public CredentialsSource {
 public:
  /// `asked_for`: named by manifest, environment or another profile. `chain`: the profiles that led here.
  ProfileKeys(std::string profile, bool asked_for, CredentialsSettings settings, std::vector<std::string> chain)
      : profile_(std::move(profile)), asked_for_(asked_for), settings_(std::move(settings)), chain_(std::move(chain)) {}

  [[nodiscard]] std::string name() const override { return made_ == nullptr ? shown() : made_->name(); }

  sdk::Status find(Credentials& out, std::string& why_not) override {
    const Profile profile = read_profile(profile_);
    if (!profile.unreadable.empty())
      return wrong(shown() + " cannot be read: " + profile.unreadable, "let the user of this process read it, or correct the path");
    if (!profile.found) return not_found(profile, why_not);
    const bool any =
        std::any_of(std::begin(kIdentityKeys), std::end(kIdentityKeys), [&](const char* key) { return !profile.value(key).empty(); });
    if (!any) {
      why_not = "has no keys";
      if (!asked_for_) return {};
      return wrong(shown() + " names no identity (" + profile.looked_at + ")",
                   "give it keys, role_arn or credential_process; or do not name it (a region alone: AWS_REGION)");
    }
    why_not.clear();
    const bool own_keys = !profile.value("aws_access_key_id").empty() || !profile.value("aws_secret_access_key").empty();
    // A profile that is its own source means its keys.
    const bool itself = std::find(chain_.begin(), chain_.end(), profile_) != chain_.end();
    if (itself && (!own_keys || chain_.back() != profile_))
      return wrong(shown() + " leads back to itself by source_profile", "end the chain in a profile with keys or credential_process");
    const bool role = !profile.value("role_arn").empty() || !profile.value("source_profile").empty() ||
                      !profile.value("credential_source").empty() || !profile.value("web_identity_token_file").empty();
    if (role && !itself) return by_role(profile, out, why_not);
    if (own_keys) return keys_of(profile, out);
    if (!profile.value("sso_session").empty() || !profile.value("sso_start_url").empty() || !profile.value("sso_account_id").empty() ||
        !profile.value("login_session").empty()) {
      return wrong(shown() + " is of IAM Identity Center (SSO) or `aws login`, whose sessions cdcrt does not read",
                   "make a profile with credential_process = aws configure export-credentials --profile " + profile_ +
                       " --format process, and name that one");
    }
    return by_process(profile, out, why_not);
  }

 private:
  [[nodiscard]] std::string shown() const { return "profile '" + profile_ + "'"; }

  sdk::Status not_found(const Profile& profile, std::string& why_not) const {
    why_not = "not in " + profile.looked_at;
    if (!asked_for_ && profile.missing.empty()) return {};
    if (!asked_for_) return wrong(profile.missing, "correct or unset it, so that no other identity is taken in its place");
    std::string advice = "name a profile that exists";
    if (profile.misnamed) advice = "in the config file its section must be called [profile " + profile_ + "]";
    return wrong(
        (chain_.empty() ? "" : "source_profile of profile '" + chain_.back() + "': ") + shown() + " is neither in " + profile.looked_at,
        advice);
  }

  sdk::Status keys_of(const Profile& profile, Credentials& out) const {
    const std::string access = profile.value("aws_access_key_id"), secret = profile.value("aws_secret_access_key");
    if (access.empty() || secret.empty())
      return wrong(shown() + " has only one of aws_access_key_id and aws_secret_access_key (" + profile.looked_at + ")", "complete it");
    out.access_key = access;
    out.secret_key = secret;
    out.session_token = profile.value("aws_session_token");
    return {};
  }

  sdk::Status by_process(const Profile& profile, Credentials& out, std::string& why_not) {
    if (made_ == nullptr || made_of_ != profile.values) {
      made_ = process_keys(shown(), profile.value("credential_process"), settings_.interrupted);
      made_of_ = profile.values;
    }
    return made_->find(out, why_not);
  }

  sdk::Status by_role(const Profile& profile, Credentials& out, std::string& why_not) {
    if (made_ == nullptr || made_of_ != profile.values) {
      if (auto made = make_role(profile); !made.ok()) return made;
      made_of_ = profile.values;
    }
    return made_->find(out, why_not);
  }

  sdk::Status make_role(const Profile& profile) {
    const std::string source = profile.value("source_profile"), place = profile.value("credential_source");
    const std::string token_file = profile.value("web_identity_token_file");
    Role role;
    role.shown = shown();
    role.setting = "role_arn of profile '" + profile_ + "'";
    role.arn = profile.value("role_arn");
    role.session_name = profile.value("role_session_name");
    role.external_id = profile.value("external_id");
    role.duration = profile.value("duration_seconds");
    role.token_file = token_file;
    role.region = settings_.region;
    role.profile = profile_;
    if (role.arn.empty())
      return wrong(shown() + " has " +
                       (!source.empty()  ? "source_profile"
                        : !place.empty() ? "credential_source"
                                         : "web_identity_token_file") +
                       " without role_arn",
                   "add role_arn, or take the other away");
    if (!profile.value("mfa_serial").empty())
      return wrong(shown() + " wants a code of mfa_serial, which nobody is there to type", "use a role without MFA, or credential_process");
    const int ways = (source.empty() ? 0 : 1) + (place.empty() ? 0 : 1) + (token_file.empty() ? 0 : 1);
    if (ways != 1) {
      return wrong(shown() + (ways == 0 ? " has role_arn and nothing that says who assumes it"
                                        : " has more than one of source_profile, credential_source and web_identity_token_file"),
                   "give it one of source_profile, credential_source and web_identity_token_file");
    }
    if (!token_file.empty()) {
      made_ = web_identity_role(std::move(role), settings_.interrupted);
      return {};
    }
    std::vector<std::unique_ptr<CredentialsSource>> base;
    if (!source.empty()) {
      auto chain = chain_;
      chain.push_back(profile_);
      base.push_back(std::make_unique<ProfileKeys>(source, true, settings_, std::move(chain)));
    } else if (place == "Environment") {
      base.push_back(environment_keys());
    } else if (place == "Ec2InstanceMetadata") {
      base.push_back(instance_keys(settings_.interrupted));
    } else if (place == "EcsContainer") {
      base.push_back(container_keys(settings_.interrupted));
    } else {
      return wrong(shown() + ": credential_source = '" + place + "' is not known", "Environment, Ec2InstanceMetadata or EcsContainer");
    }
    made_ = assumed_role(std::move(role), std::make_shared<CredentialsProvider>(std::move(base), shown()), settings_.interrupted);
    return {};
  }

  const std::string profile_;
  const bool asked_for_;
  const CredentialsSettings settings_;
  const std::vector<std::string> chain_;
  std::unique_ptr<CredentialsSource> made_;
  decltype(Profile::values) made_of_;
};

}  // namespace

std::unique_ptr<CredentialsSource> profile_keys(const CredentialsSettings& settings) {
  const bool asked_for = !settings.profile.empty() || !environment("AWS_PROFILE").empty() || !environment("AWS_DEFAULT_PROFILE").empty();
  return std::make_unique<ProfileKeys>(chosen_profile(settings.profile), asked_for, settings, std::vector<std::string>());
}

}  // namespace cdcrt::aws
