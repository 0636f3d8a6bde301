#include "manifest/option_reader.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "diagnostics/codes.hpp"
#include "diagnostics/text.hpp"
#include "manifest/composition.hpp"
#include "manifest/toml_text.hpp"
#include "plugin/former_keys.hpp"

namespace cdcrt::manifest {
namespace {

using diagnostics::quote;

std::span<const cdcrt_option> options_of(const cdcrt_plugin& plugin) {
  return {plugin.options, plugin.options == nullptr ? 0 : plugin.option_count};
}

/// A bound as it would be written in a manifest.
std::string bound(double value, uint16_t type) {
  struct Unit {
    const char* name;
    double factor;
  };
  static constexpr Unit kTimes[] = {{"h", 3.6e9}, {"min", 6e7}, {"s", 1e6}, {"ms", 1e3}, {"us", 1}};
  static constexpr Unit kSizes[] = {{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}};
  const std::span<const Unit> units = type == CDCRT_OPTION_DURATION ? std::span<const Unit>(kTimes) : std::span<const Unit>(kSizes);
  std::string suffix;
  if (type == CDCRT_OPTION_DURATION || type == CDCRT_OPTION_BYTES) {
    for (const Unit& unit : units) {
      suffix = unit.name;
      if (std::fmod(value, unit.factor) == 0 && value >= unit.factor) {
        value /= unit.factor;
        break;
      }
    }
  }
  char text[64];
  std::snprintf(text, sizeof text, "%.15g", value);
  return text + suffix;
}

/// Keys of a map are somebody else's, a driver's: what nobody here knows may be a secret, misspelt or not.
void cover_members(const Node& map, diagnostics::SourceTexts& texts) {
  static constexpr std::array<std::string_view, 7> kHarmless = {"driver", "server", "servername", "host", "port", "database", "dsn"};
  for (const Entry& entry : map.entries) {
    const auto is_key = [&](std::string_view key) { return diagnostics::equal_but_for_case(key, entry.key); };
    const bool shown = std::any_of(kHarmless.begin(), kHarmless.end(), is_key);
    if (!shown && !entry.value.is_table()) texts.mask(entry.value.position);
  }
}

class OptionReader {
 public:
  OptionReader(const cdcrt_plugin& plugin, std::span<const cdcrt_option> table, const OptionContext& context)
      : plugin_(plugin), context_(context) {
    for (const cdcrt_option& option : table) {
      Options::Value value;
      value.option = &option;
      values_.push_back(std::move(value));
    }
  }

  void read_level(TableReader& reader, const std::string& prefix) {
    for (const auto& value : values_) {
      if (plugin::table_of(value.option->key) == prefix) read_former_keys(reader, *value.option);
    }
    std::set<std::string> opened;
    for (auto& value : values_) {
      const std::string_view key = value.option->key;
      if (!key.starts_with(prefix)) continue;
      const std::string_view rest = key.substr(prefix.size());
      const std::size_t dot = rest.find('.');
      if (dot == std::string_view::npos) {
        read_option(reader, std::string(rest), value);
        continue;
      }
      const std::string table(rest.substr(0, dot));
      if (!opened.insert(table).second) continue;
      if (prefix.empty() && table == context_.shared_name && context_.shared != nullptr) {
        read_level(*context_.shared, table + ".");
        continue;
      }
      const Entry* entry = reader.take_table(table);
      Node absent;
      absent.position = reader.table().position;
      TableReader nested(entry == nullptr ? absent : entry->value, reader.path() + "." + table, reader.report());
      read_level(nested, prefix + table + ".");
      nested.finish();
    }
  }

  Options take() { return {context_.component, context_.pipeline, std::move(values_)}; }

 private:
  static bool is_secret(const cdcrt_option& option, std::string_view name) {
    return (option.flags & CDCRT_OPTION_SECRET) != 0 || diagnostics::names_a_secret(name);
  }

  /// No message may show what stands there and may be a secret.
  static void cover(const Node& node, const cdcrt_option& option, std::string_view name, diagnostics::SourceTexts& texts) {
    if (is_secret(option, name)) texts.mask(node.position);
    if (option.type == CDCRT_OPTION_MAP) cover_members(node, texts);
  }

