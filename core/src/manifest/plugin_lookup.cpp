#include "manifest/plugin_lookup.hpp"

#include "plugin/registry.hpp"

namespace cdcrt::manifest {

std::function<Result<const cdcrt_plugin*>(uint32_t, const std::string&)> registry_lookup(const std::string& manifest_folder,
                                                                                         const std::vector<std::string>& plugin_dirs) {
  return [places = plugin::search_places(manifest_folder, plugin_dirs)](uint32_t kind, const std::string& name) {
    return plugin::find(kind, name, places);
  };
}

}  // namespace cdcrt::manifest
