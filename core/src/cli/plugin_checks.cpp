#include "cli/plugin_checks.hpp"

#include <algorithm>

#include "dead_letters/destination.hpp"
#include "diagnostics/text.hpp"
#include "manifest/component_error.hpp"
#include "plugin/instance.hpp"
#include "progress/store.hpp"

namespace cdcrt::cli {
namespace {

// What stands for it was not asked for.
bool lacks_secrets(const manifest::Component& component) {
  const auto& values = component.options.values();
  return std::any_of(values.begin(), values.end(), [](const auto& value) { return !value.is_set && !value.position.file.empty(); });
}

class Checker {
 public:
  Checker(const manifest::Manifest& manifest, bool probes) : manifest_(manifest), probes_(probes) {}

  PluginChecks run() {
    for (const auto& source : manifest_.sources) {
      judge(source, [&] { return check(source); });
      judge(source.format, [&] { return plugin::check(source.format); });
    }
    for (const auto& sink : manifest_.sinks) judge(sink, [&] { return check(sink); });
    judge_letters();
    return std::move(checks_);
  }

 private:
  template <class Check>
  void judge(const manifest::Component& component, const Check& check) {
    const Result<void> checked = check();
    if (checked || (lacks_secrets(component) && !probes_)) return;
    const int code = manifest::exit_code_of(checked.error());
    // What is wrong in the manifest comes first: the rest may follow from it.
    checks_.exit_code = checks_.exit_code == 0 ? code : std::min(checks_.exit_code, code);
    checks_.diagnostics.push_back(manifest::diagnostic_for(component, checked.error()));
  }

  Result<void> check(const manifest::Source& manifest) {
    if (!probes_) return plugin::check(manifest);
    auto source = plugin::Source::create(manifest);
    if (!source) return std::move(source.error());
    // Joining a group would take partitions away from those who read them.
    cdcrt_source_events nothing{};
    nothing.size = sizeof nothing;
    auto reached = source->has(CDCRT_SOURCE_GROUPS) ? source->list([](std::string_view, int32_t) { return false; }) : source->start(nothing);
    if (reached) warn_of_unmet(manifest, *source);
    source->stop();
    return reached;
  }

  void warn_of_unmet(const manifest::Source& manifest, plugin::Source& source) {
    if (!source.has(CDCRT_SOURCE_GROUPS)) return;  // of others only reading tells
    const auto survey = source.survey();
    if (!survey) return;
    for (const auto& [option, entry] : survey->unmet) {
      Error error = make_error(CDCRT_BAD_CONFIG, option + ": nothing is called " + diagnostics::quote(entry) + " so far",
                               "a plain name that is not there ends a start; a pattern waits for what is to come");
      error.config_key = option;
      checks_.diagnostics.push_back(manifest::diagnostic_for(manifest, error));
      checks_.diagnostics.back().severity = diagnostics::Severity::kWarning;
    }
  }

  Result<void> check(const manifest::Sink& manifest) {
    if (!probes_) return plugin::check(manifest);
    auto sink = plugin::Sink::create(plugin::looking(manifest, manifest_.pipeline));
    if (!sink) return std::move(sink.error());
    auto connection = sink->open();
    if (!connection) return std::move(connection.error());
    if (!sink->has(CDCRT_SINK_TRANSACTIONS)) return {};
    progress::Store store(manifest_.pipeline, manifest.name, manifest.progress_schema, sink->capabilities(), {});
    if (auto version = store.kept_version(*connection); !version) return std::move(version.error());
    return {};
  }

  void judge_letters() {
    const auto& letters = manifest_.dead_letters;
    manifest::Component place = letters.sink;
    place.position = letters.position;
    if (letters.kind == manifest::DeadLetters::Kind::kSink) {
      judge(letters.sink, [&]() -> Result<void> {
        if (!probes_) return plugin::check(letters.sink);
        auto destination = dead_letters::to_sink(letters.sink, manifest_.pipeline + ".dead_letters");
        if (!destination) return std::move(destination.error());
        return {};
      });
    } else if (letters.kind == manifest::DeadLetters::Kind::kFile && probes_) {
      judge(place, [&] { return dead_letters::to_file(letters.path)->check(); });
    }
  }

  const manifest::Manifest& manifest_;
  const bool probes_;
  PluginChecks checks_;
};

}  // namespace

PluginChecks check_plugins(const manifest::Manifest& manifest) { return Checker(manifest, false).run(); }
PluginChecks probe_plugins(const manifest::Manifest& manifest) { return Checker(manifest, true).run(); }

}  // namespace cdcrt::cli
