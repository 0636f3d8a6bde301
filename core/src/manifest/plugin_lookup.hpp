// Where a manifest's plugins come from when nobody says otherwise.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cdcrt/abi/plugin.h"
#include "diagnostics/result.hpp"

namespace cdcrt::manifest {

/// The plugin registry, searching the manifest's folder, `plugin_dirs`, CDCRT_PLUGIN_PATH and the install folder.
std::function<Result<const cdcrt_plugin*>(uint32_t, const std::string&)> registry_lookup(const std::string& manifest_folder,
                                                                                         const std::vector<std::string>& plugin_dirs);

}  // namespace cdcrt::manifest
