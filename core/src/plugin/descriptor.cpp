#include "plugin/descriptor.hpp"

#include <array>
#include <cctype>
#include <set>
#include <string>
#include <string_view>

#include "plugin/search.hpp"

namespace cdcrt::plugin {
namespace {

constexpr uint32_t kMostPlugins = 256;
constexpr uint32_t kMostOptions = 4096;
// Keys of a component's table that the host answers itself.
constexpr std::array<std::string_view, 7> kReserved = {"plugin", "format", "batch", "retry", "enabled", "parallelism", "labels"};

Error refuse(std::string reason, std::string hint = {}) { return make_error(CDCRT_UNREACHABLE, std::move(reason), std::move(hint)); }

Error broken(const std::string& what) {
  return refuse("has a broken descriptor: " + what, "this is a fault of the plugin: tell its author, or build it with the SDK's macro");
}

std::string version(unsigned major, unsigned minor) { return std::to_string(major) + "." + std::to_string(minor); }

bool is_name(std::string_view name) {
  for (const char c : name) {
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) return false;
  }
  return !name.empty() && name.size() <= 64 && name.front() != '-' && name.back() != '-';
}

template <class Functions>
const char* missing_function(const Functions* functions);

template <>
const char* missing_function(const cdcrt_source* functions) {
  if (functions->size != sizeof *functions) return "size";
  if (functions->create == nullptr) return "create";
  if (functions->seek == nullptr) return "seek";
  if (functions->start == nullptr) return "start";
  if (functions->poll == nullptr) return "poll";
  if (functions->fetch == nullptr) return "fetch";
  if (functions->commit == nullptr) return "commit";
  if (functions->extent == nullptr) return "extent";
  if (functions->stop == nullptr) return "stop";
  return functions->destroy == nullptr ? "destroy" : nullptr;
}

template <>
const char* missing_function(const cdcrt_format* functions) {
  if (functions->size != sizeof *functions) return "size";
  if (functions->create == nullptr) return "create";
  if (functions->decode == nullptr) return "decode";
  return functions->destroy == nullptr ? "destroy" : nullptr;
}

template <>
const char* missing_function(const cdcrt_sink* functions) {
  if (functions->size != sizeof *functions) return "size";
  if (functions->create == nullptr) return "create";
  if (functions->open == nullptr) return "open";
  if (functions->close == nullptr) return "close";
  if (functions->begin == nullptr) return "begin";
  if (functions->commit == nullptr) return "commit";
  if (functions->rollback == nullptr) return "rollback";
  if (functions->describe == nullptr) return "describe";
  if (functions->change == nullptr) return "change";
  if (functions->write == nullptr) return "write";
  if (functions->read == nullptr) return "read";
  return functions->destroy == nullptr ? "destroy" : nullptr;
}

const char* missing_in(const cdcrt_plugin& plugin) {
  switch (plugin.kind) {
    case CDCRT_SOURCE:
      return missing_function(static_cast<const cdcrt_source*>(plugin.functions));
    case CDCRT_FORMAT:
      return missing_function(static_cast<const cdcrt_format*>(plugin.functions));
    default:
      return missing_function(static_cast<const cdcrt_sink*>(plugin.functions));
  }
}

Result<void> check_options(const cdcrt_option* options, uint32_t count, const std::string& table) {
  if (count > kMostOptions) return broken(std::to_string(count) + " options in its " + table);
  if (count > 0 && options == nullptr) return broken("its " + table + " is missing");
  std::set<std::string_view> seen;
  for (uint32_t i = 0; i < count; ++i) {
    const auto& option = options[i];
    if (option.size != sizeof option || option.key == nullptr || option.key[0] == '\0') {
      return broken("option " + std::to_string(i + 1) + " of its " + table + " has no key or the wrong size");
    }
    const std::string_view key = option.key;
    const std::string quoted = "option '" + std::string(key) + "' ";
    if (option.doc == nullptr) return broken(quoted + "has no documentation");
    if (option.type < CDCRT_OPTION_STRING || option.type > CDCRT_OPTION_PATHS)
      return broken(quoted + "is of unknown type " + std::to_string(option.type));
    if (option.type == CDCRT_OPTION_ENUM && (option.enum_values == nullptr || option.enum_values[0] == nullptr))
      return broken(quoted + "lists no values");
    if (!seen.insert(key).second) return broken(quoted + "is declared twice");
    const std::string_view first = key.substr(0, key.find('.'));
    for (const auto reserved : kReserved) {
      if (first == reserved) return broken(quoted + "takes the name '" + std::string(reserved) + "', which belongs to the host");
    }
  }
  return {};
}

// A route may say nothing of it, so that nothing can be required.
Result<void> check_layout_options(const cdcrt_sink& sink) {
  if (auto checked = check_options(sink.layout_options, sink.layout_option_count, "layout option table"); !checked) return checked;
  for (uint32_t i = 0; i < sink.layout_option_count; ++i) {
    if ((sink.layout_options[i].flags & CDCRT_OPTION_REQUIRED) != 0) {
      return broken("layout option '" + std::string(sink.layout_options[i].key) + "' is required, which none may be");
    }
  }
  return {};
}

Result<void> check_descriptor(const cdcrt_plugin& plugin) {
  if (plugin.abi_major != CDCRT_ABI_MAJOR || plugin.abi_minor != CDCRT_ABI_MINOR) {
    return refuse(
        "speaks plugin ABI " + version(plugin.abi_major, plugin.abi_minor) + ", this cdcrt speaks " +
            version(CDCRT_ABI_MAJOR, CDCRT_ABI_MINOR),
        "until ABI 1.0 both must be equal: rebuild the plugin with this cdcrt's headers, or take the build that belongs to this cdcrt");
  }
  if (plugin.size != sizeof plugin)
    return broken("its size is " + std::to_string(plugin.size) + " instead of " + std::to_string(sizeof plugin));
  if (plugin.kind < CDCRT_SOURCE || plugin.kind > CDCRT_SINK)
    return broken("kind " + std::to_string(plugin.kind) + " is none of source, format and sink");
  if (plugin.name == nullptr || !is_name(plugin.name)) {
    return broken("its name must be 1 to 64 lower-case letters, digits and '-': " +
                  (plugin.name == nullptr ? std::string("(none)") : "'" + std::string(plugin.name) + "'"));
  }
  if (plugin.version == nullptr || plugin.version[0] == '\0') return broken("it has no version");
  if (plugin.functions == nullptr) return broken("its function table is missing");
  if (const char* missing = missing_in(plugin)) {
    return broken("its function table " + (std::string_view(missing) == "size" ? "has the wrong size" : "lacks " + std::string(missing)));
  }
  if (plugin.kind == CDCRT_SINK) {
    if (auto checked = check_layout_options(*static_cast<const cdcrt_sink*>(plugin.functions)); !checked) return checked;
  }
  return check_options(plugin.options, plugin.option_count, "option table");
}

}  // namespace

Result<void> check_descriptors(const cdcrt_plugin* const* plugins, uint32_t count) {
  if (plugins == nullptr || count == 0 || count > kMostPlugins) return broken("it lists " + std::to_string(count) + " plugins");
  for (uint32_t i = 0; i < count; ++i) {
    if (plugins[i] == nullptr) return broken("entry " + std::to_string(i + 1) + " of its list is empty");
    if (auto checked = check_descriptor(*plugins[i]); !checked) return checked;
  }
  return {};
}

}  // namespace cdcrt::plugin
