// What the plugins of a manifest say of their settings, and of what these lead to.
#pragma once

#include <vector>

#include "diagnostics/diagnostic.hpp"
#include "manifest/manifest.hpp"

namespace cdcrt::cli {

struct PluginChecks {
  std::vector<diagnostics::Diagnostic> diagnostics;  ///< what is wrong; warnings alone hinder nothing
  int exit_code = 0;
};

/// Creates each plugin and lets it go again: nothing outside of the process is touched. Settings whose secrets were not read are not
/// judged.
PluginChecks check_plugins(const manifest::Manifest& manifest);

/// Also connects to every source, sink and place of dead letters. Writes nothing.
PluginChecks probe_plugins(const manifest::Manifest& manifest);

}  // namespace cdcrt::cli
