// Commands for operators: what a pipeline has done, and what it is to do again or not at all. They need no running process.
#pragma once

#include <string>

#include "cli/manifest_commands.hpp"
#include "progress/store.hpp"

namespace cdcrt::cli {

/// What is laid over several commands; each reads what concerns it.
struct RepairArguments {
  ManifestArguments manifest;
  std::string table, topic, source, sink;
  std::string to;  ///< of a rewind
  std::string reason;
  int partition = -1;     ///< -1: all
  bool empty = false;     ///< of a rewind: empty the table
  bool from_now = false;  ///< of resume
};

/// Each answers an exit code; 3: a target cannot be reached.
int progress_show(const RepairArguments& arguments);
int progress_rewind(const RepairArguments& arguments);
int table_list(const RepairArguments& arguments);
int table_state(const RepairArguments& arguments, progress::TableState state);
int status(const RepairArguments& arguments);

}  // namespace cdcrt::cli
