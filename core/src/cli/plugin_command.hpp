// `cdcrt plugin list` and `cdcrt plugin describe`.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "cli/plugin_description.hpp"
#include "plugin/registry.hpp"

namespace cdcrt::cli {

/// Prints every plugin that the places hold, and why others are refused. Answers the exit code.
int plugin_list(const std::vector<plugin::SearchPlace>& places, bool json, std::ostream& out);

/// Prints what a plugin is and takes: the one source of docs/reference/. `name` is "file", "source-file" or the path of a shared
/// object; several plugins of one name are all printed as text, and refused for the other formats. Complaints go to standard
/// error. Answers the exit code.
int plugin_describe(const std::string& name, const std::vector<plugin::SearchPlace>& places, DescriptionFormat format, std::ostream& out);

}  // namespace cdcrt::cli
