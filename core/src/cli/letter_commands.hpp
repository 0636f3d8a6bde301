// Commands for dead letters: list, show, replay.
#pragma once

#include <cstdint>
#include <string>

#include "cli/repair_commands.hpp"

namespace cdcrt::cli {

struct LetterArguments {
  std::string id;
  uint64_t limit = 0;  ///< 0: all
  bool all = false;    ///< of list: also those that are closed
  bool dry_run = false;
  bool raw = false;  ///< of show: all of the message, also the description of its columns
};

int letters_list(const RepairArguments& arguments, const LetterArguments& letters);
int letters_show(const RepairArguments& arguments, const LetterArguments& letters);
/// 4: some stay open.
int letters_replay(const RepairArguments& arguments, const LetterArguments& letters);

}  // namespace cdcrt::cli
