#include "aws/credentials_endpoint.hpp"

#include <rapidjson/document.h>

#include <fstream>
#include <iterator>

#include "aws/http.hpp"
#include "aws/profile.hpp"
#include "aws/role.hpp"
#include "aws/uri.hpp"

namespace cdcrt::aws {
namespace {

using std::chrono::milliseconds;

std::string member(const rapidjson::Document& document, const char* name) {
  const auto found = document.FindMember(name);
  if (found == document.MemberEnd() || !found->value.IsString()) return {};
  return {found->value.GetString(), found->value.GetStringLength()};
}

HttpRequest request_of(std::string url) {
  HttpRequest request;
  request.url = std::move(url);
  request.connect_timeout = milliseconds(1000);
  request.total_timeout = milliseconds(5000);
  request.link_local = true;
  return request;
}

std::string describe(const HttpAnswer& answer) {
  return answer.failure == HttpFailure::kNone ? "answered " + std::to_string(answer.status) : answer.failure_text;
}

class ContainerKeys final : public CredentialsSource {
 public:
  explicit ContainerKeys(Interrupted interrupted) : interrupted_(std::move(interrupted)) {}
  [[nodiscard]] std::string name() const override {
    return environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI").empty() && !environment("AWS_CONTAINER_CREDENTIALS_FULL_URI").empty()
               ? "container endpoint of AWS_CONTAINER_CREDENTIALS_FULL_URI (EKS Pod Identity)"
               : "container endpoint of AWS_CONTAINER_CREDENTIALS_RELATIVE_URI (ECS)";
  }

  sdk::Status find(Credentials& out, std::string& why_not) override {
    const std::string relative = environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const std::string full = environment("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    if (relative.empty() && full.empty()) {
      why_not = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and AWS_CONTAINER_CREDENTIALS_FULL_URI are not set";
      return {};
    }
    HttpRequest request = request_of(relative.empty() ? full : "http://169.254.170.2" + relative);
    if (relative.empty() && !may_be_asked(full)) {
      return sdk::Status::error(CDCRT_AUTH, "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https nor an address of this machine",
                                "role keys travel over it: use https, loopback, or the addresses of ECS and EKS");
    }
    std::string token = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    if (const std::string path = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"); !path.empty()) {
      std::ifstream file(path);
      if (!file)
        return sdk::Status::error(CDCRT_AUTH, name() + ": its token file " + path + " cannot be read",
                                  "mount the pod's token there, or correct AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
      token.assign(std::istreambuf_iterator<char>(file), {});
      while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.pop_back();
    }
    if (token.find_first_of("\r\n") != std::string::npos)
      return sdk::Status::error(
          CDCRT_AUTH, name() + ": its authorization token has several lines",
          "AWS_CONTAINER_AUTHORIZATION_TOKEN or the file of AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE must hold the token alone");
    if (!token.empty()) request.headers.push_back("Authorization: " + token);

    const HttpAnswer answer = connection_.send(request, nullptr, interrupted_);
    if (answer.failure == HttpFailure::kNone && answer.status == 200 && read_role_keys(answer.body, out)) return {};
    const std::string what = name() + ": " + request.url.substr(0, request.url.find('?')) + " " +
                             (answer.status == 200 ? "answered without keys" : describe(answer));
    const bool passes = answer.failure != HttpFailure::kNone || answer.status >= 500 || answer.status == 429;
    return sdk::Status::error(
        passes ? CDCRT_RETRY : CDCRT_AUTH, what,
        passes ? "does its agent run on this node?"
               : "check the role of the task, or the Pod Identity association of the pod's service account, and the token");
  }

 private:
  static bool may_be_asked(const std::string& url) {
    Endpoint endpoint;
    if (!parse_endpoint(url.substr(0, url.find('?')), endpoint)) return false;
    if (endpoint.scheme == "https") return true;
    const std::string host = host_of(endpoint.authority);
    return is_loopback(host) || host == "169.254.170.2" || host == "169.254.170.23" || host == "[fd00:ec2::23]";
  }

  Interrupted interrupted_;
  HttpConnection connection_;
};

/// "Code" of an answer without keys: AssumeRoleUnauthorizedAccess where the role's trust policy does not name EC2.
std::string why_none(const std::string& json) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(json.data(), json.size());
  if (document.HasParseError() || !document.IsObject()) return {};
  const std::string code = member(document, "Code"), message = member(document, "Message");
  if (code.empty() || code == "Success") return {};
  return " " + code + (message.empty() ? "" : ": " + message);
}

class InstanceKeys final : public CredentialsSource {
 public:
  explicit InstanceKeys(Interrupted interrupted) : interrupted_(std::move(interrupted)) {}
  [[nodiscard]] std::string name() const override { return "instance metadata"; }

