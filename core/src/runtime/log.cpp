#include "runtime/log.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "diagnostics/text.hpp"
#include "diagnostics/userinfo.hpp"
#include "plugin/instance.hpp"

namespace cdcrt::runtime {
namespace {

spdlog::level::level_enum to_spdlog(int32_t level) {
  switch (level) {
    case CDCRT_LOG_DEBUG: return spdlog::level::debug;
    case CDCRT_LOG_INFO: return spdlog::level::info;
    case CDCRT_LOG_WARNING: return spdlog::level::warn;
    default: return spdlog::level::err;
  }
}

int32_t from_name(const std::string& name) {
  if (name == "debug") return CDCRT_LOG_DEBUG;
  if (name == "warning") return CDCRT_LOG_WARNING;
  if (name == "error") return CDCRT_LOG_ERROR;
  return CDCRT_LOG_INFO;
}

bool& as_json() {
  static bool json = false;
  return json;
}

}  // namespace

void start_log(const std::string& level, bool json) {
  auto logger = spdlog::stderr_color_mt("cdcrt");
  spdlog::set_default_logger(logger);
  const int32_t minimum = from_name(level);
  spdlog::set_level(to_spdlog(minimum));
  spdlog::flush_on(spdlog::level::info);
  as_json() = json;
  spdlog::set_pattern(json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l",%v})" : "%Y-%m-%d %H:%M:%S.%e %^%-7l%$ %v");
  plugin::set_log(minimum, [](int32_t plugin_level, std::string_view component, std::string_view message) {
    log(static_cast<cdcrt_log_level>(plugin_level), component, message);
  });
}

void log(cdcrt_log_level level, std::string_view component, std::string_view message) {
  const auto target = to_spdlog(level);
  if (!spdlog::should_log(target)) return;
  // A driver's or library's text may name what it was connected with.
  const std::string shown = diagnostics::without_userinfo(std::string(message), diagnostics::Addresses::kWithScheme);
  if (as_json()) {
    spdlog::log(target, "\"component\":{},\"message\":{}", diagnostics::json_string(component), diagnostics::json_string(shown));
  } else {
    spdlog::log(target, "{}: {}", diagnostics::printable(component), diagnostics::printable(shown));
  }
}

void log_diagnostics(const std::vector<diagnostics::Diagnostic>& diagnostics) {
  for (const auto& each : diagnostics) {
    std::string line = each.position.file;
    if (each.position.line > 0) line += ":" + std::to_string(each.position.line) + ":" + std::to_string(each.position.column);
    line += (line.empty() ? "" : ": ") + each.message + " [" + each.code + "]";
    for (const auto& note : each.notes) line += "; " + note;
    if (!each.help.empty()) line += "; " + each.help;
    log(each.severity == diagnostics::Severity::kError ? CDCRT_LOG_ERROR : CDCRT_LOG_WARNING, "manifest", line);
  }
}

}  // namespace cdcrt::runtime
