// [sources.NAME] and [sinks.NAME].
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "diagnostics/result.hpp"
#include "manifest/manifest.hpp"
#include "manifest/table_reader.hpp"

namespace cdcrt::manifest {

struct ComponentContext {
  std::string pipeline;
  std::string folder;  ///< absolute
  std::string stop;    ///< of the command line; empty: none
  std::function<Result<const cdcrt_plugin*>(uint32_t, const std::string&)> find_plugin;
};

/// Takes "sources" of the manifest's top. Reports when there is none.
std::vector<Source> read_sources(TableReader& top, const ComponentContext& context);

/// Takes "sinks" of the manifest's top. Reports when there is none.
std::vector<Sink> read_sinks(TableReader& top, const ComponentContext& context);

}  // namespace cdcrt::manifest
