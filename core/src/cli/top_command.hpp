// `cdcrt top`: what a running pipeline does, in a terminal, as its `/status` tells it.
#pragma once

#include <iosfwd>
#include <string>

#include "cli/manifest_commands.hpp"

namespace cdcrt::cli {

struct TopArguments {
  ManifestArguments manifest;  ///< names address, token and certificate
  std::string url;             ///< instead of a manifest
  std::string token_file, certificate;
  std::string sort = "lag", search;
  double interval = 1;  ///< seconds
  bool once = false;
};

/// Draws until a key or a signal ends it, in a terminal; else, and with `once`, prints one screen without colours on `out`. Only reads.
/// The exit code: 0, 2 where an argument or the token is wrong, 3 where nobody answers.
int top(const TopArguments& arguments, std::ostream& out);

}  // namespace cdcrt::cli
