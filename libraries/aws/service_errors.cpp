#include "aws/service_errors.hpp"

#include <rapidjson/document.h>

#include "aws/xml.hpp"

namespace cdcrt::aws {

ServiceError read_query_error(const HttpAnswer& answer) {
  ServiceError error;
  if (answer.failure != HttpFailure::kNone || answer.status / 100 == 2) return error;
  const auto found = elements(answer.body, "Error");
  if (found.empty()) return error;
  error.code = element_text(found.front(), "Code").value_or("");
  error.message = element_text(found.front(), "Message").value_or("");
  return error;
}

ServiceError read_json_error(const HttpAnswer& answer) {
  ServiceError error;
  if (answer.failure != HttpFailure::kNone || answer.status / 100 == 2) return error;
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(answer.body.data(), answer.body.size());
  if (document.HasParseError() || !document.IsObject()) return read_query_error(answer);  // whoever stands before the service
  const auto member = [&](const char* name) {
    const auto found = document.FindMember(name);
    return found == document.MemberEnd() || !found->value.IsString()
               ? std::string()
               : std::string(found->value.GetString(), found->value.GetStringLength());
  };
  error.code = member("__type");
  error.code.erase(0, error.code.find('#') + 1);  // nothing found: npos + 1 is 0
  error.message = member("message");
  if (error.message.empty()) error.message = member("Message");
  return error;
}

std::string clock_advice(const ServiceAnswer& answer) {
  constexpr std::chrono::minutes kAllowed{5};  // the least that one of the services takes
  const std::string &code = answer.error.code, &message = answer.error.message;
  const bool is_told = code == "RequestTimeTooSkewed" || code == "RequestExpired" || code == "RequestInTheFuture" ||
                       message.find("Signature expired") != std::string::npos || message.find("not yet current") != std::string::npos;
  const bool is_signature = code == "SignatureDoesNotMatch" || code == "InvalidSignatureException";
  const bool is_known = answer.clock && std::chrono::abs(answer.clock->ahead) - answer.clock->accuracy > std::chrono::seconds(5);
  const bool is_far = answer.clock && std::chrono::abs(answer.clock->ahead) - answer.clock->accuracy > kAllowed;
  if (!is_told && !(is_signature && is_far)) return {};
  std::string text;
  if (is_known) {
    text = "this machine's clock is " + sdk::in_words(answer.clock->ahead) + (answer.clock->ahead.count() < 0 ? " ahead of" : " behind") +
           " that of " + answer.clock->owner + ": ";
  }
  return text + "let a time service set this machine's clock (chrony, systemd-timesyncd)";
}

}  // namespace cdcrt::aws
