#include "manifest/host_values.hpp"

#include <algorithm>

namespace cdcrt::manifest {
namespace {

/// Options are read for a plugin: this one is the host.
const cdcrt_plugin& host() {
  static const cdcrt_plugin plugin = [] {
    cdcrt_plugin made{};
    made.name = "cdcrt";
    return made;
  }();
  return plugin;
}

}  // namespace

HostValues::HostValues(TableReader& reader, std::span<const cdcrt_option> table, const OptionContext& context)
    : options_(read_options(reader, host(), table, context)) {}

const Options::Value* HostValues::find(std::string_view key) const {
  const auto found = std::find_if(options_.values().begin(), options_.values().end(),
                                  [&](const Options::Value& value) { return key == value.option->key; });
  return found == options_.values().end() || !found->is_set ? nullptr : &*found;
}

std::size_t HostValues::index_of(const Options::Value& value) {
  std::size_t index = 0;
  for (const char* const* name = value.option->enum_values; value.string != *name; ++name) ++index;
  return index;
}

}  // namespace cdcrt::manifest
