#include "cli/plugin_checks.hpp"

#include <algorithm>

#include "cli/exit_code.hpp"
#include "cli/plugin_probe.hpp"
#include "dead_letters/destination.hpp"
#include "manifest/component_error.hpp"
#include "plugin/instance.hpp"

namespace cdcrt::cli {
namespace {

// What stands for it was not asked for.
bool lacks_secrets(const plugin::Component& component) {
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
    judge_dead_letters();
    return std::move(checks_);
  }

 private:
  template <class Check>
  void judge(const plugin::Component& component, const Check& check) {
    const Result<void> checked = check();
    if (checked || (lacks_secrets(component) && !probes_)) return;
    const int code = exit_code_of(manifest::ending_of(checked.error()));
    // What is wrong in the manifest comes first: the rest may follow from it.
    checks_.exit_code = checks_.exit_code == 0 ? code : std::min(checks_.exit_code, code);
    checks_.diagnostics.push_back(manifest::diagnostic_for(component, checked.error()));
  }

  Result<void> check(const manifest::Source& manifest) {
    if (!probes_) return plugin::check(manifest);
    auto probed = probe(manifest);
    if (!probed) return std::move(probed.error());
    for (const Error& warning : probed->warnings) {
      checks_.diagnostics.push_back(manifest::diagnostic_for(manifest, warning));
      checks_.diagnostics.back().severity = diagnostics::Severity::kWarning;
    }
    return {};
  }

  Result<void> check(const manifest::Sink& manifest) {
    if (!probes_) return plugin::check(manifest);
    auto probed = probe(manifest, manifest_.pipeline);
    if (!probed) return std::move(probed.error());
    return {};
  }

  void judge_dead_letters() {
    const auto& dead_letters = manifest_.dead_letters;
    plugin::Component place = dead_letters.sink;
    place.position = dead_letters.position;
    if (dead_letters.kind == dead_letters::Settings::Kind::kSink) {
      judge(dead_letters.sink, [&]() -> Result<void> {
        if (!probes_) return plugin::check(dead_letters.sink);
        auto destination = dead_letters::to_sink(dead_letters.sink, manifest_.pipeline + ".dead_letters");
        if (!destination) return std::move(destination.error());
        return {};
      });
    } else if (dead_letters.kind == dead_letters::Settings::Kind::kFile && probes_) {
      judge(place, [&] { return dead_letters::to_file(dead_letters.path)->check(); });
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
