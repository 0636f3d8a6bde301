#include "cli/doctor_command.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>

#include "cli/amazon_secrets.hpp"
#include "cli/clock_checks.hpp"
#include "cli/doctor_report.hpp"
#include "cli/exit_code.hpp"
#include "cli/machine_checks.hpp"
#include "cli/plugin_probe.hpp"
#include "cli/target_trial.hpp"
#include "dead_letters/destination.hpp"
#include "diagnostics/renderer.hpp"
#include "diagnostics/text.hpp"
#include "manifest/component_error.hpp"
#include "manifest/loader.hpp"
#include "plugin/instance.hpp"
#include "progress/store.hpp"

namespace cdcrt::cli {
namespace {

using diagnostics::quote;
using diagnostics::Severity;

std::string count(std::size_t number, const char* singular) { return std::to_string(number) + " " + singular + (number == 1 ? "" : "s"); }

/// The schema of a template's tables where it is the same for all of them: "shop" of "shop.{table}".
std::optional<std::string> fixed_schema(const std::string& target) {
  const std::size_t dot = target.find('.');
  if (dot == std::string::npos || target.find_first_of("{}") < dot) return std::nullopt;
  return target.substr(0, dot);
}

/// Of no other process, here or elsewhere, now or before.
std::string name_of_process() {
  std::random_device random;
  std::array<char, 32> text{};
  (void)std::snprintf(text.data(), text.size(), "doctor:%08x%08x", random(), random());
  return text.data();
}

std::string list_of(const std::set<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + quote(name);
  return text;
}

class Doctor {
 public:
  Doctor(const ManifestArguments& arguments, DoctorReport& report) : arguments_(arguments), report_(report) {}

  int run() {
    const auto checked = load(Secrets::kCheck, "manifest");
    if (!checked) return report_.finish();
    report_.ok("manifest", checked->path + ": pipeline " + quote(checked->pipeline) + ", " + count(checked->sources.size(), "source") +
                               ", " + count(checked->sinks.size(), "sink") + ", " + count(checked->routes.size(), "route"));
    tell_plugins(*checked);
    check_memory(*checked, {}, report_);
    check_disk(*checked, report_);
    const auto manifest = load(Secrets::kRead, "secrets");
    std::vector<uint64_t> files;
    if (manifest) {
      report_.ok("secrets", "everything that the manifest refers to can be read");
      for (const auto& source : manifest->sources) files.push_back(check(source));
    }
    check_files(*checked, files, report_);
    if (!manifest) return report_.finish();
    for (const auto& sink : manifest->sinks) check(sink, *manifest);
    check_dead_letters(*manifest);
    return report_.finish();
  }

 private:
  std::optional<manifest::Manifest> load(Secrets secrets, const char* subject) {
    manifest::LoadRequest request;
    request.files = arguments_.files;
    request.sets = arguments_.sets;
    request.secret_kinds = amazon_secrets;
    request.read_secrets = secrets == Secrets::kRead;
    auto loaded = manifest::load(request);
    for (const auto& diagnostic : loaded.diagnostics) {
      if (diagnostic.severity == Severity::kWarning) {
        if (secrets == Secrets::kCheck) report_.warn(subject, diagnostic);
      } else {
        report_.fail(loaded.environment_error && secrets == Secrets::kCheck ? "plugins" : subject, diagnostic,
                     loaded.environment_error ? kEnvironment : kManifestOrUsage);
      }
    }
    return std::move(loaded.manifest);
  }

  void tell_plugins(const manifest::Manifest& manifest) {
    std::set<std::string> names;
    const auto add = [&](const plugin::Component& component) { names.insert(component.descriptor->name); };
    for (const auto& source : manifest.sources) {
      add(source);
      add(source.format);
    }
    for (const auto& sink : manifest.sinks) add(sink);
    report_.ok("plugins", list_of(names) + " are loaded");
  }

