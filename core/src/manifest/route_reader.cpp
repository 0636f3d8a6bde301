#include "manifest/route_reader.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "diagnostics/codes.hpp"
#include "diagnostics/suggestion.hpp"
#include "diagnostics/text.hpp"
#include "manifest/column_reader.hpp"
#include "manifest/host_values.hpp"
#include "manifest/key_reader.hpp"
#include "manifest/layout_reader.hpp"
#include "manifest/route_options.hpp"
#include "route/pattern.hpp"
#include "route/target_template.hpp"

namespace cdcrt::manifest {
namespace {

using diagnostics::quote;

/// A value and where it was given.
template <class T>
struct Given {
  T value;
  Position position;
};

/// What [defaults] and a route have in common, before the first is folded into the second.
struct Settings {
  std::optional<Given<std::string>> sink, table;
  std::optional<bool> create_tables;
  std::optional<std::vector<std::string>> primary_key;
  std::optional<route::SchemaChanges> schema_changes;
  std::optional<route::Deletes> deletes;
  std::optional<route::Mode> mode;
  std::optional<route::Ordering> ordering;
  std::optional<std::chrono::microseconds> tombstone_retention;
  std::optional<std::map<route::Metadata, std::string>> metadata;
  std::vector<ColumnRule> columns;
  const Entry* layout = nullptr;
};

/// `table`: where `key` stands, the last part of `option`.
std::optional<Given<std::string>> read_name(TableReader& table, const HostValues& values, std::string_view option, std::string_view key) {
  const auto* value = values.find(option);
  if (value == nullptr) return std::nullopt;
  if (value->string.empty()) {
    refuse_value(table.take(key)->value, table.field(key), diagnostics::kBadValue, "must not be empty");
    return std::nullopt;
  }
  return Given<std::string>{value->string, value->position};
}

std::optional<std::vector<std::string>> read_primary_key(TableReader& reader, const HostValues& values) {
  const auto* value = values.find("primary_key");
  if (value == nullptr) return std::nullopt;
  std::optional columns = value->strings;
  const auto refuse = [&](const std::string& why) {
    refuse_value(reader.take("primary_key")->value, reader.field("primary_key"), diagnostics::kBadValue, why);
  };
  if (columns->empty()) refuse("must name at least one column");
  for (std::size_t i = 0; i < columns->size(); ++i) {
    if ((*columns)[i].empty()) refuse("must not hold an empty name");
    if (std::find(columns->begin(), columns->begin() + static_cast<std::ptrdiff_t>(i), (*columns)[i]) !=
        columns->begin() + static_cast<std::ptrdiff_t>(i)) {
      refuse("names " + quote((*columns)[i]) + " twice");
    }
  }
  return columns;
}

std::optional<std::map<route::Metadata, std::string>> read_metadata(TableReader& settings, const HostValues& values) {
  const Entry* entry = settings.take("metadata");
  if (entry == nullptr || !entry->value.is_table()) return std::nullopt;
  TableReader reader(entry->value, settings.path() + ".metadata", settings.report());
  std::map<route::Metadata, std::string> metadata;
  for (std::size_t i = 0; i < std::size(route::kMetadataNames); ++i) {
    const auto name = read_name(reader, values, std::string("metadata.") + route::kMetadataNames[i], route::kMetadataNames[i]);
    if (!name) continue;
    for (const auto& [other, column] : metadata) {
      if (column != name->value) continue;
      refuse_value(reader.take(route::kMetadataNames[i])->value, reader.field(route::kMetadataNames[i]), diagnostics::kBadValue,
                   "goes to column " + quote(column) + ", as " + quote(route::kMetadataNames[static_cast<std::size_t>(other)]) + " does");
    }
    metadata[static_cast<route::Metadata>(i)] = name->value;
  }
  return metadata;
}

/// `with_defaults`: keys that are not given have the values of the option table.
Settings read_settings(TableReader& reader, bool with_defaults) {
  OptionContext context;
  context.with_defaults = with_defaults;
  context.later = later_route_values();
  const HostValues values(reader, route_options(), context);
  Settings settings;
  settings.sink = read_name(reader, values, "sink", "sink");
  settings.table = read_name(reader, values, "table", "table");
  if (const auto* creates = values.find("create_tables")) settings.create_tables = creates->integer != 0;
  settings.primary_key = read_primary_key(reader, values);
  values.take_choice("mode", settings.mode);
  values.take_choice("ordering", settings.ordering);
  if (const auto* retention = values.find("tombstone_retention"))
    settings.tombstone_retention = std::chrono::microseconds(retention->integer);
  values.take_choice("deletes", settings.deletes);
  values.take_choice("schema_changes", settings.schema_changes);
  settings.metadata = read_metadata(reader, values);
  settings.columns = read_columns(reader);
  settings.layout = reader.take_table("layout");
  return settings;
}

void apply(const Settings& settings, Route& route) {
  if (settings.sink) route.sink = settings.sink->value;
  if (settings.table) route.table = settings.table->value;
  if (settings.create_tables) route.create_tables = *settings.create_tables;
  if (settings.primary_key) route.primary_key = *settings.primary_key;
  if (settings.schema_changes) route.schema_changes = *settings.schema_changes;
  if (settings.deletes) route.deletes = *settings.deletes;
  if (settings.mode) route.mode = *settings.mode;
  if (settings.ordering) route.ordering = *settings.ordering;
  if (settings.tombstone_retention) route.tombstone_retention = *settings.tombstone_retention;
  if (settings.metadata) route.metadata = *settings.metadata;
}

class RouteReader {
 public:
  RouteReader(const std::vector<Sink>& sinks, const Manifest& manifest, Report& report)
      : sinks_(sinks), report_(report), layouts_(sinks, manifest.pipeline, manifest.folder, report) {
    for (const Sink& sink : sinks) sink_names_.push_back(sink.name);
  }

