#include "cli/complaint.hpp"

#include <iostream>

#include "diagnostics/text.hpp"

namespace cdcrt::cli {

int complain(const std::string& message, const std::string& help, int code) {
  std::cerr << "error: " << diagnostics::printable(message) << "\n";
  if (!help.empty()) std::cerr << "help: " << diagnostics::printable(help) << "\n";
  return code;
}

}  // namespace cdcrt::cli