  void fail(const std::string& subject, const plugin::Component& component, const Error& error) {
    auto diagnostic = manifest::diagnostic_for(component, error);
    if (error.code != CDCRT_BAD_CONFIG) diagnostic.position = {};
    // Somebody holds it for a moment, as a run does: a start waits for that.
    if (error.code == CDCRT_BUSY) return report_.warn(subject, diagnostic);
    report_.fail(subject, diagnostic, exit_code_of(manifest::ending_of(error)) == kManifestOrUsage ? kManifestOrUsage : kEnvironment);
  }

  /// About as many files as a run has open for it; 0: not known.
  uint64_t check(const manifest::Source& source) {
    const std::string subject = "source " + source.name;
    if (auto format = plugin::check(source.format); !format) fail(subject, source.format, format.error());
    auto probed = probe(source);
    if (!probed) {
      fail(subject, source, probed.error());
      return 0;
    }
    report_.ok(subject, probed->partitions == 0
                            ? "it can be read"
                            : "it can be reached: " + count(probed->partitions, "partition") + " of " + count(probed->topics, "topic"));
    for (const Error& warning : probed->warnings) report_.warn(subject, manifest::diagnostic_for(source, warning));
    return probed->files;
  }

  void check(const manifest::Sink& manifest, const manifest::Manifest& all) {
    const std::string subject = "sink " + manifest.name, process = name_of_process();
    auto probed = probe(manifest, all.pipeline, process);
    if (!probed) return fail(subject, manifest, probed.error());
    if (!probed->sink.has(CDCRT_SINK_TRANSACTIONS)) {
      return report_.ok(subject, "it can be reached; it keeps no progress: each start gives it everything again");
    }
    report_.ok(subject,
               "it can be reached; " + (probed->kept_version == 0 ? std::string("it keeps no progress yet, the first start begins it")
                                                                  : "it keeps progress in format " + std::to_string(probed->kept_version)));
    if (auto clocks = probed->connection.clocks()) {
      check_clocks(subject, *clocks, report_);
    } else {
      report_.warn("clock", manifest::diagnostic_for(manifest, clocks.error()));
    }
    try_rights(subject, manifest, all, *probed);
    if (!probed->sink.has(CDCRT_SINK_LEAVES_THINGS)) return;
    if (auto gone = probed->sink.abandoned(process); !gone) fail(subject, manifest, gone.error());
  }

  void try_rights(const std::string& subject, const manifest::Sink& manifest, const manifest::Manifest& all, SinkProbe& probed) {
    const bool leaves_things = probed.sink.has(CDCRT_SINK_LEAVES_THINGS);
    const std::string how = " can be made, altered and written" + std::string(leaves_things ? ", by files too" : "") +
                            " (tried in a transaction that was taken back)";
    if (!probed.sink.has(CDCRT_SINK_SCHEMAS)) {
      if (auto tried = try_schema(probed.connection, "", leaves_things); !tried) return refuse(subject, manifest, "", tried.error(), true);
      return report_.ok(subject, "tables" + how);
    }
    bool named_by_source = false;
    const std::map<std::string, bool> schemas = schemas_of(manifest, all, probed, named_by_source);
    std::set<std::string> fine;
    for (const auto& [schema, is_needed] : schemas) {
      auto tried = try_schema(probed.connection, schema, leaves_things && fine.empty());
      if (tried) {
        fine.insert(schema);
      } else {
        refuse(subject, manifest, schema, tried.error(), is_needed);
      }
      if (probed.connection.is_broken()) return;
    }
    if (!fine.empty())
      report_.ok(subject, "in " + std::string(fine.size() == 1 ? "schema " : "schemas ") + list_of(fine) + " tables" + how);
    if (!named_by_source) return;
    if (auto tried = try_schema(probed.connection, "cdcrt_doctor_" + std::to_string(::getpid()), false); !tried) {
      report_.warn(
          subject, "it cannot make schemas: " + manifest::diagnostic_for(manifest, tried.error()).message,
          "schemas that are named by the source (a route without `table`) have to be there before the first row of theirs, or the user needs "
          "the right to make them");
    }
  }

