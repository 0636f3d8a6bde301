#include "plugin/registry.hpp"

#include <algorithm>
#include <boost/dll/shared_library.hpp>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <tuple>
#include <utility>

#include "plugin/descriptor.hpp"
#include "plugin/elf_file.hpp"
#include "plugin/search.hpp"

namespace cdcrt::plugin {
namespace {

namespace fs = std::filesystem;

constexpr const char* kEntry = "cdcrt_plugin_entry";

/// A file that was accepted. Its library is never closed.
struct Loaded {
  std::string path;
  boost::dll::shared_library library;
  std::vector<const cdcrt_plugin*> plugins;
};

/// "PATH: libx.so.1: cannot open shared object file" and its relatives, in words that say what to do.
Error explain(const std::string& path, std::string text) {
  const std::string marker = "dlerror system message: ";
  if (const size_t start = text.find(marker); start != std::string::npos) {
    text = text.substr(start + marker.size());
    if (!text.empty() && text.back() == ')') text.pop_back();
  }
  const std::string cannot_open = ": cannot open shared object file";
  if (const size_t end = text.find(cannot_open); end != std::string::npos && text.compare(0, end, path) != 0) {
    const std::string missing = text.substr(0, end);
    return make_error(
        CDCRT_UNREACHABLE, "needs the library " + missing + ", which is not installed or not in the library path",
        "run `ldd " + path + "` to see all it needs; install the package that holds " + missing + ", or add its folder to LD_LIBRARY_PATH");
  }
  const std::string undefined = "undefined symbol: ";
  if (const size_t start = text.find(undefined); start != std::string::npos) {
    return make_error(CDCRT_UNREACHABLE, "uses a symbol that no library defines: " + text.substr(start + undefined.size()),
                      "link the plugin with the library that defines it (-Wl,--no-undefined finds this when it is built)");
  }
  return make_error(CDCRT_UNREACHABLE, "cannot be loaded: " + text, "run `ldd " + path + "` to see what it needs");
}

std::string quoted_identity(const cdcrt_plugin& plugin) { return std::string(kind_name(plugin.kind)) + " '" + plugin.name + "'"; }

class Registry {
 public:
  /// Lives until the process ends, destructors included: a function of a plugin may still run then.
  static Registry& instance() {
    static auto* registry = new Registry;
    return *registry;
  }

  Result<const Loaded*> load(const std::string& path) {
    const std::lock_guard lock(mutex_);
    std::error_code failed;
    std::string real = fs::canonical(path, failed).string();
    if (failed) real = fs::absolute(path, failed).string();
    if (const auto known = loaded_.find(real); known != loaded_.end()) return static_cast<const Loaded*>(known->second);
    if (const auto known = refused_.find(real); known != refused_.end() && known->second.first == stamp(real)) return known->second.second;
    const auto stamped = stamp(real);
    auto result = load_new(real);
    if (result) return result;
    Error error = result.error();
    error.message = "plugin " + path + " " + error.message;
    // A refused file may hold code that is loaded already; asking again must not load it again while it is the same file.
    refused_[real] = {stamped, error};
    return error;
  }

  std::string path_of(const cdcrt_plugin* plugin) {
    const std::lock_guard lock(mutex_);
    for (const auto& [path, loaded] : loaded_) {
      if (std::find(loaded->plugins.begin(), loaded->plugins.end(), plugin) != loaded->plugins.end()) return path;
    }
    return {};
  }

 private:
  using Identity = std::pair<uint32_t, std::string>;  // kind and name
  using Stamp = std::pair<uint64_t, int64_t>;         // size and time of change

  static Stamp stamp(const std::string& path) {
    std::error_code failed;
    const auto size = fs::file_size(path, failed);
    const auto time = fs::last_write_time(path, failed);
    return {size, failed ? 0 : time.time_since_epoch().count()};
  }

