// Commands for dead letters: list, show, replay.
#pragma once

#include <cstdint>
#include <string>

#include "cli/repair_commands.hpp"

namespace cdcrt::cli {

struct DeadLetterArguments {
  std::string id;
  uint64_t limit = 0;  ///< 0: all
  bool all = false;    ///< of list: also those that are closed
  bool dry_run = false;
  bool raw = false;  ///< of show: all of the message, also the description of its columns
};

int list_dead_letters(const RepairArguments& arguments, const DeadLetterArguments& dead_letters);
int show_dead_letters(const RepairArguments& arguments, const DeadLetterArguments& dead_letters);
/// 4: some stay open.
int replay_dead_letters(const RepairArguments& arguments, const DeadLetterArguments& dead_letters);

}  // namespace cdcrt::cli
