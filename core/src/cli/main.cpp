#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "cli/command_line.hpp"
#include "cli/exit_code.hpp"

int main(int count, char** values) {
  try {
    return cdcrt::cli::run_command_line(std::vector<std::string>(values + (count > 0 ? 1 : 0), values + count));
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "cdcrt: internal error: %s\n", exception.what());
    return cdcrt::cli::kRunTimeFailure;
  }
}
