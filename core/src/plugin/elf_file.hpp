// What can be known of a shared object without running any of its code.
#pragma once

#include <string>

#include "diagnostics/result.hpp"

namespace cdcrt::plugin {

/// Reads the file at `path` and answers an error, worded to follow "plugin PATH ", unless it is a complete ELF shared object
/// for this machine that exports `symbol`. Every offset in the file is checked, so no file can crash the reader.
/// An object whose section table was stripped passes without the symbol being seen.
Result<void> check_shared_object(const std::string& path, const std::string& symbol);

}  // namespace cdcrt::plugin
