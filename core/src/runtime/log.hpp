// Log: one place where the host and its plugins say what happens. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cdcrt/abi/base.h"
#include "diagnostics/diagnostic.hpp"

namespace cdcrt::runtime {

/// Before anything is logged. `level`: "debug", "info", "warning", "error". JSON lines or text, on standard error.
void start_log(const std::string& level, bool json);
void log(cdcrt_log_level level, std::string_view component, std::string_view message);
/// What is wrong with a manifest, one line each, for those who read nothing but logs.
void log_diagnostics(const std::vector<diagnostics::Diagnostic>& diagnostics);

}  // namespace cdcrt::runtime