  /// Those that are known, and whether a start has to make tables there: of the progress, of routes that name one, of tables that were
  /// written before.
  std::map<std::string, bool> schemas_of(const manifest::Sink& manifest, const manifest::Manifest& all, SinkProbe& probed,
                                         bool& named_by_source) {
    const bool is_prepared = probed.kept_version == progress::Store::own_version();
    std::map<std::string, bool> schemas{{manifest.progress_schema, !is_prepared}};
    const auto take = [&](const route::Route& route) {
      if (route.sink != manifest.name) return;
      if (const auto schema = fixed_schema(route.table)) {
        schemas[*schema] |= route.create_tables;
      } else {
        named_by_source |= route.create_tables;
      }
    };
    for (const auto& route : all.routes) take(route);
    if (all.routes.empty()) take(all.defaults);
    if (!is_prepared) return schemas;
    progress::Store store(all.pipeline, manifest.name, manifest.progress_schema, probed.sink.capabilities(), {});
    auto stored = store.read_all(probed.connection);
    if (!stored) {
      report_.warn("sink " + manifest.name, "its progress cannot be read: " + stored.error().message, stored.error().hint);
      return schemas;
    }
    for (const auto& [target, table] : stored->tables) {
      if (const std::size_t dot = target.find('.'); dot != std::string::npos) schemas[target.substr(0, dot)] = false;
    }
    return schemas;
  }

  void refuse(const std::string& subject, const manifest::Sink& manifest, const std::string& schema, const Error& error, bool is_needed) {
    Error unplaced = error;
    unplaced.config_key.clear();  // it is no setting that is wrong
    auto diagnostic = manifest::diagnostic_for(manifest, unplaced);
    diagnostic.position = {};
    const std::string where = schema.empty() ? std::string() : "in schema " + quote(schema) + ": ";
    // Somebody else holds a lock, or the connection went: nothing is known of the rights.
    if (error.code == CDCRT_BUSY || error.code == CDCRT_RETRY) {
      return report_.warn(subject, where + "rights could not be tried: " + diagnostic.message, "try again");
    }
    diagnostic.message = where + "a table cannot be made, altered and written: " + diagnostic.message;
    if (diagnostic.help.empty()) {
      diagnostic.help = schema.empty() ? "give the user of this sink the right to make and alter tables"
                                       : "give the user of this sink the right to make and alter tables in that schema, and to make the "
                                         "schema where it is missing";
    }
    if (is_needed) return report_.fail(subject, diagnostic, kEnvironment);
    diagnostic.help = "needed for tables that are new there, not for those that are there already: " + diagnostic.help;
    report_.warn(subject, diagnostic);
  }

  void check_dead_letters(const manifest::Manifest& manifest) {
    const auto& dead_letters = manifest.dead_letters;
    using Kind = dead_letters::Settings::Kind;
    if (dead_letters.kind == Kind::kTable) return;
    plugin::Component place = dead_letters.sink;
    Result<void> checked;
    if (dead_letters.kind == Kind::kSink) {
      if (auto destination = dead_letters::to_sink(dead_letters.sink, manifest.pipeline + ".dead_letters"); !destination)
        checked = std::move(destination.error());
    } else {
      place.position = dead_letters.position;
      checked = dead_letters::to_file(dead_letters.path)->check();
    }
    if (!checked) return fail("dead letters", place, checked.error());
    report_.ok("dead letters", dead_letters.kind == Kind::kSink
                                   ? "they can be sent to " + quote(dead_letters.sink.plugin)
                                   : "they can be written to " + std::filesystem::path(dead_letters.path).parent_path().string());
  }

  const ManifestArguments& arguments_;
  DoctorReport& report_;
};

}  // namespace

int doctor(const ManifestArguments& arguments, std::ostream& out) {
  DoctorReport report(out, arguments.json_output, diagnostics::wants_colour(STDOUT_FILENO));
  return Doctor(arguments, report).run();
}

}  // namespace cdcrt::cli