  Settings read_defaults(TableReader& top, Manifest& manifest) {
    Route& route = manifest.defaults;
    route.name = "defaults";
    const Entry* entry = top.take_table("defaults");
    const Node nothing;
    if (entry != nullptr) route.position = entry->position;
    TableReader reader(entry != nullptr ? entry->value : nothing, "defaults", report_);
    for (const char* key : {"match", "except"}) {
      reader.belongs_elsewhere(key, std::string(quote(key)) + " belongs to a route: [routes.NAME]");
    }
    Settings settings = read_settings(reader, true);
    read_key_rules(reader, manifest);
    reader.finish();
    apply(settings, route);
    route.columns = settings.columns;
    layouts_.set_defaults(settings.layout);
    check_sink(settings.sink);
    if (entry != nullptr && top.take("routes") == nullptr) check_mode(route);
    return settings;
  }

  Route read_route(const Entry& entry, const Settings& defaults) {
    Route route;
    route.name = entry.key;
    route.position = entry.position;
    TableReader reader(entry.value, "routes." + entry.key, report_);
    const HostValues patterns(reader, pattern_options());
    read_patterns(reader, patterns, "match", route.match, &route.name);
    read_patterns(reader, patterns, "except", route.except, nullptr);
    const Settings settings = read_settings(reader, false);
    for (const char* key : {"primary_keys", "primary_keys_file"}) {
      reader.belongs_elsewhere(key, std::string(quote(key)) + " belongs to [defaults]; a route has primary_key = [\"id\"]");
    }
    reader.finish();
    apply(defaults, route);
    apply(settings, route);
    check_mode(route);
    route.names_target = settings.table.has_value();
    route.columns = settings.columns;
    for (const ColumnRule& rule : defaults.columns) {
      const bool overridden =
          std::any_of(route.columns.begin(), route.columns.end(), [&](const ColumnRule& own) { return own.pattern == rule.pattern; });
      if (overridden) continue;
      route.columns.push_back(rule);
      route.columns.back().of_defaults = true;
    }
    check_sink(settings.sink);
    choose_sink(route, entry.position);
    layouts_.read(settings.layout, route);
    const auto& table = settings.table ? settings.table : defaults.table;
    check_template(table, route);
    return route;
  }

  /// Source tables of two routes meet in one target table, and a table has one key.
  void check_shared_keys(const std::vector<Route>& routes) {
    const auto names_key = [](const Route& route) {
      return route.names_target && route.table.find('{') == std::string::npos && !route.primary_key.empty() &&
             route.mode != route::Mode::kAppend;
    };
    for (std::size_t i = 0; i < routes.size(); ++i) {
      for (std::size_t first = 0; first < i; ++first) {
        const Route &one = routes[first], &other = routes[i];
        if (!names_key(one) || !names_key(other) || one.sink != other.sink || one.table != other.table) continue;
        if (std::is_permutation(one.primary_key.begin(), one.primary_key.end(), other.primary_key.begin(), other.primary_key.end()))
          continue;
        report_.error(diagnostics::kBadRoute, other.position,
                      "[routes." + one.name + "] and [routes." + other.name + "] write into one table, " + quote(other.table) +
                          ", and their primary_keys differ",
                      "a table has one key: give both the same primary_key, or one of them another `table`",
                      {"the other one stands at " + place(one.position)});
        break;
      }
    }
  }

  /// Of [defaults], where they are the only route.
  void read_layout(Route& route) { layouts_.read(nullptr, route); }

  /// Where nothing names the sink there must be one only.
  void choose_sink(Route& route, const Position& position) {
    if (!route.sink.empty() || sinks_.empty()) return;
    if (sinks_.size() == 1) {
      route.sink = sinks_.front().name;
      return;
    }
    std::string names;
    for (const auto& name : sink_names_) names += (names.empty() ? "" : ", ") + name;
    report_.error(diagnostics::kSinkNotNamed, position,
                  (route.name == "defaults" ? std::string("nothing says which sink tables go to")
                                            : "route " + quote(route.name) + " does not say which sink its tables go to"),
                  "set sink in [defaults] or in the route; sinks: " + names);
  }

