#include "cli/plugin_description.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <span>
#include <string_view>
#include <vector>

#include "diagnostics/text.hpp"
#include "plugin/former_keys.hpp"
#include "plugin/registry.hpp"

namespace cdcrt::cli {
namespace {

using diagnostics::json_string;

std::string text_of(const char* text) { return text == nullptr ? std::string() : std::string(text); }
bool has(const cdcrt_option& option, unsigned flag) { return (option.flags & flag) != 0; }

struct Capability {
  uint32_t bit;
  const char* name;
};
constexpr Capability kSourceCapabilities[] = {{CDCRT_SOURCE_REWINDS, "rewinds"}};
constexpr Capability kSinkCapabilities[] = {{CDCRT_SINK_TRANSACTIONS, "transactions"},
                                            {CDCRT_SINK_SCHEMAS, "schemas"},
                                            {CDCRT_SINK_EVENTS, "events"},
                                            {CDCRT_SINK_TABLE_LOCKS, "table locks"},
                                            {CDCRT_SINK_SAVEPOINTS, "savepoints"},
                                            {CDCRT_SINK_RESTS, "left alone while idle"},
                                            {CDCRT_SINK_LEAVES_THINGS, "keeps things outside of the target"}};

template <size_t kCount>
std::vector<std::string> names_of(uint32_t bits, const Capability (&known)[kCount]) {
  std::vector<std::string> names;
  for (const auto& capability : known) {
    if ((bits & capability.bit) != 0) names.emplace_back(capability.name);
  }
  return names;
}

std::vector<std::string> capabilities(const cdcrt_plugin& plugin) {
  if (plugin.kind == CDCRT_SOURCE) return names_of(static_cast<const cdcrt_source*>(plugin.functions)->capabilities, kSourceCapabilities);
  if (plugin.kind == CDCRT_SINK) return names_of(static_cast<const cdcrt_sink*>(plugin.functions)->capabilities, kSinkCapabilities);
  return {};
}

/// Of a route's `layout`.
std::span<const cdcrt_option> layout_options(const cdcrt_plugin& plugin) {
  if (plugin.kind != CDCRT_SINK) return {};
  const auto& sink = *static_cast<const cdcrt_sink*>(plugin.functions);
  return {sink.layout_options, sink.layout_option_count};
}

const char* type_name(uint16_t type) {
  switch (type) {
    case CDCRT_OPTION_STRING: return "string";
    case CDCRT_OPTION_INTEGER: return "integer";
    case CDCRT_OPTION_FLOAT: return "number";
    case CDCRT_OPTION_BOOLEAN: return "boolean";
    case CDCRT_OPTION_DURATION: return "duration";
    case CDCRT_OPTION_BYTES: return "size";
    case CDCRT_OPTION_ENUM: return "enum";
    case CDCRT_OPTION_LIST: return "list";
    case CDCRT_OPTION_MAP: return "table";
    case CDCRT_OPTION_PATH: return "path";
    case CDCRT_OPTION_PATHS: return "paths";
    default: return "unknown";
  }
}

std::string join(const std::vector<std::string>& parts, const std::string& between) {
  std::string joined;
  for (const auto& part : parts) joined += (joined.empty() ? "" : between) + part;
  return joined;
}

std::vector<std::string> values_of(const cdcrt_option& option) {
  std::vector<std::string> values;
  for (const char* const* value = option.enum_values; value != nullptr && *value != nullptr; ++value) values.emplace_back(*value);
  return values;
}

std::string number(double value) {
  char text[32];
  const bool is_whole = value == std::floor(value) && std::fabs(value) < 1e15;
  const auto done =
      is_whole ? std::to_chars(text, text + sizeof text, static_cast<int64_t>(value)) : std::to_chars(text, text + sizeof text, value);
  return {text, done.ptr};
}

/// In the unit an operator would write.
std::string quantity(double value, uint16_t type) {
  struct Unit {
    double size;
    const char* name;
  };
  static constexpr Unit kSizes[] = {{1099511627776.0, "TiB"}, {1073741824.0, "GiB"}, {1048576.0, "MiB"}, {1024.0, "KiB"}};
  static constexpr Unit kDurations[] = {{86400e6, "d"}, {3600e6, "h"}, {60e6, "min"}, {1e6, "s"}, {1e3, "ms"}, {1, "us"}};
  const auto in = [&](const auto& units, const char* smallest) {
    for (const auto& unit : units) {
      const double count = value / unit.size;
      if (count >= 1 && count == static_cast<double>(static_cast<int64_t>(count))) return number(count) + unit.name;
    }
    return number(value) + smallest;
  };
  if (type == CDCRT_OPTION_BYTES) return in(kSizes, "B");
  if (type == CDCRT_OPTION_DURATION) return in(kDurations, "us");
  return number(value);
}

std::string range_of(const cdcrt_option& option) {
  const std::string minimum = quantity(option.minimum, option.type), maximum = quantity(option.maximum, option.type);
  if (has(option, CDCRT_OPTION_MINIMUM)) return has(option, CDCRT_OPTION_MAXIMUM) ? minimum + " to " + maximum : "at least " + minimum;
  return has(option, CDCRT_OPTION_MAXIMUM) ? "at most " + maximum : std::string();
}

std::vector<std::string> marks_of(const cdcrt_option& option) {
  std::vector<std::string> marks;
  if (has(option, CDCRT_OPTION_REQUIRED)) marks.emplace_back("required");
  if (has(option, CDCRT_OPTION_SECRET)) marks.emplace_back("secret");
  if (has(option, CDCRT_OPTION_ADVANCED)) marks.emplace_back("advanced");
  if (has(option, CDCRT_OPTION_NOT_YET)) marks.emplace_back("not yet available");
  return marks;
}

/// As a manifest takes it: quotes where TOML needs them.
std::string example_of(const cdcrt_option& option) {
  const std::string text = option.example;
  const bool is_number = text.find_first_not_of("0123456789") == std::string::npos;
  const bool bare = (is_number && (option.type == CDCRT_OPTION_BYTES || option.type == CDCRT_OPTION_DURATION)) ||
                    option.type == CDCRT_OPTION_INTEGER || option.type == CDCRT_OPTION_FLOAT || option.type == CDCRT_OPTION_BOOLEAN ||
                    (!text.empty() && std::string_view("[{\"'").find(text.front()) != std::string_view::npos &&
                     (option.type != CDCRT_OPTION_STRING || text.front() == '"'));
  return bare ? text : json_string(text);
}

/// Words of `text` in lines of at most 100 characters.
std::string wrapped(std::string_view text, const std::string& indent) {
  constexpr size_t kWidth = 100;
  std::string out, line;
  while (!text.empty()) {
    const size_t end = std::min(text.find_first_of(" \n"), text.size());
    const auto word = text.substr(0, end);
    if (!word.empty()) {
      if (!line.empty() && line.size() + 1 + word.size() > kWidth) {
        out += indent + line + "\n";
        line.clear();
      }
      line += (line.empty() ? "" : " ") + std::string(word);
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return line.empty() ? out : out + indent + line + "\n";
}

std::string abi_of(const cdcrt_plugin& plugin) { return std::to_string(plugin.abi_major) + "." + std::to_string(plugin.abi_minor); }

std::string text_of(std::span<const cdcrt_option> options) {
  std::string out;
  for (const cdcrt_option& option : options) {
    out += "  " + std::string(option.key) + " (" +
           (option.type == CDCRT_OPTION_ENUM ? join(values_of(option), " | ") : type_name(option.type));
    for (const auto& mark : marks_of(option)) out += ", " + mark;
    if (option.default_value != nullptr) out += ", default " + std::string(option.default_value);
    if (const auto range = range_of(option); !range.empty()) out += ", " + range;
    out += ")\n" + wrapped(option.doc, "      ");
    if (option.example != nullptr) out += "      example: " + std::string(option.key) + " = " + example_of(option) + "\n";
    for (const auto former : plugin::former_keys(option)) out += "      deprecated: its former name " + std::string(former) + "\n";
  }
  return out;
}

std::string as_text(const cdcrt_plugin& plugin, const std::string& path) {
  std::string out = std::string(plugin::kind_name(plugin.kind)) + " " + plugin.name + " " + plugin.version + "\n";
  if (const auto summary = text_of(plugin.summary); !summary.empty()) out += "  " + summary + "\n";
  out += "\n  file:         " + path + "\n  plugin ABI:   " + abi_of(plugin) + "\n";
  if (const auto license = text_of(plugin.license); !license.empty()) out += "  license:      " + license + "\n";
  if (const auto can = capabilities(plugin); !can.empty()) out += "  capabilities: " + join(can, ", ") + "\n";
  if (plugin.option_count > 0) out += "\noptions\n" + text_of({plugin.options, plugin.option_count});
  if (const auto layout = layout_options(plugin); !layout.empty())
    out += "\nlayout options of a route: [routes.NAME.layout]\n" + text_of(layout);
  if (const auto notes = text_of(plugin.notes); !notes.empty()) out += "\n" + notes + (notes.back() == '\n' ? "" : "\n");
  return out;
}

std::string json_list(const std::vector<std::string>& items) {
  std::vector<std::string> quoted;
  for (const auto& item : items) quoted.push_back(json_string(item));
  return "[" + join(quoted, ",") + "]";
}

std::string json_option(const cdcrt_option& option) {
  std::string out = "{\"key\":" + json_string(option.key) + ",\"type\":" + json_string(type_name(option.type));
  const auto flag = [&](const char* name, unsigned bit) {
    out += std::string(",\"") + name + "\":" + (has(option, bit) ? "true" : "false");
  };
  flag("required", CDCRT_OPTION_REQUIRED);
  flag("secret", CDCRT_OPTION_SECRET);
  flag("advanced", CDCRT_OPTION_ADVANCED);
  flag("not_yet", CDCRT_OPTION_NOT_YET);
  out += ",\"default\":" + (option.default_value == nullptr ? "null" : json_string(option.default_value));
  out += ",\"example\":" + (option.example == nullptr ? "null" : json_string(example_of(option)));
  if (option.type == CDCRT_OPTION_ENUM) out += ",\"values\":" + json_list(values_of(option));
  if (has(option, CDCRT_OPTION_MINIMUM)) out += ",\"minimum\":" + number(option.minimum);
  if (has(option, CDCRT_OPTION_MAXIMUM)) out += ",\"maximum\":" + number(option.maximum);
  std::vector<std::string> former;
  for (const auto key : plugin::former_keys(option)) former.emplace_back(key);
  if (!former.empty()) out += ",\"former_keys\":" + json_list(former);
  return out + ",\"doc\":" + json_string(option.doc) + "}";
}

std::string json_options(std::span<const cdcrt_option> options) {
  std::vector<std::string> listed;
  for (const cdcrt_option& option : options) listed.push_back(json_option(option));
  return "[" + join(listed, ",") + "]";
}

std::string as_json(const cdcrt_plugin& plugin, const std::string& path) {
  return "{\"kind\":" + json_string(plugin::kind_name(plugin.kind)) + ",\"name\":" + json_string(plugin.name) +
         ",\"version\":" + json_string(plugin.version) + ",\"abi\":" + json_string(abi_of(plugin)) + ",\"path\":" + json_string(path) +
         ",\"summary\":" + json_string(text_of(plugin.summary)) + ",\"license\":" + json_string(text_of(plugin.license)) +
         ",\"capabilities\":" + json_list(capabilities(plugin)) + ",\"options\":" + json_options({plugin.options, plugin.option_count}) +
         ",\"layout_options\":" + json_options(layout_options(plugin)) +
         ",\"notes\":" + (plugin.notes == nullptr ? "null" : json_string(plugin.notes)) + "}\n";
}

/// For a cell of a table: no line ends, no column ends.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string code(std::string_view text) { return "`" + cell(text) + "`"; }

}  // namespace

std::string options_markdown(std::span<const cdcrt_option> options) {
  std::string out = "| option | type | default | meaning |\n|---|---|---|---|\n";
  for (const cdcrt_option& option : options) {
    std::vector<std::string> values;
    for (const auto& value : values_of(option)) values.push_back(code(value));
    out += "| " + code(option.key) + " | " + (option.type == CDCRT_OPTION_ENUM ? join(values, ", ") : type_name(option.type)) + " | ";
    if (option.default_value != nullptr)
      out += code(option.default_value);
    else if (has(option, CDCRT_OPTION_REQUIRED))
      out += "**required**";
    out += " | " + cell(option.doc);
    if (const auto range = range_of(option); !range.empty()) {
      const bool ends = has(option, CDCRT_OPTION_MINIMUM) && has(option, CDCRT_OPTION_MAXIMUM);
      out += ends ? " From " + range + "." : " A" + range.substr(1) + ".";
    }
    if (option.example != nullptr) out += " Example: " + code(example_of(option)) + ".";
    if (has(option, CDCRT_OPTION_SECRET)) out += " Secret: never printed.";
    if (has(option, CDCRT_OPTION_NOT_YET)) out += " Not yet available.";
    out += " |\n";
    for (const auto former : plugin::former_keys(option)) {
      out += "| " + code(former) + " | | | Deprecated: former name of " + code(option.key) + ", still read, with a warning. |\n";
    }
  }
  return out;
}

namespace {

std::string as_markdown(const cdcrt_plugin& plugin) {
  const std::string kind(plugin::kind_name(plugin.kind));
  std::string out = "<!-- Generated by `cdcrt plugin describe " + kind + "-" + plugin.name +
                    " --output markdown`; see scripts/generate_reference. -->\n# The " + kind + " `" + plugin.name + "`\n\n";
  if (const auto summary = text_of(plugin.summary); !summary.empty()) out += summary + ".\n\n";
  out += "Version " + std::string(plugin.version) + ", plugin ABI " + abi_of(plugin);
  if (const auto can = capabilities(plugin); !can.empty()) out += ", capabilities: " + join(can, ", ");
  out += ".\n";
  if (plugin.option_count > 0) out += "\n## Options\n" + options_markdown({plugin.options, plugin.option_count});
  if (const auto layout = layout_options(plugin); !layout.empty()) {
    out +=
        "\n## Layout options\nHow a target table is laid out when it is made: `[routes.NAME.layout]`, or `[defaults.layout]` for all "
        "routes. Columns are named as in the target.\n\n" +
        options_markdown(layout);
  }
  if (const auto notes = text_of(plugin.notes); !notes.empty()) out += "\n" + notes + (notes.back() == '\n' ? "" : "\n");
  return out;
}

}  // namespace

std::string describe(const cdcrt_plugin& plugin, const std::string& path, DescriptionFormat format) {
  if (format == DescriptionFormat::kJson) return as_json(plugin, path);
  return format == DescriptionFormat::kMarkdown ? as_markdown(plugin) : as_text(plugin, path);
}

}  // namespace cdcrt::cli
