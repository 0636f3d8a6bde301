// The files of a project that `cdcrt plugin new` writes. @NAME@ and @CLASS@ stand for the plugin's.
#pragma once

#include <span>
#include <string_view>

namespace cdcrt::cli {

struct ProjectFile {
  std::string_view path;
  std::string_view text;
};

std::span<const ProjectFile> format_project();

}  // namespace cdcrt::cli
