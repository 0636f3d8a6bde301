// Complaints: what is wrong with a command, told to whoever gave it.
#pragma once

#include <string>

#include "cli/exit_code.hpp"
#include "diagnostics/result.hpp"

namespace cdcrt::cli {

/// "error: ..." and, where there is any help, "help: ...", a line each, on standard error; answers `code`.
int complain(const std::string& message, const std::string& help, int code = kManifestOrUsage);
inline int complain(const Error& error, int code = kManifestOrUsage) { return complain(error.message, error.hint, code); }

}  // namespace cdcrt::cli
