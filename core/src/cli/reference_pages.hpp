// `cdcrt reference`: the pages of docs/reference that are generated from the one declaration of what they list.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace cdcrt::cli {

/// "errors", "types".
const std::vector<std::string>& reference_pages();

/// Markdown of a page that reference_pages() names.
void print_reference(const std::string& page, std::ostream& out);

}  // namespace cdcrt::cli