  Result<const Loaded*> load_new(const std::string& path) {
    if (auto checked = check_shared_object(path, kEntry); !checked) return checked.error();
    auto loaded = std::make_unique<Loaded>();
    loaded->path = path;
    try {
      loaded->library.load(path, boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local);
    } catch (const std::exception& exception) {
      return explain(path, exception.what());
    }
    // From here on the code is in the process for good: whatever is wrong with it, nothing may unload it.
    Loaded* kept = loaded.get();
    libraries_.push_back(std::move(loaded));
    if (!kept->library.has(kEntry)) {
      return make_error(CDCRT_UNREACHABLE, std::string("is a shared object but not a cdcrt plugin: it does not export ") + kEntry);
    }
    uint32_t count = 0;
    const auto entry = &kept->library.get<const cdcrt_plugin* const*(uint32_t*)>(kEntry);
    const cdcrt_plugin* const* given = entry(&count);
    auto plugins = adopt_descriptors(given, count);
    if (!plugins) return std::move(plugins.error());
    std::map<Identity, std::string> identities;
    for (const cdcrt_plugin* each : *plugins) {
      const auto& plugin = *each;
      const Identity identity{plugin.kind, plugin.name};
      if (const auto first = identities_.find(identity); first != identities_.end()) {
        return make_error(CDCRT_UNREACHABLE, "is a second " + quoted_identity(plugin) + ": " + first->second + " is in use under that name",
                          "remove one of the two files, or take its folder out of the search path");
      }
      if (!identities.try_emplace(identity, path).second)
        return make_error(CDCRT_UNREACHABLE, "declares " + quoted_identity(plugin) + " twice");
    }
    identities_.merge(identities);
    kept->plugins = std::move(*plugins);
    loaded_[path] = kept;
    return static_cast<const Loaded*>(kept);
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<Loaded>> libraries_;  // everything ever loaded, refused ones included
  std::map<std::string, Loaded*> loaded_;           // by canonical path
  std::map<std::string, std::pair<Stamp, Error>> refused_;
  std::map<Identity, std::string> identities_;  // to the path in use
};

std::string what_it_holds(const Loaded& loaded) {
  std::string text;
  for (const auto* plugin : loaded.plugins) text += (text.empty() ? "" : ", ") + quoted_identity(*plugin);
  return text;
}

Result<const cdcrt_plugin*> find_in_file(uint32_t kind, const std::string& path) {
  auto loaded = Registry::instance().load(path);
  if (!loaded) return loaded.error();
  const cdcrt_plugin* match = nullptr;
  for (const auto* plugin : (*loaded)->plugins) {
    if (plugin->kind != kind) continue;
    if (match != nullptr) {
      return make_error(CDCRT_UNREACHABLE,
                        "plugin " + path + " holds more than one " + std::string(kind_name(kind)) + ": " + what_it_holds(**loaded),
                        "name the plugin instead of its file");
    }
    match = plugin;
  }
  if (match != nullptr) return match;
  return make_error(CDCRT_UNREACHABLE,
                    "plugin " + path + " is not a " + std::string(kind_name(kind)) + ": it holds " + what_it_holds(**loaded));
}

Result<const cdcrt_plugin*> find_named(uint32_t kind, const std::string& name, const std::string& path) {
  auto loaded = Registry::instance().load(path);
  if (!loaded) return loaded.error();
  for (const auto* plugin : (*loaded)->plugins) {
    if (plugin->kind == kind && name == plugin->name) return plugin;
  }
  return make_error(CDCRT_UNREACHABLE,
                    "plugin " + path + " is called " + std::string(kind_name(kind)) + " '" + name + "' by its file name, but holds " +
                        what_it_holds(**loaded),
                    "rename the file to <kind>-<name>.so, or name the plugin that it holds");
}

}  // namespace

Result<const cdcrt_plugin*> find(uint32_t kind, const std::string& name_or_path, const std::vector<SearchPlace>& places) {
  if (is_path(name_or_path)) return find_in_file(kind, resolve_path(name_or_path, places));
  for (const auto& place : places) {
    const std::string path = (fs::path(place.folder) / (std::string(kind_name(kind)) + "-" + name_or_path + ".so")).string();
    std::error_code failed;
    const auto status = fs::symlink_status(path, failed);
    if (fs::exists(status)) return find_named(kind, name_or_path, path);
  }
  // As `plugin describe` and file names write it.
  const std::string prefix = std::string(kind_name(kind)) + "-";
  if (name_or_path.starts_with(prefix)) return find(kind, name_or_path.substr(prefix.size()), places);
  return not_found(kind, name_or_path, places);
}

std::vector<Listed> list(const std::vector<SearchPlace>& places) {
  std::vector<Listed> listed;
  std::vector<std::string> folders;
  for (const auto& place : places) {
    std::error_code failed;
    std::string folder = fs::canonical(place.folder, failed).string();
    if (failed || std::find(folders.begin(), folders.end(), folder) != folders.end()) continue;
    folders.push_back(folder);
    for (const auto& candidate : candidates(folder)) {
      auto loaded = Registry::instance().load(candidate.path);
      if (!loaded) {
        listed.push_back({candidate.path, nullptr, loaded.error().message});
        continue;
      }
      if (auto named = find_named(candidate.kind, candidate.name, candidate.path); !named) {
        listed.push_back({candidate.path, nullptr, named.error().message});
        continue;
      }
      for (const auto* plugin : (*loaded)->plugins) listed.push_back({candidate.path, plugin, {}});
    }
  }
  return listed;
}

std::string path_of(const cdcrt_plugin* plugin) { return Registry::instance().path_of(plugin); }

}  // namespace cdcrt::plugin
