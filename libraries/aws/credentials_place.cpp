#include "aws/credentials_place.hpp"

#include "aws/profile.hpp"

namespace cdcrt::aws {
namespace {

class GivenKeys final : public CredentialsSource {
 public:
  explicit GivenKeys(Credentials given) : given_(std::move(given)) {}
  [[nodiscard]] std::string name() const override { return "keys of the manifest"; }
  sdk::Status find(Credentials& out, std::string& why_not) override {
    if (given_.secret_key.empty()) return sdk::Status::bad_config("secret_key", "access_key is given without secret_key");
    out = given_;
    why_not.clear();
    return {};
  }

 private:
  Credentials given_;
};

class EnvironmentKeys final : public CredentialsSource {
 public:
  [[nodiscard]] std::string name() const override { return "environment variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"; }
  sdk::Status find(Credentials& out, std::string& why_not) override {
    const std::string access = environment("AWS_ACCESS_KEY_ID"), secret = environment("AWS_SECRET_ACCESS_KEY");
    if (access.empty() && secret.empty()) {
      why_not = "not set";
      if (!environment("AWS_WEB_IDENTITY_TOKEN_FILE").empty())
        why_not += "; AWS_WEB_IDENTITY_TOKEN_FILE is, but web identity is not supported (EKS: use Pod Identity)";
      return {};
    }
    if (access.empty() || secret.empty()) {
      return sdk::Status::error(CDCRT_AUTH,
                                std::string("environment variable ") + (access.empty() ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY") +
                                    " is not set while its other half is",
                                "set both, or neither");
    }
    out.access_key = access;
    out.secret_key = secret;
    out.session_token = environment("AWS_SESSION_TOKEN");
    return {};
  }
};

class ProfileKeys final : public CredentialsSource {
 public:
  explicit ProfileKeys(std::string given) : given_(std::move(given)) {}
  [[nodiscard]] std::string name() const override { return "profile '" + chosen_profile(given_) + "'"; }
  sdk::Status find(Credentials& out, std::string& why_not) override {
    const std::string chosen = chosen_profile(given_);
    const Profile profile = read_profile(chosen);
    const bool asked_for = !given_.empty() || !environment("AWS_PROFILE").empty() || !environment("AWS_DEFAULT_PROFILE").empty();
    if (!profile.found) {
      why_not = "not in " + profile.looked_at;
      if (!asked_for) return {};
      return sdk::Status::error(CDCRT_AUTH, "profile '" + chosen + "' is neither in " + profile.looked_at, "name a profile that exists");
    }
    const std::string access = profile.value("aws_access_key_id"), secret = profile.value("aws_secret_access_key");
    if (access.empty() != secret.empty()) {
      return sdk::Status::error(
          CDCRT_AUTH, "profile '" + chosen + "' has only one of aws_access_key_id and aws_secret_access_key (" + profile.looked_at + ")",
          "complete it");
    }
    if (access.empty()) {
      why_not = "has no keys";
      for (const char* other : {"role_arn", "sso_session", "sso_start_url", "credential_process", "web_identity_token_file"})
        if (!profile.value(other).empty()) why_not += std::string("; its ") + other + " is not supported";
      return {};
    }
    out.access_key = access;
    out.secret_key = secret;
    out.session_token = profile.value("aws_session_token");
    return {};
  }

 private:
  std::string given_;
};

}  // namespace

std::unique_ptr<CredentialsSource> given_keys(Credentials given) { return std::make_unique<GivenKeys>(std::move(given)); }
std::unique_ptr<CredentialsSource> environment_keys() { return std::make_unique<EnvironmentKeys>(); }
std::unique_ptr<CredentialsSource> profile_keys(std::string given) { return std::make_unique<ProfileKeys>(std::move(given)); }

}  // namespace cdcrt::aws
