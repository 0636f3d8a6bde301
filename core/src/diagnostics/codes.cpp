#include "diagnostics/codes.hpp"

#include <array>

namespace cdcrt::diagnostics {
namespace {
#define CDCRT_LIST_CODE(constant, code, meaning) CodeDescription{code, meaning},
constexpr auto kCodes = std::to_array<CodeDescription>({CDCRT_DIAGNOSTIC_CODES(CDCRT_LIST_CODE)});
#undef CDCRT_LIST_CODE
}  // namespace

std::span<const CodeDescription> all_codes() { return kCodes; }

bool is_environment_code(std::string_view code) {
  return code == kPluginNotFound || code == kPluginRefused || code == kBrokenOptionTable || code == kPluginFailed ||
         code == kSecretUnavailable;
}

}  // namespace cdcrt::diagnostics
