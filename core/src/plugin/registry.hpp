// Registry: finds plugins by name or path, refuses what is not one with a readable reason, keeps the rest for ever.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cdcrt/abi/plugin.h"
#include "diagnostics/result.hpp"
#include "plugin/search.hpp"

namespace cdcrt::plugin {

/// The descriptor of a plugin, valid for the life of the process. `kind` is a cdcrt_plugin_kind.
///
/// A name is looked for as <kind>-<name>.so in each place; the first file found counts, and is not skipped when it is bad.
/// What contains a '/' or ends in ".so" is a path, relative to the first place when that is the manifest's folder, else to the
/// working folder. Thread-safe. A file is loaded once, looked at before it is loaded, and never unloaded.
/// Failure: UNREACHABLE; the message names the file and what is wrong with it, or every place searched.
Result<const cdcrt_plugin*> find(uint32_t kind, const std::string& name_or_path, const std::vector<SearchPlace>& places);

/// One plugin, or one file that was refused.
struct Listed {
  std::string path;                      ///< absolute
  const cdcrt_plugin* plugin = nullptr;  ///< NULL: refused
  std::string refusal;                   ///< why, empty when accepted
};

/// Every <kind>-<name>.so in the places, in their order, by file name within one. Loads them. Thread-safe.
std::vector<Listed> list(const std::vector<SearchPlace>& places);

/// The file that `plugin`, a descriptor from find() or list(), came from; empty: not from here.
std::string path_of(const cdcrt_plugin* plugin);

}  // namespace cdcrt::plugin
