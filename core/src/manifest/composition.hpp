// One tree out of several files and --set arguments: includes, overlays, references resolved.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "manifest/references.hpp"
#include "manifest/tree.hpp"

namespace cdcrt::manifest {

/// Paths that `pattern` names, sorted: a glob's matches, else the path itself whether it exists or not. Relative to `folder`.
/// A path that exists as written is never taken for a glob.
std::vector<std::string> expand(const std::string& pattern, const std::string& folder);

/// True when `text` holds a glob's characters.
bool is_glob(std::string_view text);

/// Absolute form of `path`, which is relative to `folder` unless it is absolute.
std::string absolute_path(const std::string& path, const std::string& folder);

/// The text of a file; nullopt: `why` says what is wrong, as in "does not exist".
std::optional<std::string> read_whole_file(const std::string& path, std::string& why);

/// Reads `files` with their includes, lays later ones over earlier ones, then `sets`. `folder`: of the first file, absolute.
/// nullopt: a file could not be read or parsed (reported); checking the rest would only report the consequences.
std::optional<Node> compose(const std::vector<std::string>& files, const std::vector<std::string>& sets, const std::string& folder,
                            References& references, Report& report);

}  // namespace cdcrt::manifest
