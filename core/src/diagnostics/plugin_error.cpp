#include "diagnostics/plugin_error.hpp"

#include <cstring>

#include "diagnostics/text.hpp"
#include "diagnostics/userinfo.hpp"

namespace cdcrt::diagnostics {

Error to_error(const cdcrt_error& error) {
  Error copy;
  copy.code = static_cast<cdcrt_code>(error.code);
  // Databases cut what they quote anywhere, also within a character; dead letters and the target take text only.
  const auto shown = [](const char* text) { return without_userinfo(valid_utf8(text), Addresses::kWithScheme); };
  copy.message = shown(error.message != nullptr ? error.message : "the plugin gave no reason");
  if (error.hint != nullptr) copy.hint = shown(error.hint);
  if (error.config_key != nullptr) copy.config_key = error.config_key;
  copy.sqlstate.assign(error.sqlstate, strnlen(error.sqlstate, sizeof error.sqlstate));
  copy.native = error.native;
  return copy;
}

}  // namespace cdcrt::diagnostics
