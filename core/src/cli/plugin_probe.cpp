#include "cli/plugin_probe.hpp"

#include <set>
#include <utility>

#include "diagnostics/text.hpp"
#include "progress/store.hpp"

namespace cdcrt::cli {
namespace {

constexpr std::size_t kPartitionsToReach = 30;

// As in routes: what is to appear later is given as a pattern.
bool is_pattern(const std::string& entry) { return entry.starts_with("re:") || entry.find_first_of("*?") != std::string::npos; }

// The list of partitions may come from an address that works, while those who lead them name others.
Result<void> reach_partitions(plugin::Source& source, SourceProbe& probe) {
  std::vector<std::pair<std::string, int32_t>> some;
  std::set<std::string> topics;
  auto listed = source.list([&](std::string_view topic, int32_t partition) {
    ++probe.partitions;
    topics.emplace(topic);
    if (some.size() < kPartitionsToReach) some.emplace_back(topic, partition);
    return true;
  });
  if (!listed) return listed;
  probe.topics = topics.size();
  for (const auto& [topic, partition] : some) {
    if (auto bounds = source.bounds(topic, partition); !bounds) return std::move(bounds.error());
  }
  return {};
}

Result<void> survey(plugin::Source& source, SourceProbe& probe) {
  if (!source.has(CDCRT_SOURCE_GROUPS)) return {};  // of others only reading tells
  auto told = source.survey();
  if (!told) return std::move(told.error());
  probe.files = told->files;
  for (const auto& [option, entry] : told->unmet) {
    if (!is_pattern(entry)) {
      // It ends a start too, with the same words. A topic that is there by now is no error.
      if (auto there = source.start_offset(entry, 0); !there) return std::move(there.error());
      continue;
    }
    Error error = make_error(CDCRT_BAD_CONFIG, option + ": nothing is called " + diagnostics::quote(entry) + " so far",
                             "a start waits for what is to come; if nothing is to come, correct it or take it out");
    error.config_key = option;
    probe.warnings.push_back(std::move(error));
  }
  return {};
}

}  // namespace

Result<SourceProbe> probe(const manifest::Source& manifest) {
  auto source = plugin::Source::create(manifest);
  if (!source) return std::move(source.error());
  SourceProbe probe;
  // Joining a group would take partitions away from those who read them.
  cdcrt_source_events nothing{};
  nothing.size = sizeof nothing;
  auto reached = source->has(CDCRT_SOURCE_GROUPS) ? reach_partitions(*source, probe) : source->start(nothing);
  if (reached) reached = survey(*source, probe);
  source->stop();
  if (!reached) return std::move(reached.error());
  return probe;
}

Result<SinkProbe> probe(const manifest::Sink& manifest, const std::string& pipeline, const std::string& process) {
  auto sink = plugin::Sink::create(plugin::looking(manifest, pipeline));
  if (!sink) return std::move(sink.error());
  if (!process.empty()) {
    if (auto identified = sink->identify(pipeline, process); !identified) return std::move(identified.error());
  }
  auto connection = sink->open();
  if (!connection) return std::move(connection.error());
  int64_t kept = 0;
  if (sink->has(CDCRT_SINK_TRANSACTIONS)) {
    progress::Store store(pipeline, manifest.name, manifest.progress_schema, sink->capabilities(), {});
    auto version = store.kept_version(*connection);
    if (!version) return std::move(version.error());
    kept = *version;
  }
  return SinkProbe{std::move(*sink), std::move(*connection), kept};
}

}  // namespace cdcrt::cli
