// Option tables as JSON Schema, for editors that check TOML by it.
#include <map>
#include <string_view>
#include <vector>

#include "cli/plugin_description.hpp"
#include "diagnostics/text.hpp"
#include "plugin/former_keys.hpp"

namespace cdcrt::cli {
namespace {

using diagnostics::json_string;

bool is_marked(const cdcrt_option& option, unsigned flag) { return (option.flags & flag) != 0; }

/// Any value may also be a text: with a reference in it, or a number as one.
std::string schema_type(const cdcrt_option& option) {
  switch (option.type) {
    case CDCRT_OPTION_INTEGER:
    case CDCRT_OPTION_BYTES:
    case CDCRT_OPTION_DURATION: return R"("type":["integer","string"])";
    case CDCRT_OPTION_FLOAT: return R"("type":["number","string"])";
    case CDCRT_OPTION_BOOLEAN: return R"("type":["boolean","string"])";
    case CDCRT_OPTION_LIST: return R"("type":"array","items":{"type":"string"})";
    case CDCRT_OPTION_PATHS: return R"("type":["array","string"],"items":{"type":"string"})";
    case CDCRT_OPTION_MAP: return R"("type":"object")";
    default: return R"("type":"string")";
  }
}

std::string schema_property(const cdcrt_option& option) {
  std::string out = "{" + schema_type(option) + ",\"description\":" + json_string(option.doc);
  if (option.default_value != nullptr) out += ",\"default\":" + json_string(option.default_value);
  if (option.type == CDCRT_OPTION_ENUM) {
    out += ",\"anyOf\":[{\"enum\":[";
    for (const char* const* value = option.enum_values; value != nullptr && *value != nullptr; ++value) {
      out += (value == option.enum_values ? "" : ",") + json_string(*value);
    }
    out += "]},{\"pattern\":\"[$][{]\"}]";  // or a reference
  }
  // Bounds of durations are microseconds, which nobody writes as a bare number.
  if (option.type == CDCRT_OPTION_INTEGER || option.type == CDCRT_OPTION_BYTES) {
    if (is_marked(option, CDCRT_OPTION_MINIMUM)) out += ",\"minimum\":" + std::to_string(static_cast<int64_t>(option.minimum));
    if (is_marked(option, CDCRT_OPTION_MAXIMUM)) out += ",\"maximum\":" + std::to_string(static_cast<int64_t>(option.maximum));
  }
  return out + "}";
}

/// A table with its keys and the tables below it, in the order in which they are declared first.
struct SchemaLevel {
  std::vector<std::string> order;
  std::map<std::string, const cdcrt_option*, std::less<>> keys;
  std::map<std::string, SchemaLevel, std::less<>> tables;

  void add(std::string_view key, const cdcrt_option& option) {
    const std::size_t dot = key.find('.');
    const std::string first(key.substr(0, dot));
    if (!keys.contains(first) && !tables.contains(first)) order.push_back(first);
    if (dot == std::string_view::npos) {
      keys[first] = &option;
    } else {
      tables[first].add(key.substr(dot + 1), option);
    }
  }

  [[nodiscard]] std::string schema(bool open, std::span<const char* const> required) const {
    std::string properties;
    std::string needed;
    const auto need = [&](std::string_view key) { needed += (needed.empty() ? "" : ",") + json_string(key); };
    for (const char* const key : required) {
      properties += (properties.empty() ? "" : ",") + json_string(key) + R"(:{"type":"string"})";
      need(key);
    }
    for (const std::string& key : order) {
      const auto found = keys.find(key);
      properties += (properties.empty() ? "" : ",") + json_string(key) + ":" +
                    (found != keys.end() ? schema_property(*found->second) : tables.at(key).schema(open, {}));
      if (found == keys.end()) continue;
      for (std::string_view former : plugin::former_keys(*found->second)) {
        former.remove_prefix(plugin::table_of(former).size());
        properties +=
            "," + json_string(former) + R"(:{"deprecated":true,"description":)" + json_string("Former name of `" + key + "`.") + "}";
      }
      if (is_marked(*found->second, CDCRT_OPTION_REQUIRED)) need(key);
    }
    return "{\"type\":\"object\",\"additionalProperties\":" + std::string(open ? "true" : "false") +
           (needed.empty() ? "" : ",\"required\":[" + needed + "]") + ",\"properties\":{" + properties + "}}";
  }
};

}  // namespace

std::string options_schema(std::span<const cdcrt_option> options, bool open, std::span<const char* const> required) {
  SchemaLevel top;
  for (const cdcrt_option& option : options) top.add(option.key, option);
  return top.schema(open, required);
}

}  // namespace cdcrt::cli
