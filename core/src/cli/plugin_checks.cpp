#include "cli/plugin_checks.hpp"

#include <algorithm>

#include "cli/exit_code.hpp"
#include "dead_letters/destination.hpp"
#include "diagnostics/text.hpp"
#include "manifest/component_error.hpp"
#include "plugin/instance.hpp"
#include "progress/store.hpp"

namespace cdcrt::cli {
namespace {

constexpr std::size_t kPartitionsToReach = 30;

// As in routes: what is to appear later is given as a pattern.
bool is_pattern(const std::string& entry) { return entry.starts_with("re:") || entry.find_first_of("*?") != std::string::npos; }

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
    auto source = plugin::Source::create(manifest);
    if (!source) return std::move(source.error());
    // Joining a group would take partitions away from those who read them.
    cdcrt_source_events nothing{};
    nothing.size = sizeof nothing;
    auto reached = source->has(CDCRT_SOURCE_GROUPS) ? reach_partitions(*source) : source->start(nothing);
    if (reached) reached = warn_of_unmet(manifest, *source);
    source->stop();
    return reached;
  }

  // The list of partitions may come from an address that works, while those who lead them name others.
  Result<void> reach_partitions(plugin::Source& source) {
    std::vector<std::pair<std::string, int32_t>> some;
    auto listed = source.list([&](std::string_view topic, int32_t partition) {
      some.emplace_back(topic, partition);
      return some.size() < kPartitionsToReach;
    });
    if (!listed) return listed;
    for (const auto& [topic, partition] : some) {
      if (auto bounds = source.bounds(topic, partition); !bounds) return std::move(bounds.error());
    }
    return {};
  }

  Result<void> warn_of_unmet(const manifest::Source& manifest, plugin::Source& source) {
    if (!source.has(CDCRT_SOURCE_GROUPS)) return {};  // of others only reading tells
    auto survey = source.survey();
    if (!survey) return std::move(survey.error());
    for (const auto& [option, entry] : survey->unmet) {
      if (!is_pattern(entry)) {
        // It ends a start too, with the same words. A topic that is there by now is no error.
        if (auto there = source.start_offset(entry, 0); !there) return std::move(there.error());
        continue;
      }
      Error error = make_error(CDCRT_BAD_CONFIG, option + ": nothing is called " + diagnostics::quote(entry) + " so far",
                               "a start waits for what is to come; if nothing is to come, correct it or take it out");
      error.config_key = option;
      checks_.diagnostics.push_back(manifest::diagnostic_for(manifest, error));
      checks_.diagnostics.back().severity = diagnostics::Severity::kWarning;
    }
    return {};
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
