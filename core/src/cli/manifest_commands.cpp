#include "cli/manifest_commands.hpp"

#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "cli/amazon_secrets.hpp"
#include "cli/complaint.hpp"
#include "cli/exit_code.hpp"
#include "cli/plugin_checks.hpp"
#include "diagnostics/renderer.hpp"
#include "diagnostics/suggestion.hpp"
#include "diagnostics/text.hpp"
#include "manifest/loader.hpp"
#include "route/router.hpp"
#include "runtime/log.hpp"

namespace cdcrt::cli {
namespace {

using diagnostics::json_string;
using diagnostics::printable;
using diagnostics::quote;

std::string count(std::size_t number, const std::string& singular) {
  return std::to_string(number) + " " + singular + (number == 1 ? "" : "s");
}

/// Elements by `one`, between brackets.
template <class Items, class One>
std::string json_list(const Items& items, One one) {
  std::string text = "[";
  for (const auto& item : items) text += (text.size() == 1 ? "" : ",") + one(item);
  return text + "]";
}

void print_json(const manifest::Manifest& manifest) {
  // Without its closing brace.
  std::string begin = diagnostics::render_json(manifest.warnings);
  begin.resize(begin.rfind('}'));
  std::cout << begin << ",\"pipeline\":" << json_string(manifest.pipeline) << ",\"sources\":"
            << json_list(manifest.sources,
                         [](const manifest::Source& source) {
                           return "{\"name\":" + json_string(source.name) + ",\"plugin\":" + json_string(source.descriptor->name) +
                                  ",\"format\":" + json_string(source.format.descriptor->name) + "}";
                         })
            << ",\"sinks\":"
            << json_list(manifest.sinks,
                         [](const manifest::Sink& sink) {
                           return "{\"name\":" + json_string(sink.name) + ",\"plugin\":" + json_string(sink.descriptor->name) + "}";
                         })
            << ",\"routes\":"
            << json_list(manifest.routes,
                         [](const route::Route& route) {
                           return "{\"name\":" + json_string(route.name) + ",\"sink\":" + json_string(route.sink) +
                                  ",\"match\":" + json_list(route.match, [](const std::string& text) { return json_string(text); }) +
                                  ",\"table\":" + json_string(route.table) + "}";
                         })
            << "}\n";
}

void print_text(const manifest::Manifest& manifest) {
  std::cout << printable(manifest.path) << ": ok\npipeline " << printable(manifest.pipeline) << ": "
            << count(manifest.sources.size(), "source") << ", " << count(manifest.sinks.size(), "sink") << ", "
            << count(manifest.routes.size(), "route") << "\n";
  for (const auto& source : manifest.sources) {
    std::cout << "  source " << source.name << ": " << source.descriptor->name << ", format " << source.format.descriptor->name << "\n";
  }
  for (const auto& sink : manifest.sinks) {
    std::cout << "  sink " << sink.name << ": " << sink.descriptor->name << ", " << count(sink.connections, "connection") << "\n";
  }
  if (manifest.routes.empty()) std::cout << "  no routes: every table goes to sink " << manifest.defaults.sink << "\n";
  for (const auto& route : manifest.routes) {
    std::cout << "  route " << printable(route.name) << ":";
    for (const auto& pattern : route.match) std::cout << " " << printable(pattern);
    std::cout << " -> " << route.sink << (route.table.empty() ? "" : ", table " + printable(route.table)) << "\n";
  }
}

/// Up to three parts, the last one the table's. A name with more dots keeps them in its table.
bool split(const std::string& name, route::SourceTable& table) {
  std::vector<std::string_view> parts;
  std::string_view rest = name;
  while (parts.size() < 2 && rest.find('.') != std::string_view::npos) {
    parts.push_back(rest.substr(0, rest.find('.')));
    rest.remove_prefix(parts.back().size() + 1);
  }
  parts.push_back(rest);
  for (const auto& part : parts) {
    if (part.empty()) return false;
  }
  table.table = parts.back();
  if (parts.size() == 2) table.schema = parts[0];
  if (parts.size() == 3) {
    table.database = parts[0];
    table.schema = parts[1];
  }
  return true;
}

}  // namespace

std::optional<manifest::Manifest> load_or_explain(const ManifestArguments& arguments, int& exit_code, Secrets secrets) {
  manifest::LoadRequest request;
  request.files = arguments.files;
  request.sets = arguments.sets;
  request.stop = arguments.stop;
  request.secret_kinds = amazon_secrets;
  request.read_secrets = secrets != Secrets::kCheck;
  if (secrets == Secrets::kReadOfProcess) request.only = "runtime";
  auto loaded = manifest::load(request);
  if (loaded.manifest) {
    // Beside the answer, which others may read.
    if (!loaded.diagnostics.empty() && arguments.json_logs) {
      runtime::start_log("info", true);
      runtime::log_diagnostics(loaded.diagnostics);
    } else if (!loaded.diagnostics.empty()) {
      std::cerr << diagnostics::render(loaded.diagnostics, *loaded.texts, diagnostics::wants_colour(STDERR_FILENO));
    }
    return std::move(loaded.manifest);
  }
  if (arguments.json_logs) {
    runtime::start_log("info", true);
    runtime::log_diagnostics(loaded.diagnostics);
  }
  if (arguments.json_output) {
    std::cout << diagnostics::render_json(loaded.diagnostics);
  } else if (!arguments.json_logs) {
    std::cerr << diagnostics::render(loaded.diagnostics, *loaded.texts, diagnostics::wants_colour(STDERR_FILENO));
  }
  exit_code = loaded.environment_error ? kEnvironment : kManifestOrUsage;
  return std::nullopt;
}

int validate(const ManifestArguments& arguments, bool probe) {
  int exit_code = kDone;
  const auto manifest = load_or_explain(arguments, exit_code, probe ? Secrets::kRead : Secrets::kCheck);
  if (!manifest) return exit_code;
  const PluginChecks checks = probe ? probe_plugins(*manifest) : check_plugins(*manifest);
  if (arguments.json_output && checks.exit_code != kDone) {
    std::cout << diagnostics::render_json(checks.diagnostics);
  } else if (!checks.diagnostics.empty()) {
    std::cerr << diagnostics::render(checks.diagnostics, *manifest->texts, diagnostics::wants_colour(STDERR_FILENO));
  }
  if (checks.exit_code != kDone) return checks.exit_code;
  if (arguments.json_output) {
    print_json(*manifest);
  } else {
    print_text(*manifest);
  }
  return kDone;
}

int explain_route(const ManifestArguments& arguments, const std::string& name, const std::string& topic, const std::string& source) {
  int exit_code = kDone;
  const auto manifest = load_or_explain(arguments, exit_code, Secrets::kCheck);
  if (!manifest) return exit_code;
  route::SourceTable table;
  if (!split(name, table))
    return complain(quote(name) + " is not the name of a table", "write table, schema.table or database.schema.table");
  std::vector<std::string> names;
  for (const auto& known : manifest->sources) names.push_back(known.name);
  table.source = source.empty() ? std::string_view(names.front()) : std::string_view(source);
  if (!source.empty() && std::find(names.begin(), names.end(), source) == names.end()) {
    return complain("there is no source " + quote(source), diagnostics::did_you_mean(source, names));
  }
  table.topic = topic;
  route::Router router(*manifest);
  const auto found = router.route(table);
  if (!found) return complain(found.error().message, found.error().hint);
  if (*found == nullptr) {
    std::cout << (arguments.json_output ? "{\"table\":" + json_string(name) + ",\"route\":null}\n"
                                        : printable(name) + ": no route matches; the table is ignored (unmatched_tables = \"ignore\")\n");
    return kDone;
  }
  const route::Route& taken = **found;
  const std::string pattern = router.matching_pattern(taken, table);
  const auto target = router.target_for(taken, table, true);
  if (!target) return complain(target.error().message, target.error().hint);
  const std::vector<std::string>& key = taken.primary_key.empty() ? taken.fallback_key : taken.primary_key;
  if (arguments.json_output) {
    std::cout << "{\"table\":" << json_string(name) << ",\"route\":" << json_string(taken.name) << ",\"pattern\":" << json_string(pattern)
              << ",\"sink\":" << json_string(taken.sink) << ",\"target_schema\":" << json_string(target->schema)
              << ",\"target_table\":" << json_string(target->table)
              << (key.empty() ? std::string() : ",\"key\":" + json_list(key, [](const std::string& text) { return json_string(text); }))
              << "}\n";
    return kDone;
  }
  std::cout << printable(name) << ": ";
  if (manifest->routes.empty()) {
    std::cout << "no routes, so every table is taken\n";
  } else {
    std::cout << "route " << printable(taken.name) << " by pattern " << quote(pattern) << "\n";
  }
  std::cout << "  sink   " << taken.sink << "\n  table  " << printable(target->table) << "\n";
  if (!target->schema.empty()) std::cout << "  schema " << printable(target->schema) << " (where the target has schemas)\n";
  if (!key.empty()) {
    std::string columns;
    for (const auto& column : key) columns += (columns.empty() ? "" : ", ") + column;
    std::cout << "  key    " << printable(columns)
              << (taken.primary_key.empty() ? " where events name none, by " + quote(taken.key_rule) + " of primary_keys" : "") << "\n";
  }
  return kDone;
}

}  // namespace cdcrt::cli
