#include "aws/secrets_manager.hpp"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "aws/partition.hpp"
#include "aws/profile.hpp"
#include "aws/service_caller.hpp"
#include "aws/service_errors.hpp"
#include "aws/uri.hpp"

namespace cdcrt::aws {
namespace {

using std::chrono::milliseconds;

std::string text_member(const rapidjson::Value& object, const char* name) {
  const auto found = object.FindMember(name);
  if (found == object.MemberEnd() || !found->value.IsString()) return {};
  return {found->value.GetString(), found->value.GetStringLength()};
}

/// arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME
std::string region_of_arn(const std::string& id) {
  if (id.rfind("arn:", 0) != 0) return {};
  std::size_t begin = 0;
  for (int part = 0; part < 3; ++part) {
    begin = id.find(':', begin);
    if (begin == std::string::npos) return {};
    ++begin;
  }
  const std::size_t end = id.find(':', begin);
  return end == std::string::npos ? std::string() : id.substr(begin, end - begin);
}

std::string json_object(const char* name, const std::string& value) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  writer.StartObject();
  writer.Key(name);
  writer.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  writer.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

sdk::Status explain_refusal(const ServiceAnswer& answer, const SecretReference& reference, const std::string& region,
                            const std::string& origin) {
  const std::string& code = answer.error.code;
  std::string text =
      "reading secret '" + reference.id + "' in region " + region + " was refused with " + std::to_string(answer.http.status);
  if (!code.empty()) text += " " + code;
  if (!answer.error.message.empty()) text += ": " + answer.error.message;
  const std::string keys = origin.empty() ? std::string("the keys") : "the keys (" + origin + ")";
  if (code == "ResourceNotFoundException") {
    return sdk::Status::bad_config("", "secret '" + reference.id + "' does not exist in region " + region,
                                   "check its name, the region and the account");
  }
  if (code == "InvalidRequestException") return sdk::Status::bad_config("", std::move(text), "is the secret marked for deletion?");
  if (code == "AccessDeniedException" || code == "AccessDenied") {
    return sdk::Status::fatal(std::move(text), "allow secretsmanager:GetSecretValue on the secret to " + keys +
                                                   ", and kms:Decrypt where a customer's key encrypts it");
  }
  if (code == "DecryptionFailure" || code == "DecryptionFailureException")
    return sdk::Status::fatal(std::move(text), "allow kms:Decrypt on the secret's key to " + keys);
  if (std::string advice = clock_advice(answer); !advice.empty()) return sdk::Status::error(CDCRT_AUTH, std::move(text), std::move(advice));
  if (code == "InvalidSignatureException" || code == "SignatureDoesNotMatch")
    return sdk::Status::error(CDCRT_AUTH, std::move(text), "the secret key does not belong to the access key: check " + keys);
  if (code == "ExpiredTokenException" || code == "UnrecognizedClientException" || code == "InvalidClientTokenId" ||
      code == "MissingAuthenticationTokenException" || code == "IncompleteSignatureException")
    return sdk::Status::error(CDCRT_AUTH, std::move(text), "check " + keys);
  return sdk::Status::fatal(std::move(text),
                            code.empty() ? "the answer is not Secrets Manager's: check the endpoint and a proxy between" : "");
}

}  // namespace

sdk::Status SecretReference::parse(std::string_view text, SecretReference& out) {
  const std::size_t hash = text.find('#');
  out.id = text.substr(0, hash);
  out.key = hash == std::string_view::npos ? std::string_view() : text.substr(hash + 1);
  const auto is_id_character = [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9') ||
           std::string_view("/_+=.@-:!").find(letter) != std::string_view::npos;
  };
  for (const char letter : out.id)
    if (!is_id_character(letter))
      return sdk::Status::bad_config("", "'" + out.id + "' is no name of a secret",
                                     "names have letters, digits and /_+=.@-; or give its ARN");
  if (out.id.empty()) return sdk::Status::bad_config("", "the name of a secret is missing", "write id, id#key, or its ARN");
  if (hash != std::string_view::npos && out.key.empty())
    return sdk::Status::bad_config("", "the key after '#' is missing", "write id#key, or leave '#' out");
  if (out.id.rfind("arn:", 0) == 0 && (region_of_arn(out.id).empty() || out.id.find(":secretsmanager:") == std::string::npos))
    return sdk::Status::bad_config("", "'" + out.id + "' is no ARN of a secret",
                                   "it reads arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME (in China arn:aws-cn:...)");
  return {};
}

sdk::Status member_of_secret(const std::string& secret, const SecretReference& reference, std::string& out) {
  if (reference.key.empty()) {
    out = secret;
    return {};
  }
  const std::string name = "secret '" + reference.id + "'";
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag>(secret.data(), secret.size());
  if (document.HasParseError() || !document.IsObject())
    return sdk::Status::bad_config("", name + " is no JSON object, so that it has no key '" + reference.key + "'",
                                   "leave '#" + reference.key + "' out");
  const auto found =
      document.FindMember(rapidjson::StringRef(reference.key.data(), static_cast<rapidjson::SizeType>(reference.key.size())));
  if (found == document.MemberEnd()) {
    std::string keys;
    for (const auto& member : document.GetObject())
      keys += (keys.empty() ? "" : ", ") + std::string(member.name.GetString(), member.name.GetStringLength());
    return sdk::Status::bad_config("", name + " has no key '" + reference.key + "'",
                                   keys.empty() ? "its object is empty" : "its keys: " + keys);
  }
  const auto& value = found->value;
  if (value.IsString()) {
    out.assign(value.GetString(), value.GetStringLength());
  } else if (value.IsBool()) {
    out = value.IsTrue() ? "true" : "false";
  } else {
    return sdk::Status::bad_config("", "key '" + reference.key + "' of " + name + " is no text, number or boolean");
  }
  return {};
}

class SecretsManager::Requests {
 public:
  Requests(std::shared_ptr<CredentialsProvider> keys, Interrupted interrupted)
      : credentials(std::move(keys)), caller("secretsmanager", credentials, read_json_error,
                                             RetryRule{4, milliseconds(200), milliseconds(2000)}, std::move(interrupted), {}) {}

