#include "aws/role.hpp"

#include <unistd.h>

#include <ctime>
#include <fstream>
#include <iterator>

#include "aws/partition.hpp"
#include "aws/profile.hpp"
#include "aws/service_caller.hpp"
#include "aws/service_errors.hpp"
#include "aws/uri.hpp"
#include "aws/xml.hpp"

namespace cdcrt::aws {
namespace {

using std::chrono::milliseconds;

constexpr RetryRule kStsRetries{4, milliseconds(200), milliseconds(2000)};
constexpr std::size_t kMaxTokenBytes = 64u << 10;

/// STS takes 2 to 64 of [A-Za-z0-9_+=,.@-].
std::string as_session_name(std::string text) {
  for (char& letter : text) {
    const bool good = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9') ||
                      std::string_view("_+=,.@-").find(letter) != std::string_view::npos;
    if (!good) letter = '-';
  }
  if (text.size() > 64) text.resize(64);
  while (text.size() < 2) text += '-';
  return text;
}

std::string default_session_name() {
  if (std::string given = environment("AWS_ROLE_SESSION_NAME"); !given.empty()) return as_session_name(std::move(given));
  char host[256] = "";
  if (gethostname(host, sizeof host - 1) != 0) host[0] = '\0';
  return as_session_name(*host == '\0' ? std::string("cdcrt") : "cdcrt-" + std::string(host));
}

sdk::Status read_token(const Role& role, std::string& token) {
  std::ifstream file(role.token_file, std::ios::binary);
  if (!file)
    return sdk::Status::error(CDCRT_AUTH, role.shown + ": its token file " + role.token_file + " cannot be read",
                              "mount the service account's token there, or correct AWS_WEB_IDENTITY_TOKEN_FILE (web_identity_token_file)");
  token.assign(std::istreambuf_iterator<char>(file), {});
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r' || token.back() == ' ')) token.pop_back();
  if (token.empty() || token.size() > kMaxTokenBytes)
    return sdk::Status::error(CDCRT_AUTH,
                              role.shown + ": its token file " + role.token_file + (token.empty() ? " is empty" : " is too large"),
                              "it must hold the token that the identity provider (the cluster) writes");
  return {};
}

std::string advice(const ServiceAnswer& answer, const Role& role, bool by_token) {
  const std::string& code = answer.error.code;
  if (std::string clock = clock_advice(answer); !clock.empty()) return clock;
  if (code == "ExpiredTokenException" || code == "ExpiredToken") {
    return by_token ? "the token in " + role.token_file + " is expired: is whoever writes it (the kubelet) still doing so?"
                    : "the keys that assume the role are expired: sign in again";
  }
  if (code == "InvalidIdentityToken")
    return "register the token's issuer as an OpenID Connect provider in the role's account, with the audience sts.amazonaws.com";
  if (code == "IDPRejectedClaim") return "the identity provider refuses the token: check issuer and audience";
  if (code == "InvalidClientTokenId" || code == "UnrecognizedClientException" || code == "SignatureDoesNotMatch")
    return "the keys that assume the role are wrong: check them (and that they are of the same partition, China or GovCloud)";
  if (code == "RegionDisabledException") return "enable STS for the region in the role's account, or set AWS_REGION to another";
  if (code == "ValidationError")
    return "check " + role.setting + ", and duration_seconds (900 up to what the role allows) where it is given";
  if (code == "AccessDenied") {
    return by_token ? "check that " + role.setting +
                          " names the right role, and that its trust policy allows sts:AssumeRoleWithWebIdentity to "
                          "this service account"
                    : "allow sts:AssumeRole on the role to the identity that assumes it, and that identity in the role's trust policy" +
                          std::string(role.external_id.empty() ? " (does it want an external_id?)" : " (and check external_id)");
  }
  return "check " + role.setting;
}

class RoleKeys final : public CredentialsSource {
 public:
  RoleKeys(Role role, std::shared_ptr<CredentialsProvider> base, Interrupted interrupted)
      : role_(std::move(role)), base_(base), caller_("sts", std::move(base), read_query_error, kStsRetries, std::move(interrupted), {}) {}

