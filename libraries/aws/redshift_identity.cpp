#include "aws/redshift_identity.hpp"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <array>

#include "aws/partition.hpp"
#include "aws/profile.hpp"
#include "aws/role.hpp"
#include "aws/service_caller.hpp"
#include "aws/service_errors.hpp"
#include "aws/uri.hpp"
#include "aws/xml.hpp"

namespace cdcrt::aws {
namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;
using Parameters = std::vector<std::pair<std::string, std::string>>;

constexpr RetryRule kLoginRetries{4, milliseconds(200), milliseconds(2000)};
constexpr const char* kSeconds = "3600";  // the longest that is granted
constexpr std::string_view kServerless = "serverless:";
constexpr std::array<std::string_view, 5> kKeys{"username", "password", "host", "port", "dbname"};

/// Host, port and state of a cluster or workgroup, as far as they are told.
struct Place {
  std::string host, port, state;
};

std::string json_text(const Parameters& members) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  writer.StartObject();
  for (const auto& [name, value] : members) {
    if (value.empty()) continue;
    writer.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
    if (name == "durationSeconds")
      writer.Int(std::stoi(value));
    else
      writer.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  }
  writer.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

std::string member(const rapidjson::Value& object, const char* name) {
  const auto found = object.FindMember(name);
  if (found == object.MemberEnd()) return {};
  if (found->value.IsInt()) return std::to_string(found->value.GetInt());
  if (!found->value.IsString()) return {};
  return {found->value.GetString(), found->value.GetStringLength()};
}

std::string shown(const RedshiftReference& reference) {
  return (reference.serverless ? "workgroup '" : "cluster '") + reference.name + "'";
}

/// As the actions are granted: redshift:GetClusterCredentials on these.
std::string grant_of(const RedshiftReference& reference, const std::string& region) {
  const std::string arn = arn_prefix(region) + (reference.serverless ? ":redshift-serverless:" : ":redshift:") + region + ":ACCOUNT:";
  if (reference.serverless) return "redshift-serverless:GetCredentials on the workgroup (" + arn + "workgroup/ID)";
  if (reference.user.empty())
    return "redshift:GetClusterCredentialsWithIAM on " + arn + "dbname:" + reference.name + "/" + reference.database;
  return "redshift:GetClusterCredentials on " + arn + "dbuser:" + reference.name + "/" + reference.user + " and " + arn +
         "dbname:" + reference.name + "/" + reference.database;
}

sdk::Status login_refused(const ServiceAnswer& answer, const std::string& action, const RedshiftReference& reference,
                          const std::string& region, const std::string& origin) {
  const std::string& code = answer.error.code;
  std::string text =
      action + " for " + shown(reference) + " in region " + region + " was refused with " + std::to_string(answer.http.status);
  if (!code.empty()) text += " " + code;
  if (!answer.error.message.empty()) text += ": " + answer.error.message;
  const std::string keys = origin.empty() ? std::string("the keys") : "the keys (" + origin + ")";
  if (code == "ClusterNotFound" || code == "ClusterNotFoundFault" || code == "ResourceNotFoundException")
    return sdk::Status::bad_config("", shown(reference) + " does not exist in region " + region,
                                   "check its name, the account, and the region (AWS_REGION, or NAME@REGION in the reference)");
  if (code == "AccessDenied" || code == "AccessDeniedException" || code == "UnauthorizedOperation")
    return sdk::Status::fatal(std::move(text), "allow " + grant_of(reference, region) + " to " + keys);
  if (std::string advice = clock_advice(answer); !advice.empty()) return sdk::Status::error(CDCRT_AUTH, std::move(text), std::move(advice));
  if (code == "ExpiredToken" || code == "ExpiredTokenException")
    return sdk::Status::error(CDCRT_AUTH, std::move(text), "the session is expired: renew " + keys);
  if (code == "InvalidClientTokenId" || code == "UnrecognizedClientException" || code == "SignatureDoesNotMatch" ||
      code == "InvalidSignatureException" || code == "MissingAuthenticationToken" || code == "IncompleteSignature")
    return sdk::Status::error(CDCRT_AUTH, std::move(text), "check " + keys + " (of the right partition?)");
  if (code.empty()) return sdk::Status::fatal(std::move(text), "the answer is not Redshift's: check the endpoint and a proxy between");
  return sdk::Status::bad_config("", std::move(text), "check the reference: [serverless:]NAME[@REGION]/DATABASE[/USER]");
}

sdk::Status check_state(const Place& place, const RedshiftReference& reference) {
  if (reference.serverless) {
    if (place.state.empty() || place.state == "AVAILABLE" || place.state == "MODIFYING") return {};
    return sdk::Status::error(
        CDCRT_UNREACHABLE, shown(reference) + " takes no connections: it is " + place.state + ", not AVAILABLE",
        "make it available (console, or aws redshift-serverless get-workgroup --workgroup-name " + reference.name + ")");
  }
  for (const std::string_view state : {"paused", "pausing"}) {
    if (place.state != state) continue;
    return sdk::Status::error(CDCRT_UNREACHABLE, shown(reference) + " takes no connections: it is " + place.state,
                              "aws redshift resume-cluster --cluster-identifier " + reference.name);
  }
  for (const std::string_view state : {"resuming", "creating", "deleting", "final-snapshot", "hardware-failure", "incompatible-network"}) {
    if (place.state == state)
      return sdk::Status::error(CDCRT_UNREACHABLE, shown(reference) + " takes no connections: it is " + place.state,
                                "wait until it is available");
  }
  return {};
}

}  // namespace

