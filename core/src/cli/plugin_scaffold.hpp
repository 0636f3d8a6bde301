// `cdcrt plugin new`: a project of a new plugin that builds and passes its test at once.
#pragma once

#include <iosfwd>
#include <string>

namespace cdcrt::cli {

struct ScaffoldArguments {
  std::string kind;    ///< "format"
  std::string name;    ///< of the plugin
  std::string folder;  ///< empty: KIND-NAME below the current one
};

/// Writes the project and says what to do next. A folder that is there and not empty is left alone. Complaints go to standard error.
/// Answers the exit code.
int scaffold(const ScaffoldArguments& arguments, std::ostream& out);

}  // namespace cdcrt::cli
