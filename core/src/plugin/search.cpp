#include "plugin/search.hpp"

#include <algorithm>
#include <boost/dll/runtime_symbol_info.hpp>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "diagnostics/suggestion.hpp"
#include "diagnostics/text.hpp"

namespace cdcrt::plugin {

namespace fs = std::filesystem;

std::string_view kind_name(uint32_t kind) {
  switch (kind) {
    case CDCRT_SOURCE: return "source";
    case CDCRT_FORMAT: return "format";
    case CDCRT_SINK: return "sink";
    default: return "unknown kind";
  }
}

std::optional<uint32_t> kind_of(std::string_view name) {
  for (const uint32_t kind : {CDCRT_SOURCE, CDCRT_FORMAT, CDCRT_SINK}) {
    if (name == kind_name(kind)) return kind;
  }
  return std::nullopt;
}

std::vector<SearchPlace> search_places(const std::string& manifest_folder, const std::vector<std::string>& plugin_dirs) {
  std::vector<SearchPlace> places;
  if (!manifest_folder.empty()) places.push_back({manifest_folder, kManifestFolder});
  for (const auto& folder : plugin_dirs) {
    const fs::path path(folder);
    places.push_back({path.is_absolute() || manifest_folder.empty() ? folder : (fs::path(manifest_folder) / path).string(), "plugin_dirs"});
  }
  if (const char* variable = std::getenv("CDCRT_PLUGIN_PATH")) {
    std::string_view rest(variable);
    while (!rest.empty()) {
      const size_t end = std::min(rest.find(':'), rest.size());
      if (end > 0) places.push_back({std::string(rest.substr(0, end)), "CDCRT_PLUGIN_PATH"});
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  boost::dll::fs::error_code failed;
  const auto program = boost::dll::program_location(failed);
  if (!failed) {
    const auto folder = fs::path(program.string()).parent_path().parent_path() / "lib" / "cdcrt" / "plugins";
    places.push_back({folder.string(), "the install folder"});
  }
  return places;
}

bool is_path(const std::string& name_or_path) {
  return name_or_path.find('/') != std::string::npos ||
         (name_or_path.size() > 3 && name_or_path.compare(name_or_path.size() - 3, 3, ".so") == 0);
}

std::string resolve_path(const std::string& path, const std::vector<SearchPlace>& places) {
  fs::path resolved(path);
  if (resolved.is_relative() && !places.empty() && places.front().label == kManifestFolder)
    resolved = fs::path(places.front().folder) / resolved;
  return resolved.lexically_normal().string();
}

std::vector<Candidate> candidates(const std::string& folder) {
  std::vector<Candidate> found;
  std::error_code failed;
  for (fs::directory_iterator entry(folder.empty() ? "." : folder, failed), end; !failed && entry != end; entry.increment(failed)) {
    const fs::path path = entry->path();
    if (path.extension() != ".so") continue;
    const std::string stem = path.stem().string();
    const size_t dash = stem.find('-');
    if (dash == std::string::npos || dash + 1 == stem.size()) continue;
    const auto kind = kind_of(std::string_view(stem).substr(0, dash));
    if (kind) found.push_back({path.string(), *kind, stem.substr(dash + 1)});
  }
  std::sort(found.begin(), found.end(), [](const auto& left, const auto& right) { return left.path < right.path; });
  return found;
}

namespace {

constexpr const char* kHowToAdd =
    "put the file into one of these folders, add its folder to [runtime] plugin_dirs or to CDCRT_PLUGIN_PATH, or give the path of the .so "
    "file";

std::string places_text(const std::vector<SearchPlace>& places) {
  std::string text;
  for (const auto& place : places) {
    std::error_code ignored;
    text += "\n  " + place.folder + " (" + place.label + (fs::is_directory(place.folder, ignored) ? ")" : ", does not exist)");
  }
  return places.empty() ? " (none)" : text;
}

std::vector<Candidate> all_candidates(const std::vector<SearchPlace>& places) {
  std::vector<Candidate> all;
  for (const auto& place : places) {
    for (auto& candidate : candidates(place.folder)) all.push_back(std::move(candidate));
  }
  return all;
}

}  // namespace

Error not_found(uint32_t kind, const std::string& name, const std::vector<SearchPlace>& places) {
  const std::string kind_text(kind_name(kind));
  std::vector<std::string> same_kind;
  std::string other_kind;
  for (const auto& candidate : all_candidates(places)) {
    if (candidate.kind == kind)
      same_kind.push_back(candidate.name);
    else if (candidate.name == name)
      other_kind = kind_name(candidate.kind);
  }
  std::string hint = kHowToAdd;
  if (!other_kind.empty()) hint = diagnostics::quote(name) + " is a " + other_kind + ", not a " + kind_text;
  if (const auto near = diagnostics::nearest(name, same_kind)) hint = "did you mean '" + *near + "'?";
  Error error = make_error(CDCRT_UNREACHABLE,
                           "no " + kind_text + " plugin " + diagnostics::quote(name) + " (" + kind_text + "-" +
                               diagnostics::printable(name) + ".so) in any of the places searched:" + places_text(places),
                           hint);
  error.native = ENOENT;
  return error;
}

Error not_found_in_any_kind(const std::string& name, const std::vector<SearchPlace>& places) {
  std::vector<std::string> names;
  for (const auto& candidate : all_candidates(places)) names.push_back(candidate.name);
  const auto near = diagnostics::nearest(name, names);
  Error error =
      make_error(CDCRT_UNREACHABLE, "no plugin " + diagnostics::quote(name) + " in any of the places searched:" + places_text(places),
                 near ? "did you mean '" + *near + "'?" : kHowToAdd);
  error.native = ENOENT;
  return error;
}

}  // namespace cdcrt::plugin