  static void read_former_keys(TableReader& reader, const cdcrt_option& option) {
    const std::string_view key = option.key, prefix = plugin::table_of(key), name = key.substr(prefix.size());
    for (std::string_view former : plugin::former_keys(option)) {
      former.remove_prefix(prefix.size());
      // Where both names are given, the value of this one is read by nobody.
      if (const Entry* entry = reader.renamed(former, name)) cover(entry->value, option, name, reader.report().texts());
    }
  }

  void read_option(TableReader& reader, const std::string& name, Options::Value& value) {
    const cdcrt_option& option = *value.option;
    if ((option.flags & CDCRT_OPTION_NOT_YET) != 0) {
      reader.not_yet(name);
      return;
    }
    if (const Entry* entry = reader.take(name)) {
      cover(entry->value, option, name, reader.report().texts());
      value.position = entry->value.position;
      value.is_set = convert(entry->value, {name, reader.report(), is_secret(option, name)}, value);
      return;
    }
    if (option.default_value != nullptr) {
      if (context_.with_defaults) set_default(reader, name, value);
    } else if ((option.flags & CDCRT_OPTION_REQUIRED) != 0) {
      std::string help = option.doc == nullptr ? "" : option.doc;
      if (option.example != nullptr) help = "for instance " + name + " = " + example(option);
      if (!context_.missing_help.empty()) help = context_.missing_help;
      reader.missing(name, help);
    }
  }

  /// As an author writes it: quotes only where TOML needs them.
  static std::string example(const cdcrt_option& option) {
    const std::string text = option.example;
    const bool bare = option.type == CDCRT_OPTION_INTEGER || option.type == CDCRT_OPTION_FLOAT || option.type == CDCRT_OPTION_BOOLEAN ||
                      text.starts_with('[') || text.starts_with('{') || text.starts_with('"');
    return bare ? text : "\"" + text + "\"";
  }

  void set_default(TableReader& reader, const std::string& name, Options::Value& value) {
    const cdcrt_option& option = *value.option;
    const std::string text = option.default_value;
    Report trial;
    Node node;
    node.kind = Node::Kind::kString;
    node.text = node.written = text;
    node.loose = true;
    const bool many = option.type == CDCRT_OPTION_LIST || option.type == CDCRT_OPTION_PATHS || option.type == CDCRT_OPTION_MAP;
    if (many && (text.starts_with('[') || text.starts_with('{'))) {
      if (auto parsed = parse_toml("default", "v = " + text, trial)) node = parsed->entries.front().value;
    } else if (many) {
      node.kind = option.type == CDCRT_OPTION_MAP ? Node::Kind::kTable : Node::Kind::kArray;
      if (option.type != CDCRT_OPTION_MAP && !text.empty()) {
        Node item;
        item.kind = Node::Kind::kString;
        item.text = item.written = text;
        node.items.push_back(std::move(item));
      }
    }
    value.is_set = convert(node, {name, trial, false}, value);
    const auto problems = trial.take();
    if (problems.empty()) return;
    reader.report().error(diagnostics::kBrokenOptionTable, reader.table().position,
                          std::string("plugin ") + quote(plugin_.name) + " declares a default for " + quote(option.key) +
                              " that its own table refuses: " + problems.front().message,
                          "report this to the plugin's author");
  }

  bool in_range(double number, const Node& node, const Field& field, const cdcrt_option& option) {
    const bool has_minimum = (option.flags & CDCRT_OPTION_MINIMUM) != 0, has_maximum = (option.flags & CDCRT_OPTION_MAXIMUM) != 0;
    if ((!has_minimum || number >= option.minimum) && (!has_maximum || number <= option.maximum)) return true;
    const std::string minimum = bound(option.minimum, option.type), maximum = bound(option.maximum, option.type);
    refuse_value(node, field, diagnostics::kBadValue,
                 has_minimum && has_maximum ? "must be between " + minimum + " and " + maximum
                 : has_minimum              ? "must be at least " + minimum
                                            : "must be at most " + maximum);
    return false;
  }

  bool convert_integer(const Node& node, const Field& field, Options::Value& value) {
    const auto type = value.option->type;
    const auto number = type == CDCRT_OPTION_INTEGER    ? read_integer(node, field)
                        : type == CDCRT_OPTION_DURATION ? read_duration(node, field)
                                                        : read_bytes(node, field);
    if (!number || !in_range(static_cast<double>(*number), node, field, *value.option)) return false;
    value.integer = *number;
    return true;
  }