  sdk::Status find(Credentials& out, std::string& why_not) override {
    const std::string disabled = environment("AWS_EC2_METADATA_DISABLED");
    if (disabled == "true" || disabled == "TRUE" || disabled == "True") {
      why_not = "AWS_EC2_METADATA_DISABLED is set";
      return {};
    }
    std::string base = environment("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    if (base.empty() && environment("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE") == "IPv6") base = "http://[fd00:ec2::254]";
    if (base.empty()) base = "http://169.254.169.254";
    while (base.back() == '/') base.pop_back();

    HttpRequest ask = request_of(base + "/latest/api/token");
    ask.method = "PUT";
    ask.headers.emplace_back("X-aws-ec2-metadata-token-ttl-seconds: 21600");
    const HttpAnswer token = connection_.send(ask, nullptr, interrupted_);
    if (token.failure != HttpFailure::kNone || token.status != 200) {
      // Elsewhere than on EC2 nothing answers there, so that this is no error but the end of the chain.
      why_not = base + ": " + describe(token);
      if (token.failure == HttpFailure::kTimeout) why_not += " (in a container on EC2: the instance's metadata hop limit must be 2)";
      return {};
    }
    const std::string shown = "X-aws-ec2-metadata-token: " + token.body;
    const std::string path = base + "/latest/meta-data/iam/security-credentials/";
    HttpRequest list = request_of(path);
    list.headers.push_back(shown);
    const HttpAnswer roles = connection_.send(list, nullptr, interrupted_);
    if (roles.status == 404 || (roles.status == 200 && roles.body.empty())) {
      why_not = "the instance has no role (instance profile)";
      return {};
    }
    if (roles.status != 200) return sdk::Status::retry("the instance's metadata service " + describe(roles));
    HttpRequest get = request_of(path + percent_encode(roles.body.substr(0, roles.body.find('\n')), false));
    get.headers.push_back(shown);
    const HttpAnswer keys = connection_.send(get, nullptr, interrupted_);
    if (keys.status == 200 && read_role_keys(keys.body, out)) return {};
    return sdk::Status::retry("the instance's metadata service has no keys of its role " + roles.body + ": " + describe(keys) +
                              why_none(keys.body));
  }

 private:
  Interrupted interrupted_;
  HttpConnection connection_;
};

}  // namespace

bool read_role_keys(std::string_view json, Credentials& out) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(json.data(), json.size());
  if (document.HasParseError() || !document.IsObject()) return false;
  if (const std::string code = member(document, "Code"); !code.empty() && code != "Success") return false;
  out.access_key = member(document, "AccessKeyId");
  out.secret_key = member(document, "SecretAccessKey");
  out.session_token = member(document, "Token");
  if (const std::string time = member(document, "Expiration"); !time.empty()) {
    std::chrono::system_clock::time_point expires;
    if (!read_time(time, expires)) return false;
    out.expires_at = expires;
  }
  return !out.access_key.empty() && !out.secret_key.empty();
}

std::unique_ptr<CredentialsSource> container_keys(Interrupted interrupted) {
  return std::make_unique<ContainerKeys>(std::move(interrupted));
}
std::unique_ptr<CredentialsSource> instance_keys(Interrupted interrupted) { return std::make_unique<InstanceKeys>(std::move(interrupted)); }

}  // namespace cdcrt::aws
