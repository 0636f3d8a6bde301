#include "manifest/component_reader.hpp"

#include <array>
#include <cerrno>

#include "diagnostics/codes.hpp"
#include "diagnostics/suggestion.hpp"
#include "diagnostics/text.hpp"
#include "manifest/component_error.hpp"
#include "manifest/host_options.hpp"
#include "manifest/option_reader.hpp"

namespace cdcrt::manifest {
namespace {

using diagnostics::quote;

/// Keys of the host that no component may use otherwise, and that later versions bring.
constexpr auto kReserved = std::to_array<const char*>({"retry", "enabled", "parallelism", "labels"});
constexpr auto kLaterSinkKeys = std::to_array<const char*>({"statement_timeout", "staging"});

bool is_good_name(std::string_view name) {
  if (name.empty() || name.size() > 64) return false;
  for (char letter : name) {
    const bool good = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9') ||
                      letter == '_' || letter == '-';
    if (!good) return false;
  }
  return true;
}

/// Finds the descriptor of what `plugin` names; reports when there is none.
const cdcrt_plugin* find_plugin(TableReader& reader, uint32_t kind, Component& component, const ComponentContext& context,
                                const char* help) {
  const Entry* entry = reader.take("plugin");
  if (entry == nullptr) {
    // A misspelt key is the likelier story than a missing one.
    for (const Entry& other : reader.table().entries) {
      if (!diagnostics::did_you_mean(other.key, {"plugin"}).empty()) {
        report_unknown(other, reader.path(), {"plugin"}, reader.report());
        return nullptr;
      }
    }
    reader.missing("plugin", help);
    return nullptr;
  }
  const auto name = read_string(entry->value, reader.field("plugin"));
  if (!name) return nullptr;
  component.plugin = *name;
  auto found = name->empty() ? Result<const cdcrt_plugin*>(make_error(CDCRT_BAD_CONFIG, "'plugin' must not be empty", help))
                             : context.find_plugin(kind, *name);
  if (found) return *found;
  const bool missing = found.error().native == ENOENT;
  const auto code = name->empty() ? diagnostics::kBadValue : missing ? diagnostics::kPluginNotFound : diagnostics::kPluginRefused;
  auto diagnostic = diagnostic_of(code, entry->value.position, found.error());
  reader.report().error(code, diagnostic.position, diagnostic.message, diagnostic.help, diagnostic.notes);
  return nullptr;
}

void refuse_reserved(TableReader& reader) {
  for (const char* key : kReserved) reader.not_yet(key);
}

/// False: reported, nothing of the component can be read.
bool begin(const Entry& entry, const std::string& section, Component& component, Report& report) {
  component.name = entry.key;
  component.position = entry.position;
  if (!entry.value.is_table()) {
    if (!entry.value.broken) {
      report.error(diagnostics::kWrongType, entry.value.position,
                   quote(section + "." + entry.key) + " must be a table, not " + std::string(describe(entry.value.kind)),
                   "name it: [" + section + ".NAME]");
    }
    return false;
  }
  if (!is_good_name(entry.key)) {
    report.error(diagnostics::kBadName, entry.position, "bad name " + quote(entry.key) + " in [" + section + "]",
                 "a name is 1 to 64 letters, digits, '_' and '-'");
  }
  return true;
}

void read_format(TableReader& reader, Source& source, const ComponentContext& context) {
  constexpr const char* kHelp = "for instance format.plugin = \"debezium-json\"";
  source.format.name = source.name;
  source.format.position = source.position;
  const Entry* entry = reader.take("format");
  if (entry == nullptr) {
    reader.missing("format.plugin", kHelp);
    return;
  }
  if (!entry->value.is_table()) {
    refuse_value(entry->value, reader.field("format"), diagnostics::kWrongType,
                 "must be a table, not " + std::string(describe(entry->value.kind)), kHelp);
    return;
  }
  source.format.position = entry->position;
  TableReader format(entry->value, reader.path() + ".format", reader.report());
  source.format.descriptor = find_plugin(format, CDCRT_FORMAT, source.format, context, kHelp);
  if (source.format.descriptor == nullptr) return;
  source.format.options = read_options(format, *source.format.descriptor, {source.name, context.pipeline, context.folder});
  format.finish();
}

Source read_source(const Entry& entry, const ComponentContext& context, Report& report) {
  Source source;
  if (!begin(entry, "sources", source, report)) return source;
  Node table = entry.value;
  TableReader reader(table, "sources." + entry.key, report);
  source.descriptor = find_plugin(reader, CDCRT_SOURCE, source, context, "for instance plugin = \"file\"");
  read_format(reader, source, context);
  refuse_reserved(reader);
  if (source.descriptor == nullptr) return source;
  if (!context.stop.empty() && declares(*source.descriptor, "stop")) {
    Node stop;
    stop.kind = Node::Kind::kString;
    stop.text = stop.written = context.stop;
    stop.position = {"--stop", 0, 0, 1};
    if (Entry* given = table.find("stop")) {
      given->value = std::move(stop);
    } else {
      table.entries.push_back({"stop", stop.position, std::move(stop)});
    }
  }
  if (!declares(*source.descriptor, "batch"))
    reader.belongs_elsewhere("batch", "batches are set where they are written: [sinks.NAME.batch]");
  source.options = read_options(reader, *source.descriptor, {source.name, context.pipeline, context.folder});
  reader.finish();
  return source;
}

Sink read_sink(const Entry& entry, const ComponentContext& context, Report& report) {
  Sink sink;
  if (!begin(entry, "sinks", sink, report)) return sink;
  TableReader reader(entry.value, "sinks." + entry.key, report);
  sink.descriptor = find_plugin(reader, CDCRT_SINK, sink, context, "for instance plugin = \"odbc\"");
  refuse_reserved(reader);
  const Entry* batch_entry = reader.take_table("batch");
  Node absent;
  absent.position = entry.position;
  TableReader batch(batch_entry == nullptr ? absent : batch_entry->value, reader.path() + ".batch", report);
  read_sink_keys(reader, batch, sink);
  reader.belongs_elsewhere("min_interval", "it belongs to [" + reader.path() + ".batch]");
  const bool known = sink.descriptor != nullptr;
  for (const char* key : kLaterSinkKeys) {
    if (!known || !declares(*sink.descriptor, key)) reader.not_yet(key);
  }
  if (known) {
    if (!declares(*sink.descriptor, "format"))
      reader.belongs_elsewhere("format", "formats are read by sources: [sources.NAME] format.plugin = ...");
    sink.options = read_options(reader, *sink.descriptor, {sink.name, context.pipeline, context.folder, "batch", &batch});
    reader.finish();
  }
  batch.finish();
  return sink;
}

/// The entries of [sources] or [sinks]; reports when there is none.
const Node* section(TableReader& top, const char* name, const char* what, const char* example) {
  const Entry* entry = top.take_table(name);
  if (entry != nullptr && !entry->value.entries.empty()) return &entry->value;
  if (top.table().find(name) == nullptr || entry != nullptr) {
    top.report().error(diagnostics::kMissingKey, entry == nullptr ? top.table().position : entry->position,
                       std::string("the manifest has no ") + what, example);
  }
  return nullptr;
}

}  // namespace

std::vector<Source> read_sources(TableReader& top, const ComponentContext& context) {
  std::vector<Source> sources;
  const Node* table = section(top, "sources", "source", "add [sources.NAME] with plugin = \"...\" and format.plugin = \"...\"");
  if (table == nullptr) return sources;
  for (const Entry& entry : table->entries) sources.push_back(read_source(entry, context, top.report()));
  return sources;
}

std::vector<Sink> read_sinks(TableReader& top, const ComponentContext& context) {
  std::vector<Sink> sinks;
  const Node* table = section(top, "sinks", "sink", "add [sinks.NAME] with plugin = \"...\"");
  if (table == nullptr) return sinks;
  for (const Entry& entry : table->entries) sinks.push_back(read_sink(entry, context, top.report()));
  return sinks;
}

}  // namespace cdcrt::manifest
