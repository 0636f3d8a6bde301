#include "runtime/definition_watch.hpp"

#include <algorithm>

#include "apply/table.hpp"

namespace cdcrt::runtime {
namespace {

constexpr std::chrono::steady_clock::duration kInterval = std::chrono::seconds(1), kMaxInterval = std::chrono::seconds(10);
// The connector hands a definition to its producer before the rows of the new shape, but they go to other partitions, where they may be
// first.
constexpr auto kGrace = std::chrono::seconds(10);

}  // namespace

void DefinitionWatch::step(bool all_read) {
  const auto now = Clock::now();
  if (now < next_step_) return;
  next_step_ = now + kInterval;
  std::map<apply::Table*, Wait> waits;
  for (auto& sink : sinks_) {
    for (apply::Table* table : sink->waiting_for_definitions()) {
      const auto awaited = table->awaited_definitions();
      if (!awaited) continue;
      Wait wait{awaited->since, {}, {}};
      if (const auto known = waits_.find(table); known != waits_.end() && known->second.since == wait.since)
        wait = std::move(known->second);
      if (const auto over = all_read ? Result<bool>(true) : is_over(wait, *awaited, *sink); over && *over) {
        table->definitions_are_read();
      } else {
        waits.emplace(table, std::move(wait));
      }
    }
  }
  waits_ = std::move(waits);
}

Result<bool> DefinitionWatch::is_over(Wait& wait, const apply::Table::Awaited& awaited, SinkRuntime& sink) {
  const auto found = std::find_if(sources_.begin(), sources_.end(), [&](const auto& each) { return each->name() == awaited.source; });
  if (found == sources_.end()) return true;
  SourceRuntime& source = **found;
  const auto now = Clock::now();
  if (now < wait.since + kGrace || now < wait.next) return false;
  // Others may lag far: then all that the target keeps is read each time.
  wait.next = now + std::clamp((now - wait.since) / 10, kInterval, kMaxInterval);
  if (!wait.ends) {
    auto ends = ends_of(source, awaited.topic);
    if (!ends) return std::move(ends.error());
    wait.ends = std::move(*ends);
  }
  for (const auto& [key, end] : *wait.ends) {
    auto read = ownership_.is_read(source, sink, key, end);
    if (!read || !*read) return read;
  }
  return true;
}

Result<DefinitionWatch::Ends> DefinitionWatch::ends_of(SourceRuntime& source, const std::string& topic) {
  std::vector<int32_t> partitions;
  auto listed = source.source().list([&](std::string_view name, int32_t number) {
    if (name == topic) partitions.push_back(number);
    return true;
  });
  if (!listed) return std::move(listed.error());
  Ends ends;
  for (const int32_t number : partitions) {
    auto bounds = source.source().bounds(topic, number);
    if (!bounds) return std::move(bounds.error());
    if (bounds->end > bounds->first) ends[{source.name(), topic, number}] = bounds->end;
  }
  return ends;
}

}  // namespace cdcrt::runtime
