#include "manifest/component_error.hpp"

#include "diagnostics/codes.hpp"
#include "diagnostics/text.hpp"
#include "diagnostics/userinfo.hpp"

namespace cdcrt::manifest {

diagnostics::Diagnostic diagnostic_of(std::string_view code, Position position, const Error& error) {
  diagnostics::Diagnostic diagnostic;
  diagnostic.code = std::string(code);
  diagnostic.position = std::move(position);
  // A driver names the server that it was given, whatever stands before the '@' in it.
  const std::string message = diagnostics::without_userinfo(error.message, diagnostics::Addresses::kAny);
  diagnostic.help = diagnostics::without_userinfo(error.hint, diagnostics::Addresses::kAny);
  std::size_t begin = message.find('\n');
  diagnostic.message = message.substr(0, begin);
  while (begin != std::string::npos) {
    const std::size_t end = message.find('\n', begin + 1);
    std::string line = message.substr(begin + 1, end == std::string::npos ? end : end - begin - 1);
    line.erase(0, line.find_first_not_of(' '));
    if (!line.empty()) diagnostic.notes.push_back(std::move(line));
    begin = end;
  }
  return diagnostic;
}

diagnostics::Diagnostic diagnostic_for(const Component& component, const Error& error) {
  Position position = component.position;
  Error named = error;
  if (error.code == CDCRT_BAD_CONFIG && !error.config_key.empty()) {
    if (const auto given = component.options.position_of(error.config_key)) position = *given;
    if (error.message.find(error.config_key) == std::string::npos)
      named.message = diagnostics::quote(error.config_key) + ": " + error.message;
  }
  return diagnostic_of(error.code == CDCRT_BAD_CONFIG ? diagnostics::kPluginRefusedValue : diagnostics::kPluginFailed, std::move(position),
                       named);
}

diagnostics::Ending ending_of(const Error& error) {
  using diagnostics::Ending;
  switch (error.code) {
    case CDCRT_BAD_CONFIG:
      return error.sqlstate.empty() ? Ending::kManifest
                                    : Ending::kEnvironment;  // a database or a right that is missing there, not a setting
    case CDCRT_AUTH:
    case CDCRT_BUSY:
    case CDCRT_RETRY:
    case CDCRT_UNREACHABLE: return Ending::kEnvironment;
    default: return Ending::kRunTimeFailure;
  }
}

}  // namespace cdcrt::manifest
