// `cdcrt manifest import`: the manifest that does what a job kafka-cdc-redshift did.
#pragma once

#include <iosfwd>
#include <string>

namespace cdcrt::cli {

struct ImportArguments {
  std::string file;    ///< the job's .properties file; "-": standard input
  std::string output;  ///< empty: standard output; a file that is there is left alone
  std::string schema;  ///< of the source's tables; "*": any; empty: the database has none
};

/// Writes the manifest; what is wrong or acts otherwise is told on standard error. Answers the exit code.
int import_manifest(const ImportArguments& arguments, std::ostream& out);

}  // namespace cdcrt::cli
