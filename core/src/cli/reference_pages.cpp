#include "cli/reference_pages.hpp"

#include <ostream>

#include "diagnostics/codes.hpp"
#include "types/type.hpp"

namespace cdcrt::cli {

const std::vector<std::string>& reference_pages() {
  static const std::vector<std::string> pages{"errors", "types"};
  return pages;
}

void print_reference(const std::string& page, std::ostream& out) {
  if (page == "types") {
    out << "# Joining types\n\nThe least type that holds every value of both: what a column becomes when its source declares one type and then "
           "another, or when values without schema teach it. Written by `cdcrt reference types`.\n\n"
        << types::join_table_markdown();
    return;
  }
  out << "# Diagnostics\n\nWritten by `cdcrt reference errors`. Exit code 3 where the environment is at fault, else 2.\n\n"
         "| code | meaning |\n|---|---|\n";
  for (const auto& code : diagnostics::all_codes()) out << "| " << code.code << " | " << code.meaning << " |\n";
}

}  // namespace cdcrt::cli
