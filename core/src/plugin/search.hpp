// Where plugins are looked for, and what to say when nothing is there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plugin/registry.hpp"

namespace cdcrt::plugin {

/// Origin of the place that relative paths start from.
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

/// The error for a name that no place has: every place with its origin, the nearest name, the same name of another kind.
Error not_found(uint32_t kind, const std::string& name, const std::vector<SearchPlace>& places);

/// The same where the kind was not said.
Error not_found_in_any_kind(const std::string& name, const std::vector<SearchPlace>& places);

}  // namespace cdcrt::plugin