  void check_template(const std::optional<Given<std::string>>& table, const Route& route) {
    if (!table) return;
    const auto parsed = route::TargetTemplate::parse(table->value);
    if (!parsed) {
      report_.error(diagnostics::kBadTemplate, table->position, parsed.error().message, parsed.error().hint);
      return;
    }
    for (const auto& text : route.match) {
      const auto pattern = route::Pattern::parse(text);
      if (!pattern || pattern->capture_count() >= parsed->highest_capture()) continue;
      report_.error(diagnostics::kBadTemplate, table->position,
                    quote(table->value) + " uses {" + std::to_string(parsed->highest_capture()) + "}, and pattern " + quote(text) +
                        " of [routes." + route.name + "] captures " + std::to_string(pattern->capture_count()),
                    "{1} is the first * or group of the pattern");
    }
    if (route.match.empty() && route.name == "defaults" && parsed->highest_capture() > 0) {
      report_.error(
          diagnostics::kBadTemplate, table->position,
          quote(table->value) + " uses {" + std::to_string(parsed->highest_capture()) + "}, and there is no pattern to capture anything",
          "{1} works with [routes.NAME] match = [...]");
    }
  }

 private:
  void read_patterns(TableReader& reader, const HostValues& values, const char* key, std::vector<std::string>& patterns,
                     const std::string* owner) {
    const auto* given = values.find(key);
    if (given == nullptr) return;
    const Entry* entry = reader.take(key);
    const std::vector<std::string>& texts = given->strings;
    if (texts.empty() && owner != nullptr) {
      refuse_value(entry->value, reader.field(key), diagnostics::kBadValue, "must hold at least one pattern",
                   "for instance match = [\"sales.*\"]");
    }
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const std::string& text = texts[i];
      const Position& position = entry->value.items[i].position;
      const auto pattern = route::Pattern::parse(text);
      if (!pattern) {
        report_.error(diagnostics::kBadPattern, position, pattern.error().message, pattern.error().hint);
        continue;
      }
      patterns.push_back(text);
      if (owner == nullptr) continue;
      const auto [first, is_new] = claimed_.try_emplace(text, Claim{*owner, position});
      if (is_new || first->second.route == *owner) continue;
      report_.error(diagnostics::kRouteTie, position, "pattern " + quote(text) + " is also in [routes." + first->second.route + "]",
                    "a table goes to one route: take the pattern out of one of them, or write a more specific one",
                    {"the other one stands at " + place(first->second.position)});
    }
  }

  void check_mode(const Route& route) {
    const std::string where = route.name == "defaults" ? "[defaults]" : "[routes." + route.name + "]";
    if (route.mode == route::Mode::kAppend && !route.primary_key.empty()) {
      report_.error(diagnostics::kBadRoute, route.position, where + " has mode = \"append\" and a primary_key",
                    "in an append-only table every change is a row of its own, and none is found again by key: take primary_key out");
    }
    if (route.mode == route::Mode::kUpsert && !route.metadata.empty()) {
      report_.error(diagnostics::kNotYetAvailable, route.position,
                    where + " has metadata with mode = \"upsert\", which is not yet available", "metadata works with mode = \"append\"");
    }
  }

  void check_sink(const std::optional<Given<std::string>>& sink) {
    if (!sink || sinks_.empty() || std::find(sink_names_.begin(), sink_names_.end(), sink->value) != sink_names_.end()) return;
    report_.error(diagnostics::kUnknownSink, sink->position, "there is no sink " + quote(sink->value),
                  diagnostics::did_you_mean(sink->value, sink_names_));
  }

  struct Claim {
    std::string route;
    Position position;
  };
  const std::vector<Sink>& sinks_;
  Report& report_;
  LayoutReader layouts_;
  std::vector<std::string> sink_names_;
  std::map<std::string, Claim> claimed_;  // pattern -> who wrote it first
};

}  // namespace

void read_routes(TableReader& top, const std::vector<Sink>& sinks, Manifest& manifest) {
  RouteReader reader(sinks, manifest, top.report());
  const Settings defaults = reader.read_defaults(top, manifest);
  const Entry* routes = top.take_table("routes");
  if (routes != nullptr) {
    for (const Entry& entry : routes->value.entries) {
      if (entry.value.is_table()) {
        manifest.routes.push_back(reader.read_route(entry, defaults));
      } else {
        refuse_value(entry.value, top.field("routes." + entry.key), diagnostics::kWrongType,
                     "must be a table, not " + std::string(describe(entry.value.kind)), "name the route: [routes.NAME]");
      }
    }
  }
  for (Route& route : manifest.routes) {
    route.shares_targets = std::any_of(manifest.routes.begin(), manifest.routes.end(), [&](const Route& other) {
      return &other != &route && other.names_target && other.sink == route.sink;
    });
  }
  reader.check_shared_keys(manifest.routes);
  if (!manifest.routes.empty()) {
    if (manifest.defaults.sink.empty() && !sinks.empty()) manifest.defaults.sink = sinks.front().name;
    return;
  }
  reader.choose_sink(manifest.defaults, sinks.size() > 1 ? sinks[1].position : Position{});
  reader.read_layout(manifest.defaults);
  reader.check_template(defaults.table, manifest.defaults);
}

}  // namespace cdcrt::manifest
