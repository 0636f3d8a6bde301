#include "diagnostics/plugin_error.hpp"

#include <cstring>

#include "diagnostics/text.hpp"

namespace cdcrt::diagnostics {

Error to_error(const cdcrt_error& error) {
  Error copy;
  copy.code = static_cast<cdcrt_code>(error.code);
  // Databases cut what they quote anywhere, also within a character; dead letters and the target take text only.
  copy.message = valid_utf8(error.message != nullptr ? error.message : "the plugin gave no reason");
  if (error.hint != nullptr) copy.hint = valid_utf8(error.hint);
  if (error.config_key != nullptr) copy.config_key = error.config_key;
  copy.sqlstate.assign(error.sqlstate, strnlen(error.sqlstate, sizeof error.sqlstate));
  copy.native = error.native;
  return copy;
}

}  // namespace cdcrt::diagnostics
