// What a plugin is and takes, from its descriptor alone.
#pragma once

#include <cstdint>
#include <string>

#include "cdcrt/abi/plugin.h"

namespace cdcrt::cli {

enum class DescriptionFormat : uint8_t {
  kText,
  kJson,
  kMarkdown,  ///< the same on every machine: no path
};

/// Ends with a newline. `path` is where the plugin was found.
std::string describe(const cdcrt_plugin& plugin, const std::string& path, DescriptionFormat format);

}  // namespace cdcrt::cli