sdk::Status RedshiftReference::parse(std::string_view text, RedshiftReference& out) {
  constexpr const char* kForm =
      "write ${redshift-iam:CLUSTER/DATABASE/USER#KEY} or ${redshift-iam:serverless:WORKGROUP/DATABASE#KEY}; "
      "NAME@REGION for another region, KEY: username, password, host, port, dbname";
  out = RedshiftReference();
  const auto refuse = [&](std::string why) { return sdk::Status::bad_config("", std::move(why), kForm); };
  const std::size_t hash = text.rfind('#');
  if (hash != std::string_view::npos) {
    out.key = text.substr(hash + 1);
    text = text.substr(0, hash);
    if (std::find(kKeys.begin(), kKeys.end(), out.key) == kKeys.end()) return refuse("a login has no key '" + out.key + "'");
  }
  if (text.rfind(kServerless, 0) == 0) {
    out.serverless = true;
    text.remove_prefix(kServerless.size());
  }
  const std::size_t slash = text.find('/');
  std::string_view name = text.substr(0, slash), rest = slash == std::string_view::npos ? std::string_view() : text.substr(slash + 1);
  const std::size_t at = name.find('@');
  if (at != std::string_view::npos) {
    out.region = name.substr(at + 1);
    name = name.substr(0, at);
    if (out.region.empty() || out.region.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != std::string::npos)
      return refuse("'" + out.region + "' is no region's name");
  }
  out.name = name;
  if (out.name.empty() ||
      out.name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != std::string::npos)
    return refuse("'" + out.name + "' is no name of a " + (out.serverless ? "workgroup" : "cluster"));
  const std::size_t second = rest.find('/');
  out.database = rest.substr(0, second);
  if (out.database.empty()) return refuse("the database is missing");
  if (second != std::string_view::npos) {
    out.user = rest.substr(second + 1);
    if (out.user.empty()) return refuse("the user after '/' is missing");
    if (out.serverless) return refuse("a workgroup's login has no database user: its user is the IAM identity");
  }
  return {};
}

class RedshiftIdentity::Requests {
 public:
  Requests(std::shared_ptr<CredentialsProvider> keys, const Interrupted& interrupted)
      : credentials_(std::move(keys)), clusters_("redshift", credentials_, read_query_error, kLoginRetries, interrupted, {}),
        workgroups_("redshift-serverless", credentials_, read_json_error, kLoginRetries, interrupted, {}) {}

  sdk::Status call(const RedshiftReference& reference, const std::string& region, const std::string& action, Parameters parameters,
                   ServiceAnswer& answer) {
    std::string given;
    Endpoint endpoint;
    const Service service = reference.serverless ? Service::kRedshiftServerless : Service::kRedshift;
    if (auto found = find_endpoint(service, region, {}, "", given, endpoint); !found.ok()) return found;
    HttpRequest request;
    request.method = "POST";
    request.url = endpoint.scheme + "://" + endpoint.authority + endpoint.base + "/";
    std::string body;
    if (reference.serverless) {
      request.headers = {"Content-Type: application/x-amz-json-1.1", "X-Amz-Target: RedshiftServerless." + action};
      body = json_text(parameters);
    } else {
      request.headers = {"Content-Type: application/x-www-form-urlencoded; charset=utf-8"};
      parameters.emplace_back("Action", action);
      parameters.emplace_back("Version", "2012-12-01");
      body = canonical_query(std::move(parameters));
    }
    request.body = body;
    request.stall_timeout = milliseconds(5000);
    return (reference.serverless ? workgroups_ : clusters_).call(request, region, what(reference, action), false, answer);
  }

