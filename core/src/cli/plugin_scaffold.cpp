#include "cli/plugin_scaffold.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string_view>

#include "cli/complaint.hpp"
#include "cli/exit_code.hpp"
#include "cli/plugin_templates.hpp"
#include "diagnostics/suggestion.hpp"
#include "diagnostics/text.hpp"

namespace cdcrt::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxName = 40;

bool is_plugin_name(std::string_view name) {
  const auto is_good = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  return !name.empty() && name.size() <= kMaxName && name.front() >= 'a' && name.front() <= 'z' && name.back() != '-' &&
         std::all_of(name.begin(), name.end(), is_good);
}

/// "order-events" as OrderEvents.
std::string class_name(std::string_view name) {
  std::string text;
  bool starts_word = true;
  for (const char c : name) {
    if (c != '-') text += starts_word && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    starts_word = c == '-';
  }
  return text;
}

std::string filled(std::string_view text, const std::string& name) {
  std::string out;
  while (true) {
    const std::size_t mark = text.find('@');
    out += text.substr(0, mark);
    if (mark == std::string_view::npos) return out;
    text.remove_prefix(mark);
    if (text.starts_with("@NAME@")) {
      out += name;
      text.remove_prefix(6);
    } else if (text.starts_with("@CLASS@")) {
      out += class_name(name);
      text.remove_prefix(7);
    } else {
      out += '@';
      text.remove_prefix(1);
    }
  }
}

}  // namespace

int scaffold(const ScaffoldArguments& arguments, std::ostream& out) {
  using diagnostics::quote;
  if (arguments.kind != "format") {
    const bool is_kind = arguments.kind == "source" || arguments.kind == "sink";
    return complain(quote(arguments.kind) + (is_kind ? " is not yet available" : " is no kind of plugin"), "write plugin new format NAME",
                    kManifestOrUsage);
  }
  if (!is_plugin_name(arguments.name)) {
    return complain(quote(arguments.name) + " is no name of a plugin",
                    "a name begins with a letter and has lower-case letters, digits and '-', at most " + std::to_string(kMaxName),
                    kManifestOrUsage);
  }
  const fs::path folder = arguments.folder.empty() ? arguments.kind + "-" + arguments.name : arguments.folder;
  std::error_code failed;
  if (fs::exists(folder, failed) && !(fs::is_directory(folder, failed) && fs::is_empty(folder, failed))) {
    return complain(quote(folder.string()) + " is there already and not empty", "name another place with --folder", kManifestOrUsage);
  }
  for (const ProjectFile& file : format_project()) {
    const fs::path path = folder / filled(file.path, arguments.name);
    fs::create_directories(path.parent_path(), failed);
    std::ofstream stream(path, std::ios::binary);
    stream << filled(file.text, arguments.name);
    if (!stream.flush())
      return complain("cannot write " + quote(path.string()), "name a folder that can be written to with --folder", kEnvironment);
    out << diagnostics::printable(path.string()) << "\n";
  }
  out << "\nBuild it and run its test:\n  cd " << diagnostics::printable(folder.string())
      << "\n  cmake -B build && cmake --build build && ctest --test-dir build --output-on-failure\n";
  return kDone;
}

}  // namespace cdcrt::cli
