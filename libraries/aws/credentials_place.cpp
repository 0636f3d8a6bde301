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

}  // namespace

std::unique_ptr<CredentialsSource> given_keys(Credentials given) { return std::make_unique<GivenKeys>(std::move(given)); }
std::unique_ptr<CredentialsSource> environment_keys() { return std::make_unique<EnvironmentKeys>(); }

}  // namespace cdcrt::aws