  std::shared_ptr<CredentialsProvider> credentials;
  ServiceCaller caller;
};

SecretsManager::SecretsManager(std::shared_ptr<CredentialsProvider> credentials, Interrupted interrupted)
    : requests_(std::make_unique<Requests>(std::move(credentials), std::move(interrupted))) {}
SecretsManager::~SecretsManager() = default;

sdk::Status SecretsManager::get(const SecretReference& reference, std::string& out) {
  std::string region = region_of_arn(reference.id);
  if (region.empty()) region = find_region({}, {});
  if (region.empty())
    return sdk::Status::bad_config("", "the region of secret '" + reference.id + "' is not known",
                                   "set AWS_REGION, or region in the profile of ~/.aws/config, or give the secret's ARN");
  std::string why, given;
  if (of_another_partition(reference.id, region, why))
    return sdk::Status::bad_config("", "secret " + why, "its ARN begins with " + arn_prefix(region) + ":secretsmanager:" + region);
  Endpoint parts;
  if (auto found = find_endpoint(Service::kSecretsManager, region, {}, "", given, parts); !found.ok()) return found;

  const std::string body = json_object("SecretId", reference.id);
  HttpRequest request;
  request.method = "POST";
  request.url = parts.scheme + "://" + parts.authority + parts.base + "/";
  request.headers = {"Content-Type: application/x-amz-json-1.1", "X-Amz-Target: secretsmanager.GetSecretValue"};
  request.body = body;
  request.stall_timeout = milliseconds(5000);
  ServiceAnswer answer;
  if (auto called = requests_->caller.call(request, region, "secretsmanager:GetSecretValue " + reference.id, false, answer); !called.ok())
    return called;
  if (!answer.ok()) return explain_refusal(answer, reference, region, requests_->credentials->origin());

  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(answer.http.body.data(), answer.http.body.size());
  if (document.HasParseError() || !document.IsObject())
    return sdk::Status::fatal("secret '" + reference.id + "': the answer is not Secrets Manager's",
                              "check the endpoint and a proxy between");
  if (!document.HasMember("SecretString"))
    return sdk::Status::bad_config("", "secret '" + reference.id + "' is binary", "only secrets of text can be used");
  return member_of_secret(text_member(document, "SecretString"), reference, out);
}

}  // namespace cdcrt::aws
