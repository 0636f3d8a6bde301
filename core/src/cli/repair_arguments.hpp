// What is laid over the commands that look at and repair a pipeline.
#pragma once

#include <string>

#include "cli/manifest_commands.hpp"

namespace cdcrt::cli {

/// Each command reads what concerns it.
struct RepairArguments {
  ManifestArguments manifest;
  std::string table, topic, source, sink;
  std::string to;  ///< of a rewind
  std::string reason;
  int partition = -1;     ///< -1: all
  bool empty = false;     ///< of a rewind: empty the table
  bool from_now = false;  ///< of resume
};

}  // namespace cdcrt::cli
