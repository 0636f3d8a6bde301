#include "plugin/descriptor.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "cdcrt/sdk/elements.hpp"
#include "plugin/former_keys.hpp"
#include "plugin/search.hpp"

namespace cdcrt::plugin {
namespace {

constexpr uint32_t kMaxPlugins = 256;
constexpr uint32_t kMaxOptions = 4096;
constexpr uint32_t kMax = 64 << 10;  // bytes of a descriptor, a table of functions, an option
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

// As long as in the oldest version that is spoken here or longer, in whole members, and no noise.
bool is_size(uint32_t size, uint32_t oldest) { return size >= oldest && size % alignof(void*) == 0 && size <= kMax; }

Error wrong_size(const std::string& what, uint32_t size, uint32_t oldest) {
  return broken(what + " has the size " + std::to_string(size) + ", which no version of the ABI gives it (at least " +
                std::to_string(oldest) + ")");
}

/// What the host keeps of one descriptor.
struct Adopted {
  cdcrt_plugin plugin{};
  cdcrt_source source{};
  cdcrt_format format{};
  cdcrt_sink sink{};
  std::vector<cdcrt_option> options, layout_options;
};

template <class Functions>
const char* missing_function(const Functions* functions);

template <>
const char* missing_function(const cdcrt_source* functions) {
  if (functions->create == nullptr) return "create";
  if (functions->seek == nullptr) return "seek";
  if (functions->start == nullptr) return "start";
  if (functions->poll == nullptr) return "poll";
  if (functions->fetch == nullptr) return "fetch";
  if (functions->commit == nullptr) return "commit";
  if (functions->extent == nullptr) return "extent";
  if (functions->stop == nullptr) return "stop";
  const bool groups = (functions->capabilities & CDCRT_SOURCE_GROUPS) != 0, notes = (functions->capabilities & CDCRT_SOURCE_NOTES) != 0;
  if ((groups || notes) && functions->list == nullptr) return "list";
  if ((groups || notes) && functions->origin == nullptr) return "origin";
  if (groups && functions->bounds == nullptr) return "bounds";
  if (groups && functions->offset_at == nullptr) return "offset_at";
  return functions->destroy == nullptr ? "destroy" : nullptr;
}

template <>
const char* missing_function(const cdcrt_format* functions) {
  if (functions->create == nullptr) return "create";
  if (functions->decode == nullptr) return "decode";
  return functions->destroy == nullptr ? "destroy" : nullptr;
}

template <>
const char* missing_function(const cdcrt_sink* functions) {
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

bool is_reserved(std::string_view key) {
  return std::find(kReserved.begin(), kReserved.end(), key.substr(0, key.find('.'))) != kReserved.end();
}

Result<void> check_option(const cdcrt_option& option, const std::string& quoted) {
  if (option.doc == nullptr) return broken(quoted + "has no documentation");
  if (option.type < CDCRT_OPTION_STRING || option.type > CDCRT_OPTION_PATHS)
    return broken(quoted + "is of unknown type " + std::to_string(option.type));
  if (option.type == CDCRT_OPTION_ENUM && (option.enum_values == nullptr || option.enum_values[0] == nullptr))
    return broken(quoted + "lists no values");
  const bool has_minimum = (option.flags & CDCRT_OPTION_MINIMUM) != 0, has_maximum = (option.flags & CDCRT_OPTION_MAXIMUM) != 0;
  if ((option.minimum != 0 && !has_minimum) || (option.maximum != 0 && !has_maximum))
    return broken(quoted + "has a range that its flags do not tell of (CDCRT_OPTION_MINIMUM, CDCRT_OPTION_MAXIMUM)");
  if (has_minimum && has_maximum && option.minimum > option.maximum) return broken(quoted + "has a minimum above its maximum");
  if (is_reserved(option.key)) {
    const std::string_view key = option.key;
    return broken(quoted + "takes the name '" + std::string(key.substr(0, key.find('.'))) + "', which belongs to the host");
  }
  return {};
}

/// `seen`: every name that options of the table have or had.
Result<void> check_former_keys(const cdcrt_option& option, std::set<std::string_view>& seen) {
  for (const std::string_view former : former_keys(option)) {
    const std::string quoted = "the former name '" + std::string(former) + "' of option '" + std::string(option.key) + "' ";
    if (is_reserved(former)) return broken(quoted + "belongs to the host");
    if (table_of(former) != table_of(option.key)) return broken(quoted + "is one of another table");
    if (!seen.insert(former).second) return broken(quoted + "is declared twice");
  }
  return {};
}

Result<std::vector<cdcrt_option>> adopt_options(const cdcrt_option* given, uint32_t count, const std::string& table) {
  if (count > kMaxOptions) return broken(std::to_string(count) + " options in its " + table);
  if (count > 0 && given == nullptr) return broken("its " + table + " is missing");
  std::vector<cdcrt_option> options;
  std::set<std::string_view> seen;
  const uint32_t distance = count > 0 ? given->size : 0;
  if (count > 0 && !is_size(distance, CDCRT_OPTION_SIZE_0_7))
    return wrong_size("option 1 of its " + table, distance, CDCRT_OPTION_SIZE_0_7);
  for (uint32_t i = 0; i < count; ++i) {
    const cdcrt_option& own = sdk::element(given, distance, i);
    const std::string which = "option " + std::to_string(i + 1) + " of its " + table;
    if (own.size != distance) return broken(which + " has another size than the first");
    if (own.key == nullptr || own.key[0] == '\0') return broken(which + " has no key");
    const std::string quoted = "option '" + std::string(own.key) + "' ";
    if (auto checked = check_option(own, quoted); !checked) return std::move(checked.error());
    if (!seen.insert(own.key).second) return broken(quoted + "is declared twice");
    options.push_back(sdk::own_part(&own));
  }
  for (const cdcrt_option& option : options) {
    if (auto checked = check_former_keys(option, seen); !checked) return std::move(checked.error());
  }
  return options;
}

// A route may say nothing of it, so that nothing can be required.
Result<void> adopt_layout_options(Adopted& adopted) {
  auto options = adopt_options(adopted.sink.layout_options, adopted.sink.layout_option_count, "layout option table");
  if (!options) return std::move(options.error());
  for (const cdcrt_option& option : *options) {
    if ((option.flags & CDCRT_OPTION_REQUIRED) != 0) {
      return broken("layout option '" + std::string(option.key) + "' is required, which none may be");
    }
  }
  adopted.layout_options = std::move(*options);
  adopted.sink.layout_options = adopted.layout_options.data();
  return {};
}

template <class Functions>
Result<void> adopt_functions(const cdcrt_plugin& plugin, uint32_t oldest, Functions& own) {
  const auto* given = static_cast<const Functions*>(plugin.functions);
  if (!is_size(given->size, oldest)) return wrong_size("its function table", given->size, oldest);
  own = sdk::own_part(given);
  if (const char* missing = missing_function(&own)) return broken("its function table lacks " + std::string(missing));
  return {};
}

Result<void> adopt_functions(Adopted& adopted) {
  cdcrt_plugin& plugin = adopted.plugin;
  switch (plugin.kind) {
    case CDCRT_SOURCE: {
      auto done = adopt_functions(plugin, CDCRT_SOURCE_SIZE_0_7, adopted.source);
      plugin.functions = &adopted.source;
      return done;
    }
    case CDCRT_FORMAT: {
      auto done = adopt_functions(plugin, CDCRT_FORMAT_SIZE_0_7, adopted.format);
      plugin.functions = &adopted.format;
      return done;
    }
    default: {
      auto done = adopt_functions(plugin, CDCRT_SINK_SIZE_0_7, adopted.sink);
      plugin.functions = &adopted.sink;
      return done ? adopt_layout_options(adopted) : std::move(done);
    }
  }
}

Result<void> adopt(const cdcrt_plugin& given, Adopted& adopted) {
  if (given.abi_major != CDCRT_ABI_MAJOR || given.abi_minor < CDCRT_ABI_OLDEST_MINOR || given.abi_minor > CDCRT_ABI_MINOR) {
    return refuse("speaks plugin ABI " + version(given.abi_major, given.abi_minor) + ", this cdcrt speaks " +
                      version(CDCRT_ABI_MAJOR, CDCRT_ABI_OLDEST_MINOR) + " to " + version(CDCRT_ABI_MAJOR, CDCRT_ABI_MINOR),
                  "rebuild the plugin with this cdcrt's headers, or take the build that belongs to this cdcrt");
  }
  if (!is_size(given.size, CDCRT_PLUGIN_SIZE_0_7)) return wrong_size("it", given.size, CDCRT_PLUGIN_SIZE_0_7);
  cdcrt_plugin& plugin = adopted.plugin;
  plugin = sdk::own_part(&given);
  if (plugin.kind < CDCRT_SOURCE || plugin.kind > CDCRT_SINK)
    return broken("kind " + std::to_string(plugin.kind) + " is none of source, format and sink");
  if (plugin.name == nullptr || !is_name(plugin.name)) {
    return broken("its name must be 1 to 64 lower-case letters, digits and '-': " +
                  (plugin.name == nullptr ? std::string("(none)") : "'" + std::string(plugin.name) + "'"));
  }
  if (plugin.version == nullptr || plugin.version[0] == '\0') return broken("it has no version");
  if (plugin.functions == nullptr) return broken("its function table is missing");
  if (auto done = adopt_functions(adopted); !done) return done;
  auto options = adopt_options(plugin.options, plugin.option_count, "option table");
  if (!options) return std::move(options.error());
  adopted.options = std::move(*options);
  plugin.options = adopted.options.data();
  return {};
}

}  // namespace

Result<std::vector<const cdcrt_plugin*>> adopt_descriptors(const cdcrt_plugin* const* plugins, uint32_t count) {
  if (plugins == nullptr || count == 0 || count > kMaxPlugins) return broken("it lists " + std::to_string(count) + " plugins");
  std::vector<std::unique_ptr<Adopted>> all;
  for (uint32_t i = 0; i < count; ++i) {
    if (plugins[i] == nullptr) return broken("entry " + std::to_string(i + 1) + " of its list is empty");
    if (auto done = adopt(*plugins[i], *all.emplace_back(std::make_unique<Adopted>())); !done) return std::move(done.error());
  }
  // A function of a plugin may still run while the process ends.
  static auto* const kept = new std::vector<std::unique_ptr<Adopted>>;
  std::vector<const cdcrt_plugin*> adopted;
  for (auto& each : all) {
    adopted.push_back(&each->plugin);
    kept->push_back(std::move(each));
  }
  return adopted;
}

}  // namespace cdcrt::plugin
