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
  defaults_ = entry;
  if (entry == nullptr) return;
  const bool known = std::all_of(sinks_.begin(), sinks_.end(), [](const Sink& sink) { return sink.descriptor != nullptr; });
  const bool any = std::any_of(sinks_.begin(), sinks_.end(), [](const Sink& sink) { return !layout_options(sink).empty(); });
  if (!known || any) return;
  report_.error(diagnostics::kBadRoute, entry->position, "[defaults.layout] is given, and no sink of the manifest lays tables out",
                "take it out; `cdcrt plugin describe` shows which sinks have layout options");
}

Options LayoutReader::read_table(const Entry* entry, const std::string& path, const Sink& sink) const {
  Node absent;
  TableReader reader(entry == nullptr ? absent : entry->value, path, report_);
  Options options = read_options(reader, *sink.descriptor, layout_options(sink), {sink.name, pipeline_, folder_});
  reader.finish();
  return options;
}

const Options& LayoutReader::defaults_for(const Sink& sink) {
  const auto [place, added] = read_defaults_.try_emplace(sink.descriptor);
  if (added) place->second = read_table(defaults_, "defaults.layout", sink);
  return place->second;
}

void LayoutReader::read(const Entry* own, Route& route) {
  const auto sink = std::find_if(sinks_.begin(), sinks_.end(), [&](const Sink& each) { return each.name == route.sink; });
  if (sink == sinks_.end() || sink->descriptor == nullptr) return;  // reported elsewhere
  if (layout_options(*sink).empty()) {
    if (own != nullptr) {
      report_.error(diagnostics::kBadRoute, own->position,
                    "[routes." + route.name + ".layout] is given, and sink " + quote(sink->name) + " (" + sink->plugin + ") has no layout options",
                    "take it out, or name another sink in the route");
    }
    return;
  }
  if (own == nullptr && defaults_ == nullptr) return;
  const Options& defaults = defaults_for(*sink);
  std::vector<Options::Value> values = defaults.values();
  if (own != nullptr) {
    const Options given = read_table(own, "routes." + route.name + ".layout", *sink);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!given.values()[i].position.file.empty()) values[i] = given.values()[i];
    }
  }
  route.layout = Options(sink->name, pipeline_, std::move(values));
  const auto& functions = *static_cast<const cdcrt_sink*>(sink->descriptor->functions);
  if (const auto checked = plugin::check_layout(functions, *route.layout.abi()); !checked) {
    Component component;
    component.options = route.layout;
    component.position = own != nullptr ? own->position : defaults_->position;
    auto diagnostic = diagnostic_for(component, checked.error());
    if (route.name != "defaults") diagnostic.notes.push_back("in the layout of [routes." + route.name + "], with what [defaults] say");
    report_.error(diagnostic.code, diagnostic.position, diagnostic.message, diagnostic.help, diagnostic.notes);
  }
}

}  // namespace cdcrt::manifest