  bool convert(const Node& node, const Field& field, Options::Value& value) {
    const cdcrt_option& option = *value.option;
    switch (option.type) {
      case CDCRT_OPTION_STRING: return convert_string(node, field, value);
      case CDCRT_OPTION_PATH: {
        if (!convert_string(node, field, value)) return false;
        if (value.string.empty()) {
          refuse_value(node, field, diagnostics::kBadValue, "must not be empty");
          return false;
        }
        if (value.string != "-") value.string = absolute_path(value.string, context_.folder);
        return true;
      }
      case CDCRT_OPTION_INTEGER:
      case CDCRT_OPTION_DURATION:
      case CDCRT_OPTION_BYTES: return convert_integer(node, field, value);
      case CDCRT_OPTION_FLOAT: {
        const auto number = read_real(node, field);
        if (!number || !in_range(*number, node, field, option)) return false;
        value.real = *number;
        return true;
      }
      case CDCRT_OPTION_BOOLEAN: {
        const auto flag = read_boolean(node, field);
        value.integer = flag.value_or(false) ? 1 : 0;
        return flag.has_value();
      }
      case CDCRT_OPTION_ENUM: {
        std::vector<std::string> allowed;
        for (const char* const* name = option.enum_values; name != nullptr && *name != nullptr; ++name) allowed.emplace_back(*name);
        std::vector<std::string> later;
        for (const LaterValue& each : context_.later) {
          if (each.key == option.key) later.emplace_back(each.value);
        }
        const auto choice = read_choice(node, field, allowed, later);
        if (choice) value.string = allowed[*choice];
        return choice.has_value();
      }
      case CDCRT_OPTION_LIST: {
        auto list = read_list(node, field);
        if (list) value.strings = std::move(*list);
        return list.has_value();
      }
      case CDCRT_OPTION_MAP: {
        const auto pairs = read_map(node, field);
        if (!pairs) return false;
        for (const auto& [key, text] : *pairs) value.strings.insert(value.strings.end(), {key, text});
        return true;
      }
      case CDCRT_OPTION_PATHS: return convert_paths(node, field, value);
      default:
        field.report.error(
            diagnostics::kBrokenOptionTable, node.position,
            std::string("plugin ") + quote(plugin_.name) + " declares " + quote(option.key) + " with a type that does not exist",
            "report this to the plugin's author");
        return false;
    }
  }

  bool convert_string(const Node& node, const Field& field, Options::Value& value) {
    auto text = read_string(node, field);
    if (text) value.string = std::move(*text);
    return text.has_value();
  }

  bool convert_paths(const Node& node, const Field& field, Options::Value& value) {
    std::optional<std::vector<std::string>> paths;
    if (node.kind == Node::Kind::kArray) {
      paths = read_list(node, field);
    } else if (auto path = read_string(node, field)) {
      paths.emplace().push_back(std::move(*path));
    }
    if (!paths) return false;
    for (const std::string& path : *paths) {
      if (path.empty()) {
        refuse_value(node, field, diagnostics::kBadValue, "must not hold an empty path");
        return false;
      }
      if (path == "-") {
        value.strings.push_back(path);
        continue;
      }
      auto matches = expand(path, context_.folder);
      // A glob without matches goes on as it is: the plugin says that there is no such file.
      if (matches.empty()) matches.push_back(path);
      for (const auto& match : matches) value.strings.push_back(absolute_path(match, context_.folder));
    }
    return true;
  }

  const cdcrt_plugin& plugin_;
  const OptionContext& context_;
  std::vector<Options::Value> values_;
};

}  // namespace

Options read_options(TableReader& reader, const cdcrt_plugin& plugin, const OptionContext& context) {
  return read_options(reader, plugin, options_of(plugin), context);
}

Options read_options(TableReader& reader, const cdcrt_plugin& plugin, std::span<const cdcrt_option> table, const OptionContext& context) {
  OptionReader options(plugin, table, context);
  options.read_level(reader, "");
  return options.take();
}

const Entry* find_given(const Node& table, const cdcrt_option& option) {
  const Entry* entry = table.find(option.key);
  for (const std::string_view former : plugin::former_keys(option)) {
    if (entry == nullptr) entry = table.find(former);
  }
  return entry;
}

bool declares(const cdcrt_plugin& plugin, std::string_view key) {
  for (const cdcrt_option& option : options_of(plugin)) {
    const std::string_view known = option.key;
    if (known == key || (known.starts_with(key) && known.size() > key.size() && known[key.size()] == '.')) return true;
  }
  return false;
}

}  // namespace cdcrt::manifest
