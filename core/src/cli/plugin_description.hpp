// What a plugin is and takes, from its descriptor alone.
#pragma once

#include <cstdint>
#include <span>
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

/// The rows of an option table as a table of Markdown.
std::string options_markdown(std::span<const cdcrt_option> options);

/// The rows of an option table as a JSON Schema of the TOML table that they describe; `required`: keys beside them. `open`: others may
/// stand there too.
std::string options_schema(std::span<const cdcrt_option> options, bool open, std::span<const char* const> required = {});

}  // namespace cdcrt::cli
