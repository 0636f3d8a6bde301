#include "cli/plugin_command.hpp"

#include <algorithm>
#include <iostream>
#include <optional>

#include "cli/exit_code.hpp"
#include "diagnostics/text.hpp"
#include "plugin/search.hpp"

namespace cdcrt::cli {
namespace {

using diagnostics::json_string;

constexpr uint32_t kKinds[] = {CDCRT_SOURCE, CDCRT_FORMAT, CDCRT_SINK};

int complain_in_lines(const Error& error, int exit_code) {
  std::cerr << "error: " << error.message << "\n";  // of several lines; the names in it are quoted
  if (!error.hint.empty()) std::cerr << "help: " << error.hint << "\n";
  return exit_code;
}

/// The plugins that a word on the command line means, or why there is none.
Result<std::vector<const cdcrt_plugin*>> meant_by(const std::string& name, const std::vector<plugin::SearchPlace>& places) {
  std::vector<const cdcrt_plugin*> found;
  std::vector<Error> refusals;
  const auto look = [&](uint32_t kind, const std::string& word) {
    auto one = plugin::find(kind, word, places);
    if (one)
      found.push_back(*one);
    else
      refusals.push_back(one.error());
  };
  const bool is_path = plugin::is_path(name);
  const auto kind = is_path ? std::nullopt : plugin::kind_of(name.substr(0, name.find('-')));
  if (kind && name.find('-') != std::string::npos) {
    look(*kind, name.substr(name.find('-') + 1));
  } else {
    for (const uint32_t each : kKinds) {
      // A name is asked for only where a file carries it, so that a refusal is about that file.
      bool exists = is_path;
      for (const auto& place : places) {
        const auto files = is_path ? std::vector<plugin::Candidate>() : plugin::candidates(place.folder);
        exists =
            exists || std::any_of(files.begin(), files.end(), [&](const auto& file) { return file.kind == each && file.name == name; });
      }
      if (exists) look(each, name);
    }
  }
  if (!found.empty()) return found;
  if (!refusals.empty()) return refusals.front();
  return plugin::not_found_in_any_kind(name, places);
}

}  // namespace

int plugin_list(const std::vector<plugin::SearchPlace>& places, bool json, std::ostream& out) {
  const auto listed = plugin::list(places);
  if (json) {
    out << "[";
    const char* between = "";
    for (const auto& entry : listed) {
      out << between << "{\"path\":" << json_string(entry.path);
      if (entry.plugin != nullptr) {
        out << ",\"kind\":" << json_string(plugin::kind_name(entry.plugin->kind)) << ",\"name\":" << json_string(entry.plugin->name)
            << ",\"version\":" << json_string(entry.plugin->version)
            << ",\"summary\":" << json_string(entry.plugin->summary == nullptr ? "" : entry.plugin->summary) << "}";
      } else {
        out << ",\"refused\":" << json_string(entry.refusal) << "}";
      }
      between = ",";
    }
    out << "]\n";
    return kDone;
  }
  size_t name_width = 0, version_width = 0;
  for (const auto& entry : listed) {
    if (entry.plugin == nullptr) continue;
    name_width = std::max(name_width, std::string_view(entry.plugin->name).size());
    version_width = std::max(version_width, std::string_view(entry.plugin->version).size());
  }
  const auto padded = [](std::string text, size_t width) { return text.append(width > text.size() ? width - text.size() : 0, ' '); };
  bool is_empty = true, has_refused = false;
  for (const auto& entry : listed) {
    has_refused = has_refused || entry.plugin == nullptr;
    if (entry.plugin == nullptr) continue;
    is_empty = false;
    out << padded(std::string(plugin::kind_name(entry.plugin->kind)), 6) << "  " << padded(entry.plugin->name, name_width) << "  "
        << padded(entry.plugin->version, version_width) << "  " << (entry.plugin->summary == nullptr ? "" : entry.plugin->summary) << "\n";
  }
  if (is_empty) out << "no plugin found\n";
  if (has_refused) out << "\nrefused:\n";
  for (const auto& entry : listed) {
    if (entry.plugin == nullptr) out << "  " << diagnostics::printable(entry.refusal) << "\n";
  }
  out << "\nsearched:\n";
  for (const auto& place : places) out << "  " << diagnostics::printable(place.folder) << " (" << place.label << ")\n";
  return kDone;
}

int plugin_describe(const std::string& name, const std::vector<plugin::SearchPlace>& places, DescriptionFormat format, std::ostream& out) {
  const auto found = meant_by(name, places);
  if (!found) return complain_in_lines(found.error(), kEnvironment);
  if (found->size() > 1 && format != DescriptionFormat::kText) {
    std::string names;
    for (const auto* plugin : *found)
      names += (names.empty() ? "" : " or ") + std::string(plugin::kind_name(plugin->kind)) + "-" + plugin->name;
    return complain_in_lines(make_error(CDCRT_BAD_CONFIG, "several plugins are called " + diagnostics::quote(name), "say " + names),
                             kManifestOrUsage);
  }
  const char* between = "";
  for (const auto* plugin : *found) {
    out << between << describe(*plugin, plugin::path_of(plugin), format);
    between = "\n";
  }
  return kDone;
}

}  // namespace cdcrt::cli
