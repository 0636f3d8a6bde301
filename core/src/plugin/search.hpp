// Where plugins are looked for, and what to say when nothing is there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cdcrt/abi/plugin.h"
#include "diagnostics/result.hpp"

namespace cdcrt::plugin {

/// A folder in which plugins are looked for, and why there.
struct SearchPlace {
  std::string folder;  ///< absolute, or relative to the working folder
  std::string label;   ///< "the manifest's folder", "plugin_dirs", "CDCRT_PLUGIN_PATH", "the install folder"
};

/// In the order in which they are searched: the manifest's folder (skipped when empty), plugin_dirs, $CDCRT_PLUGIN_PATH
/// (separated by ':'), and ../lib/cdcrt/plugins beside the running program.
std::vector<SearchPlace> search_places(const std::string& manifest_folder, const std::vector<std::string>& plugin_dirs);

/// "source", "format" or "sink"; "unknown kind" for anything else.
std::string_view kind_name(uint32_t kind);
std::optional<uint32_t> kind_of(std::string_view kind_name);

/// Label of the place that relative paths start from.
inline constexpr const char* kManifestFolder = "the manifest's folder";

/// True for what names a file rather than a plugin: it contains '/' or ends in ".so".
bool is_path(const std::string& name_or_path);

/// The file that a path written in a manifest means.
std::string resolve_path(const std::string& path, const std::vector<SearchPlace>& places);

/// A file whose name says that it is a plugin.
struct Candidate {
  std::string path;
  uint32_t kind = 0;
  std::string name;
};

/// Every <kind>-<name>.so in `folder`, by file name; nothing when the folder cannot be read.
std::vector<Candidate> candidates(const std::string& folder);

/// The error for a name that no place has: every place with its label, the nearest name, the same name of another kind.
Error not_found(uint32_t kind, const std::string& name, const std::vector<SearchPlace>& places);

/// The same where the kind was not said.
Error not_found_in_any_kind(const std::string& name, const std::vector<SearchPlace>& places);

}  // namespace cdcrt::plugin
