#include "aws/profile.hpp"

#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

namespace cdcrt::aws {
namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

std::string home() {
  if (std::string folder = environment("HOME"); !folder.empty()) return folder;
  passwd entry{};
  passwd* found = nullptr;
  char buffer[4096];
  if (getpwuid_r(getuid(), &entry, buffer, sizeof buffer, &found) == 0 && found != nullptr && entry.pw_dir != nullptr) return entry.pw_dir;
  return {};
}

/// "profile  'a b'" and "profile a b" are "profile a b".
std::string section_name(std::string_view text) {
  text = trim(text);
  constexpr std::string_view kProfile = "profile";
  if (text.rfind(kProfile, 0) != 0 || text.size() == kProfile.size() || (text[kProfile.size()] != ' ' && text[kProfile.size()] != '\t'))
    return std::string(text);
  text = trim(text.substr(kProfile.size()));
  if (text.size() > 1 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front())
    text = text.substr(1, text.size() - 2);
  return "profile " + std::string(text);
}

/// Adds the section's keys that are not there yet. A key that is indented belongs to a key above it (s3 =) and is left out.
bool read_section(const std::string& path, std::string_view section, Profile& out) {
  errno = 0;
  std::ifstream file(path);
  std::error_code error;
  // A mount of a secret that is not there becomes a folder of its name.
  const bool is_folder = std::filesystem::is_directory(path, error);
  if (!file || is_folder) {
    if (is_folder || ::access(path.c_str(), F_OK) == 0) out.unreadable = path + ": " + std::strerror(is_folder ? EISDIR : errno);
    return false;
  }
  bool inside = false, found = false;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      const std::size_t end = line.find(']');
      inside = end != std::string::npos && section_name(std::string_view(line).substr(1, end - 1)) == section;
      found = found || inside;
      continue;
    }
    const std::size_t equals = line.find('=');
    if (!inside || equals == std::string::npos || line.front() == ' ' || line.front() == '\t') continue;
    std::string name(trim(std::string_view(line).substr(0, equals)));
    for (char& letter : name)
      if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter + ('a' - 'A'));
    out.values.emplace(std::move(name), trim(std::string_view(line).substr(equals + 1)));
  }
  return found;
}

}  // namespace

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::string Profile::value(std::string_view name) const {
  const auto found_value = values.find(name);
  return found_value == values.end() ? std::string() : found_value->second;
}

std::string chosen_profile(std::string_view given) {
  if (!given.empty()) return std::string(given);
  for (const char* name : {"AWS_PROFILE", "AWS_DEFAULT_PROFILE"})
    if (std::string value = environment(name); !value.empty()) return value;
  return "default";
}

Profile read_profile(std::string_view name) {
  Profile profile;
  std::string keys = environment("AWS_SHARED_CREDENTIALS_FILE"), config = environment("AWS_CONFIG_FILE");
  const std::string folder = home();
  if (keys.empty()) keys = folder + "/.aws/credentials";
  if (config.empty()) config = folder + "/.aws/config";
  profile.looked_at = keys + ", " + config;
  const bool in_keys = read_section(keys, name, profile);
  const bool in_config =
      read_section(config, "profile " + std::string(name), profile) || (name == "default" && read_section(config, name, profile));
  profile.found = in_keys || in_config;
  if (profile.found) {
    // What the other file would have added is not known then; that it was meant to add something is.
    return profile;
  }
  for (const auto& [variable, path] : {std::pair{"AWS_SHARED_CREDENTIALS_FILE", keys}, std::pair{"AWS_CONFIG_FILE", config}})
    if (!environment(variable).empty() && ::access(path.c_str(), F_OK) != 0 && profile.missing.empty())
      profile.missing = std::string("environment variable ") + variable + " names " + path + ", which does not exist";
  Profile other;
  profile.misnamed = read_section(config, name, other);
  return profile;
}

std::string find_region(std::string_view given, std::string_view profile) {
  if (!given.empty()) return std::string(given);
  for (const char* name : {"AWS_REGION", "AWS_DEFAULT_REGION"})
    if (std::string value = environment(name); !value.empty()) return value;
  return read_profile(chosen_profile(profile)).value("region");
}

}  // namespace cdcrt::aws