  [[nodiscard]] std::string name() const override { return role_.shown + " (role " + role_.arn + ")"; }

  sdk::Status find(Credentials& out, std::string& why_not) override {
    why_not.clear();
    if (auto checked = check_arn(); !checked.ok()) return checked;
    std::string region = find_region(role_.region, role_.profile);
    if (region.empty()) region = home_region(partition_of_arn(role_.arn));
    std::string why;
    if (of_another_partition(role_.arn, region, why)) {
      return sdk::Status::error(CDCRT_AUTH, role_.shown + ": its role " + why,
                                "set " + role_.setting + " to a role of " + arn_prefix(region) + ":iam::..., or the region to one of " +
                                    partition_of_arn(role_.arn));
    }
    std::string given;
    Endpoint endpoint;
    if (auto found = find_endpoint(Service::kSts, region, role_.profile, "", given, endpoint); !found.ok()) return found;

    const bool by_token = base_ == nullptr;
    std::vector<std::pair<std::string, std::string>> parameters{
        {"Action", by_token ? "AssumeRoleWithWebIdentity" : "AssumeRole"},
        {"RoleArn", role_.arn},
        {"RoleSessionName", role_.session_name.empty() ? default_session_name() : as_session_name(role_.session_name)},
        {"Version", "2011-06-15"}};
    if (!role_.external_id.empty()) parameters.emplace_back("ExternalId", role_.external_id);
    if (!role_.duration.empty()) parameters.emplace_back("DurationSeconds", role_.duration);
    if (by_token) {
      std::string token;
      if (auto read = read_token(role_, token); !read.ok()) return read;
      parameters.emplace_back("WebIdentityToken", std::move(token));
    }
    const std::string body = canonical_query(std::move(parameters));
    HttpRequest request;
    request.method = "POST";
    request.url = endpoint.scheme + "://" + endpoint.authority + endpoint.base + "/";
    request.headers = {"Content-Type: application/x-www-form-urlencoded; charset=utf-8"};
    request.body = body;
    request.stall_timeout = milliseconds(5000);
    ServiceAnswer answer;
    const std::string what = role_.shown + ": sts:" + (by_token ? "AssumeRoleWithWebIdentity " : "AssumeRole ") + role_.arn;
    if (auto called = caller_.call(request, region, what, false, answer); !called.ok()) return called;
    if (!answer.ok()) return refused(answer, region, what, by_token);
    return read_keys(answer.http.body, what, out);
  }

 private:
  [[nodiscard]] sdk::Status check_arn() const {
    const bool role =
        role_.arn.rfind("arn:", 0) == 0 && role_.arn.find(":iam:") != std::string::npos && role_.arn.find(":role/") != std::string::npos;
    if (role) return {};
    return sdk::Status::error(
        CDCRT_AUTH, role_.shown + ": '" + role_.arn + "' is no role's ARN",
        "set " + role_.setting + " to " + arn_prefix(find_region(role_.region, role_.profile)) + ":iam::ACCOUNT:role/NAME");
  }

  [[nodiscard]] sdk::Status refused(const ServiceAnswer& answer, const std::string& region, const std::string& what, bool by_token) const {
    std::string text = what + " was refused in region " + region + " with " + std::to_string(answer.http.status);
    if (!answer.error.code.empty()) text += " " + answer.error.code;
    if (!answer.error.message.empty()) text += ": " + answer.error.message;
    if (answer.error.code.empty()) {
      return sdk::Status::error(CDCRT_AUTH, std::move(text),
                                "the answer is not that of STS: check AWS_ENDPOINT_URL_STS and a proxy between");
    }
    // The identity provider was not reached from STS, which passes.
    if (answer.error.code == "IDPCommunicationError") return sdk::Status::retry(std::move(text));
    return sdk::Status::error(CDCRT_AUTH, std::move(text), advice(answer, role_, by_token));
  }

