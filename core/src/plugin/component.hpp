// A plugin with its settings: a source, a format or a sink as the manifest has it.
#pragma once

#include <functional>
#include <string>

#include "cdcrt/abi/plugin.h"
#include "diagnostics/result.hpp"
#include "plugin/options.hpp"

namespace cdcrt::plugin {

struct Component {
  std::string name;    ///< of [sources.NAME], [sinks.NAME]
  std::string plugin;  ///< as written: a name, or a path to a shared object
  const cdcrt_plugin* descriptor = nullptr;
  Options options;
  Position position;
  /// Reads the manifest again for what a secret or a file says now. Empty: its references do not change. Any thread.
  std::function<Result<Options>()> renew;
};

}  // namespace cdcrt::plugin
