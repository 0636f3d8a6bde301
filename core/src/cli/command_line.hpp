// The command line: parses arguments, runs the command, answers the exit code (see exit_code.hpp).
#pragma once

#include <string>
#include <vector>

namespace cdcrt::cli {

/// `arguments` without the program's name. Answers go to standard output, complaints to standard error.
int run_command_line(const std::vector<std::string>& arguments);

}  // namespace cdcrt::cli
