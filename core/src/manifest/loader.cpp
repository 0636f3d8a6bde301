#include "manifest/loader.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "diagnostics/codes.hpp"
#include "diagnostics/suggestion.hpp"
#include "diagnostics/text.hpp"
#include "manifest/component_error.hpp"
#include "manifest/component_reader.hpp"
#include "manifest/composition.hpp"
#include "manifest/host_options.hpp"
#include "manifest/option_reader.hpp"
#include "manifest/plugin_lookup.hpp"
#include "manifest/route_reader.hpp"
#include "plugin/former_keys.hpp"

namespace cdcrt::manifest {
namespace {

using diagnostics::quote;

// Where dead letters go without a sink of their own.
constexpr const char *kFile = "file", *kTable = "table";

/// Every value below a key that names a secret, whatever the table: shown nowhere.
void cover_secrets(const Node& node, bool covered, diagnostics::SourceTexts& texts) {
  if (covered && !node.is_table()) texts.mask(node.position);
  for (const Entry& entry : node.entries) cover_secrets(entry.value, covered || diagnostics::names_a_secret(entry.key), texts);
  for (const Node& item : node.items) cover_secrets(item, covered, texts);
}

void read_pipeline(TableReader& top, Manifest& manifest) {
  constexpr const char* kHelp = "add [pipeline] with name = \"...\": the progress in the target is kept under this name";
  const Entry* entry = top.take_table("pipeline");
  if (entry == nullptr) {
    if (top.table().find("pipeline") == nullptr) {
      top.report().error(diagnostics::kMissingKey, top.table().position, "missing key 'name' in [pipeline]", kHelp);
    }
    return;
  }
  TableReader reader(entry->value, "pipeline", top.report());
  read_pipeline_keys(reader, kHelp, manifest);
  reader.finish();
}

void read_runtime(TableReader& top, Manifest& manifest) {
  const Entry* entry = top.take_table("runtime");
  if (entry == nullptr) return;
  TableReader reader(entry->value, "runtime", top.report());
  manifest.runtime = read_runtime_keys(reader, manifest.folder);
  reader.finish();
}

std::string process_name() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0 || host[0] == '\0') return "host-" + std::to_string(::getpid());
  return std::string(host.data()) + "-" + std::to_string(::getpid());
}

/// A name as part of a file's name.
std::string as_file_name(std::string name) {
  for (char& letter : name) {
    if (letter == '/' || letter == '\\' || static_cast<unsigned char>(letter) < 0x20) letter = '_';
  }
  return name == "." || name == ".." ? "_" : name;
}

/// nullopt: an unknown placeholder, put into `wrong`.
std::optional<std::string> expand_path(const std::string& path, const Manifest& manifest, const std::string& process, std::string& wrong) {
  std::string result;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const std::size_t end = path[i] == '{' ? path.find('}', i) : std::string::npos;
    if (end == std::string::npos) {
      result += path[i];
      continue;
    }
    const std::string name = path.substr(i + 1, end - i - 1);
    if (name == "pipeline") {
      result += as_file_name(manifest.pipeline);
    } else if (name == "process") {
      result += process;
    } else {
      wrong = name;
      return std::nullopt;
    }
    i = end;
  }
  return result;
}

const cdcrt_option* place_of(const cdcrt_plugin& plugin) {
  const auto* end = plugin.options + plugin.option_count;
  const auto* found =
      std::find_if(plugin.options, end, [](const cdcrt_option& option) { return (option.flags & CDCRT_OPTION_PLACE) != 0; });
  return found == end ? nullptr : found;
}

/// `key` may be a table of options that are shared.
bool shares(const cdcrt_plugin& plugin, const std::string& key) {
  return std::any_of(plugin.options, plugin.options + plugin.option_count, [&](const cdcrt_option& option) {
    if ((option.flags & CDCRT_OPTION_SHARED) == 0) return false;
    const auto former = plugin::former_keys(option);
    return option.key == key || std::string_view(option.key).starts_with(key + ".") ||
           std::find(former.begin(), former.end(), key) != former.end();
  });
}

