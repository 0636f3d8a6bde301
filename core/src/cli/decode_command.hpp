// `cdcrt decode`: messages in, rows out.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace cdcrt::cli {

struct DecodeArguments {
  std::string plugin;                ///< a format's name, or the path of its shared object
  std::vector<std::string> options;  ///< key=value of its option table
  std::string option_file;           ///< the same, one per line; before `options`
  std::string file = "-";            ///< "-": standard input
  std::string layout = "values";     ///< values | kcat
  std::string topic;                 ///< empty: the file's name without its ending
  std::vector<std::string> plugin_dirs;
  bool json = false;
};

/// Decodes a file's messages with a format and prints the rows. Complaints go to standard error. Answers the exit code: 4 when a
/// message became a dead letter, 1 when the format failed or what it wrote cannot be believed.
int decode(const DecodeArguments& arguments, std::ostream& out);

}  // namespace cdcrt::cli