  static sdk::Status read_keys(std::string_view xml, const std::string& what, Credentials& out) {
    const auto found = elements(xml, "Credentials");
    Credentials keys;
    if (!found.empty()) {
      keys.access_key = element_text(found.front(), "AccessKeyId").value_or("");
      keys.secret_key = element_text(found.front(), "SecretAccessKey").value_or("");
      keys.session_token = element_text(found.front(), "SessionToken").value_or("");
      std::chrono::system_clock::time_point expires;
      if (read_time(element_text(found.front(), "Expiration").value_or(""), expires)) keys.expires_at = expires;
    }
    if (keys.access_key.empty() || keys.secret_key.empty() || keys.session_token.empty() || !keys.expires_at) {
      return sdk::Status::error(CDCRT_AUTH, what + " answered without keys",
                                "the answer is not that of STS: check AWS_ENDPOINT_URL_STS and a proxy between");
    }
    out = std::move(keys);
    return {};
  }

  const Role role_;
  const std::shared_ptr<CredentialsProvider> base_;
  ServiceCaller caller_;
};

class EnvironmentRole final : public CredentialsSource {
 public:
  EnvironmentRole(std::string region, Interrupted interrupted) : region_(std::move(region)), interrupted_(std::move(interrupted)) {}
  [[nodiscard]] std::string name() const override {
    return role_ == nullptr ? "web identity of AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE" : role_->name();
  }

  sdk::Status find(Credentials& out, std::string& why_not) override {
    Role role;
    role.arn = environment("AWS_ROLE_ARN");
    role.token_file = environment("AWS_WEB_IDENTITY_TOKEN_FILE");
    if (role.arn.empty() && role.token_file.empty()) {
      why_not = "not set";
      return {};
    }
    if (role.arn.empty() || role.token_file.empty()) {
      const std::string missing = role.arn.empty() ? "AWS_ROLE_ARN" : "AWS_WEB_IDENTITY_TOKEN_FILE";
      const std::string other = role.arn.empty() ? "AWS_WEB_IDENTITY_TOKEN_FILE" : "AWS_ROLE_ARN";
      return sdk::Status::error(CDCRT_AUTH, "web identity of the environment: " + other + " is set, but " + missing + " is not",
                                "set both (EKS: annotate the service account with eks.amazonaws.com/role-arn), or unset " + other);
    }
    role.shown = "web identity of the environment";
    role.setting = "AWS_ROLE_ARN";
    role.region = region_;
    if (role_ == nullptr || arn_ != role.arn || token_file_ != role.token_file) {
      arn_ = role.arn;
      token_file_ = role.token_file;
      role_ = web_identity_role(std::move(role), interrupted_);
    }
    return role_->find(out, why_not);
  }

 private:
  std::string region_, arn_, token_file_;
  Interrupted interrupted_;
  std::unique_ptr<CredentialsSource> role_;
};

}  // namespace

bool read_time(const std::string& text, std::chrono::system_clock::time_point& out) {
  std::tm parts{};
  const char* rest = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr) return false;
  int64_t offset = 0;  // seconds east of UTC, as "+08:00" or "+0800"
  if (*rest == '.') {
    do ++rest;
    while (*rest >= '0' && *rest <= '9');
  }
  if (*rest == '+' || *rest == '-') {
    int hours = 0, minutes = 0;
    if (std::sscanf(rest + 1, "%2d:%2d", &hours, &minutes) < 2 && std::sscanf(rest + 1, "%2d%2d", &hours, &minutes) < 1) return false;
    offset = (*rest == '-' ? -60 : 60) * (static_cast<int64_t>(hours) * 60 + minutes);
  } else if (*rest != 'Z' && *rest != '\0') {
    return false;
  }
  out = std::chrono::system_clock::from_time_t(timegm(&parts) - offset);
  return true;
}

std::unique_ptr<CredentialsSource> assumed_role(Role role, std::shared_ptr<CredentialsProvider> base, Interrupted interrupted) {
  return std::make_unique<RoleKeys>(std::move(role), std::move(base), std::move(interrupted));
}
std::unique_ptr<CredentialsSource> web_identity_role(Role role, Interrupted interrupted) {
  return std::make_unique<RoleKeys>(std::move(role), nullptr, std::move(interrupted));
}
std::unique_ptr<CredentialsSource> web_identity_of_environment(std::string region, Interrupted interrupted) {
  return std::make_unique<EnvironmentRole>(std::move(region), std::move(interrupted));
}

}  // namespace cdcrt::aws
