#include <cstdio>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "cli/command_line.hpp"
#include "cli/exit_code.hpp"
#include "cli/privacy.hpp"
#include "diagnostics/text.hpp"

namespace {

// What a command answers is its work: where nobody can read it, it is not done.
int told(int code) {
  if (std::cout.flush() && std::fflush(stdout) == 0) return code;
  std::fprintf(stderr, "cdcrt: the output could not be written to standard output: no room, or nobody reads it\n");
  return code == cdcrt::cli::kDone || code == cdcrt::cli::kDoneWithDeadLetters ? cdcrt::cli::kRunTimeFailure : code;
}

}  // namespace

int main(int count, char** values) {
  try {
    cdcrt::cli::allow_core_dumps(false);
    const std::vector<std::string> arguments(values + (count > 0 ? 1 : 0), values + count);
    cdcrt::cli::cover_arguments(count, values);
    return told(cdcrt::cli::run_command_line(arguments));
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "cdcrt: internal error: %s\n", cdcrt::diagnostics::printable(exception.what()).c_str());
    return cdcrt::cli::kRunTimeFailure;
  }
}
