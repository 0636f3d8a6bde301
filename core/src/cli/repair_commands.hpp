// Commands for operators: what a pipeline has done, and what it is to do again or not at all. They need no running process.
#pragma once

#include "cli/repair_arguments.hpp"
#include "progress/store.hpp"

namespace cdcrt::cli {

/// Each answers an exit code; 3: a target cannot be reached.
int progress_show(const RepairArguments& arguments);
int progress_rewind(const RepairArguments& arguments);
int table_list(const RepairArguments& arguments);
int table_state(const RepairArguments& arguments, progress::TableState state);
int status(const RepairArguments& arguments);

}  // namespace cdcrt::cli