  static std::string what(const RedshiftReference& reference, const std::string& action) {
    return (reference.serverless ? "redshift-serverless:" : "redshift:") + action + " " + reference.name;
  }
  [[nodiscard]] std::string origin() const { return credentials_->origin(); }

 private:
  std::shared_ptr<CredentialsProvider> credentials_;
  ServiceCaller clusters_, workgroups_;
};

RedshiftIdentity::RedshiftIdentity(std::shared_ptr<CredentialsProvider> credentials, Interrupted interrupted)
    : requests_(std::make_unique<Requests>(std::move(credentials), interrupted)) {}
RedshiftIdentity::~RedshiftIdentity() = default;

sdk::Status RedshiftIdentity::login(const RedshiftReference& reference, RedshiftLogin& out) {
  const std::string region = find_region(reference.region, {});
  if (region.empty())
    return sdk::Status::bad_config("", "the region of " + shown(reference) + " is not known",
                                   "set AWS_REGION, or region in the profile of ~/.aws/config, or write NAME@REGION in the reference");
  Place place;
  ServiceAnswer asked;
  const std::string asking = reference.serverless ? "GetWorkgroup" : "DescribeClusters";
  const Parameters named{{reference.serverless ? "workgroupName" : "ClusterIdentifier", reference.name}};
  if (auto called = requests_->call(reference, region, asking, named, asked); !called.ok()) return called;
  if (asked.ok() && reference.serverless) {
    rapidjson::Document document;
    document.Parse<rapidjson::kParseIterativeFlag>(asked.http.body.data(), asked.http.body.size());
    if (!document.HasParseError() && document.IsObject() && document.HasMember("workgroup") && document["workgroup"].IsObject()) {
      const auto& workgroup = document["workgroup"];
      place.state = member(workgroup, "status");
      if (const auto endpoint = workgroup.FindMember("endpoint"); endpoint != workgroup.MemberEnd() && endpoint->value.IsObject()) {
        place.host = member(endpoint->value, "address");
        place.port = member(endpoint->value, "port");
      }
    }
  } else if (asked.ok()) {
    place.state = element_text(asked.http.body, "ClusterStatus").value_or("");
    if (const auto endpoint = elements(asked.http.body, "Endpoint"); !endpoint.empty()) {
      place.host = element_text(endpoint.front(), "Address").value_or("");
      place.port = element_text(endpoint.front(), "Port").value_or("");
    }
  }
  if (auto usable = check_state(place, reference); !usable.ok()) return usable;

  std::string action = "GetCredentials";
  Parameters parameters{{"workgroupName", reference.name}, {"dbName", reference.database}, {"durationSeconds", kSeconds}};
  if (!reference.serverless) {
    action = reference.user.empty() ? "GetClusterCredentialsWithIAM" : "GetClusterCredentials";
    parameters = {{"ClusterIdentifier", reference.name}, {"DbName", reference.database}, {"DurationSeconds", kSeconds}};
    if (!reference.user.empty()) parameters.insert(parameters.end(), {{"AutoCreate", "false"}, {"DbUser", reference.user}});
  }
  ServiceAnswer answer;
  if (auto called = requests_->call(reference, region, action, std::move(parameters), answer); !called.ok()) return called;
  if (!answer.ok()) return login_refused(answer, requests_->what(reference, action), reference, region, requests_->origin());

  std::string user, password;
  out.expires_at = system_clock::now() + std::chrono::minutes(15);  // the shortest that is granted
  if (reference.serverless) {
    rapidjson::Document document;
    document.Parse<rapidjson::kParseIterativeFlag>(answer.http.body.data(), answer.http.body.size());
    if (!document.HasParseError() && document.IsObject()) {
      user = member(document, "dbUser");
      password = member(document, "dbPassword");
      if (const auto time = document.FindMember("expiration"); time != document.MemberEnd() && time->value.IsNumber())
        out.expires_at = system_clock::from_time_t(static_cast<std::time_t>(time->value.GetDouble()));
      else if (time != document.MemberEnd() && time->value.IsString())
        static_cast<void>(read_time(time->value.GetString(), out.expires_at));
    }
  } else {
    user = element_text(answer.http.body, "DbUser").value_or("");
    password = element_text(answer.http.body, "DbPassword").value_or("");
    static_cast<void>(read_time(element_text(answer.http.body, "Expiration").value_or(""), out.expires_at));
  }
  if (user.empty() || password.empty())
    return sdk::Status::fatal(requests_->what(reference, action) + " answered without a login",
                              "the answer is not Redshift's: check the endpoint and a proxy between");
  out.json =
      json_text({{"username", user}, {"password", password}, {"dbname", reference.database}, {"host", place.host}, {"port", place.port}});
  return {};
}

}  // namespace cdcrt::aws
