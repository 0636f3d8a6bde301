#include "manifest/layout_reader.hpp"

#include <algorithm>

#include "diagnostics/codes.hpp"
#include "diagnostics/text.hpp"
#include "manifest/component_error.hpp"
#include "manifest/option_reader.hpp"
#include "plugin/instance.hpp"

namespace cdcrt::manifest {
namespace {

using diagnostics::quote;

std::span<const cdcrt_option> layout_options(const Sink& sink) {
  if (sink.descriptor == nullptr) return {};
  const auto& functions = *static_cast<const cdcrt_sink*>(sink.descriptor->functions);
  return {functions.layout_options, functions.layout_option_count};
}

}  // namespace

LayoutReader::LayoutReader(const std::vector<Sink>& sinks, std::string pipeline, std::string folder, Report& report)
    : sinks_(sinks), pipeline_(std::move(pipeline)), folder_(std::move(folder)), report_(report) {}

void LayoutReader::set_defaults(const Entry* entry) {
  if (entry == nullptr) return;
  for (const Sink& sink : sinks_) {
    if (layout_options(sink).empty() || defaults_.contains(sink.descriptor)) continue;
    defaults_.emplace(sink.descriptor, read_table(*entry, "defaults", sink));
  }
  const bool known = std::all_of(sinks_.begin(), sinks_.end(), [](const Sink& sink) { return sink.descriptor != nullptr; });
  if (!known || !defaults_.empty()) return;
  report_.error(diagnostics::kBadRoute, entry->position, "[defaults.layout] is given, and no sink of the manifest lays tables out",
                "take it out; `cdcrt plugin describe` shows which sinks have layout options");
}

Options LayoutReader::read_table(const Entry& entry, const std::string& owner, const Sink& sink) {
  const std::size_t before = report_.count();
  TableReader reader(entry.value, owner + ".layout", report_);
  Options options = read_options(reader, *sink.descriptor, layout_options(sink), {sink.name, pipeline_, folder_});
  reader.finish();
  if (report_.count() > before) return options;
  if (const auto checked = plugin::check_layout(*static_cast<const cdcrt_sink*>(sink.descriptor->functions), *options.abi()); !checked) {
    Component component;
    component.options = options;
    component.position = entry.position;
    const auto diagnostic = diagnostic_for(component, checked.error());
    report_.error(diagnostic.code, diagnostic.position, diagnostic.message, diagnostic.help, diagnostic.notes);
  }
  return options;
}

void LayoutReader::read(const Entry* own, Route& route) {
  const auto sink = std::find_if(sinks_.begin(), sinks_.end(), [&](const Sink& each) { return each.name == route.sink; });
  if (sink == sinks_.end() || sink->descriptor == nullptr) return;  // reported elsewhere
  if (own == nullptr) {
    if (const auto found = defaults_.find(sink->descriptor); found != defaults_.end()) route.layout = found->second;
  } else if (layout_options(*sink).empty()) {
    report_.error(
        diagnostics::kBadRoute, own->position,
        "[routes." + route.name + ".layout] is given, and sink " + quote(sink->name) + " (" + sink->plugin + ") has no layout options",
        "take it out, or name another sink in the route");
  } else {
    route.layout = read_table(*own, "routes." + route.name, *sink);
  }
}

}  // namespace cdcrt::manifest
