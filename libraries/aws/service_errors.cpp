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

}  // namespace cdcrt::aws