// What takes dead letters, as a source, where there is one of its name: what reads them back connects as what wrote them.
std::optional<Component> dead_letter_log(const Node& settings, const Component& dead_letters, const ComponentContext& context,
                                         Report& report) {
  const cdcrt_plugin& sink = *dead_letters.descriptor;
  const Entry* place = find_given(settings, *place_of(sink));
  const auto descriptor = context.find_plugin(CDCRT_SOURCE, sink.name);
  if (report.has_errors() || !descriptor || place_of(**descriptor) == nullptr) return std::nullopt;
  Node named;
  named.kind = Node::Kind::kString;
  // As the sink itself has it: where it was not given, it may have a default.
  const auto& values = dead_letters.options.values();
  const auto own = std::find_if(values.begin(), values.end(), [&](const auto& value) { return value.option == place_of(sink); });
  named.text = named.written =
      own != values.end() && own->is_set && !own->string.empty() ? own->string : context.pipeline + ".dead_letters";
  named.position = settings.position;
  Node source = settings;
  std::erase_if(source.entries, [&](const Entry& entry) { return !shares(**descriptor, entry.key); });
  Node list;
  list.kind = Node::Kind::kArray;
  list.position = place == nullptr ? settings.position : place->value.position;
  list.items.push_back(place == nullptr ? named : place->value);
  source.entries.push_back({place_of(**descriptor)->key, list.position, list});
  TableReader reader(source, "dead_letters", report);
  Component log;
  log.name = "dead_letters";
  log.plugin = sink.name;
  log.descriptor = *descriptor;
  log.position = settings.position;
  log.options = read_options(reader, **descriptor, {log.name, context.pipeline, context.folder});
  return log;
}

// Where what a run keeps beside the target goes when nothing else is said: the manifest's folder, but a program does not write below /etc.
std::string state_folder(const Manifest& manifest) {
  if (manifest.folder != "/etc" && !manifest.folder.starts_with("/etc/")) return "";
  return "/var/lib/cdcrt/" + std::filesystem::path(manifest.path).stem().string() + "/";
}

void read_dead_letters(TableReader& top, const ComponentContext& context, Manifest& manifest) {
  dead_letters::Settings& dead_letters = manifest.dead_letters;
  std::string path = state_folder(manifest) + "dead_letters/{pipeline}-{process}.jsonl";
  const Entry* path_entry = nullptr;
  if (const Entry* entry = top.take_table("dead_letters")) {
    dead_letters.position = entry->position;
    TableReader reader(entry->value, "dead_letters", top.report());
    const Entry* plugin = reader.take("plugin");
    const auto name = plugin == nullptr ? std::nullopt : read_string(plugin->value, reader.field("plugin"));
    if (name && *name != kFile)
      dead_letters.kind = *name == kTable ? dead_letters::Settings::Kind::kTable : dead_letters::Settings::Kind::kSink;
    read_budget_keys(reader, dead_letters);
    if (dead_letters.kind == dead_letters::Settings::Kind::kFile) {
      path_entry = reader.take("path");
      if (path_entry != nullptr) {
        if (const auto given = read_string(path_entry->value, reader.field("path"))) path = *given;
        if (path.empty()) refuse_value(path_entry->value, reader.field("path"), diagnostics::kBadValue, "must not be empty");
      }
    } else {
      reader.belongs_elsewhere("path", "a path is for plugin = \"file\"");
    }
    if (dead_letters.kind == dead_letters::Settings::Kind::kSink) {
      dead_letters.sink.name = "dead_letters";
      dead_letters.sink.position = entry->position;
      dead_letters.sink.plugin = *name;
      auto found = context.find_plugin(CDCRT_SINK, dead_letters.sink.plugin);
      const auto near = diagnostics::nearest(*name, {kFile, kTable});
      if (found ? place_of(**found) == nullptr : near.has_value()) {
        refuse_value(plugin->value, reader.field("plugin"), diagnostics::kBadValue,
                     "must be file, table or a sink that can keep dead letters, not " + quote(*name),
                     near ? "did you mean " + quote(*near) + "?" : "");
        return;  // its options are not known
      }
      if (found) {
        dead_letters.sink.descriptor = *found;
        dead_letters.sink.options = read_options(reader, **found, {dead_letters.sink.name, context.pipeline, context.folder});
        dead_letters.log = dead_letter_log(entry->value, dead_letters.sink, context, top.report());
      } else {
        auto diagnostic = diagnostic_of(diagnostics::kPluginNotFound, plugin->value.position, found.error());
        top.report().error(diagnostic.code, diagnostic.position, diagnostic.message, diagnostic.help, diagnostic.notes);
        return;  // its options are not known
      }
    }
    reader.finish();
  }
  std::string wrong;
  if (const auto expanded = expand_path(path, manifest, as_file_name(process_name()), wrong)) {
    dead_letters.path = absolute_path(*expanded, manifest.folder);
    dead_letters.pattern = absolute_path(*expand_path(path, manifest, "*", wrong), manifest.folder);
  } else if (path_entry != nullptr) {
    refuse_value(path_entry->value, {"path", top.report()}, diagnostics::kBadTemplate,
                 "has an unknown placeholder " + quote("{" + wrong + "}"), diagnostics::did_you_mean(wrong, {"pipeline", "process"}));
  }
}

Manifest read(const Node& root, const LoadRequest& request, const std::string& folder, Report& report) {
  Manifest manifest;
  manifest.path = request.files.front();
  manifest.folder = folder;
  cover_secrets(root, false, report.texts());
  TableReader top(root, "", report);
  read_pipeline(top, manifest);
  read_runtime(top, manifest);
  ComponentContext context;
  context.pipeline = manifest.pipeline;
  context.folder = folder;
  context.stop = request.stop;
  context.find_plugin = request.find_plugin ? request.find_plugin : registry_lookup(folder, manifest.runtime.plugin_dirs);
  manifest.sources = read_sources(top, context);
  manifest.sinks = read_sinks(top, context);
  read_routes(top, manifest.sinks, manifest);
  read_dead_letters(top, context, manifest);
  top.belongs_elsewhere("include", "write include in a file, or give a second --manifest");
  top.finish();
  return manifest;
}

Result<Options> options_of(const LoadRequest& request, const std::string& component) {
  LoadRequest own = request;
  own.only = component;
  const auto again = load(own);
  if (!again.manifest) {
    const auto& problems = again.diagnostics;
    return problems.empty()
               ? make_error(CDCRT_BAD_CONFIG, "the manifest cannot be read")
               : make_error(again.environment_error ? CDCRT_RETRY : CDCRT_BAD_CONFIG, problems.front().message, problems.front().help);
  }
  for (const auto& source : again.manifest->sources)
    if ("sources." + source.name == component) return source.options;
  for (const auto& sink : again.manifest->sinks)
    if ("sinks." + sink.name == component) return sink.options;
  if (component == "dead_letters" && again.manifest->dead_letters.sink.descriptor != nullptr)
    return again.manifest->dead_letters.sink.options;
  return make_error(CDCRT_BAD_CONFIG, "the manifest has no [" + component + "] any more");
}

/// Lets a component be read again whose values may change while it runs.
void let_renew(Component& component, const std::string& name, const References& references, const LoadRequest& request) {
  const auto changing = references.changing.find(name);
  if (changing == references.changing.end()) return;
  component.options.good_until = changing->second;
  component.renew = [request, name] { return options_of(request, name); };
}

}  // namespace

Loaded load(const LoadRequest& request) {
  Loaded loaded;
  Report report;
  loaded.texts = report.shared_texts();
  if (request.files.empty()) {
    report.error(diagnostics::kFileUnreadable, {}, "no manifest given", "cdcrt --manifest FILE.toml");
    loaded.diagnostics = report.take();
    return loaded;
  }
  const std::string parent = std::filesystem::path(request.files.front()).parent_path().string();
  std::error_code error;
  const std::string here = std::filesystem::current_path(error).string();
  std::string folder = absolute_path(parent.empty() ? "." : parent, error ? "." : here);
  if (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
  References references;
  if (request.secret_kinds) references.kinds = request.secret_kinds();
  references.read_secrets = request.read_secrets;
  references.only = request.only;
  if (const auto root = compose(request.files, request.sets, folder, references, report)) {
    Manifest manifest = read(*root, request, folder, report);
    manifest.texts = loaded.texts;
    for (auto& source : manifest.sources) let_renew(source, "sources." + source.name, references, request);
    for (auto& sink : manifest.sinks) let_renew(sink, "sinks." + sink.name, references, request);
    if (manifest.dead_letters.sink.descriptor != nullptr) let_renew(manifest.dead_letters.sink, "dead_letters", references, request);
    if (!report.has_errors()) loaded.manifest = std::move(manifest);
  }
  loaded.diagnostics = report.take();
  if (loaded.manifest) loaded.manifest->warnings = loaded.diagnostics;
  loaded.environment_error =
      !loaded.manifest && std::all_of(loaded.diagnostics.begin(), loaded.diagnostics.end(), [](const diagnostics::Diagnostic& diagnostic) {
        return diagnostic.severity == diagnostics::Severity::kWarning || diagnostics::is_environment_code(diagnostic.code);
      });
  return loaded;
}

}  // namespace cdcrt::manifest
