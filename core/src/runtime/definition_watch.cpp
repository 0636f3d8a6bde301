#include "runtime/definition_watch.hpp"

#include <algorithm>

#include "apply/table.hpp"

namespace cdcrt::runtime {
namespace {

constexpr std::chrono::steady_clock::duration kInterval = std::chrono::seconds(1), kMaxInterval = std::chrono::seconds(10);
// The connector hands a definition to its producer before the rows of the new shape, but they go to other partitions, where they may be
// first.
constexpr auto kGrace = std::chrono::seconds(10);
// A topic that brokers do not list may be one whose leader is being chosen.
constexpr auto kAbsence = std::chrono::minutes(1);

}  // namespace

void DefinitionWatch::step(bool all_read, const std::atomic<bool>& stopping) {
  const auto now = Clock::now();
  if (now < next_step_ && !all_read) return;
  next_step_ = now + kInterval;
  std::map<apply::Table*, Wait> waits;
  // Of thousands of tables each question is asked once; what cannot be asked now is asked the next time.
  answers_ = {};
  bool asks = true;
  for (auto& sink : sinks_) {
    for (apply::Table* table : sink->waiting_for_definitions()) {
      const auto awaited = table->awaited_definitions();
      if (!awaited) continue;
      Wait wait{awaited->since, {}, {}};
      if (const auto known = waits_.find(table); known != waits_.end() && known->second.since == wait.since)
        wait = std::move(known->second);
      asks = asks && !stopping;
      const auto over = all_read ? Result<bool>(true) : asks ? is_over(wait, *awaited, *sink) : Result<bool>(false);
      if (!over) asks = false;
      if (over && *over) {
        table->definitions_are_read(awaited->since);
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
    if (!*ends) return now >= wait.since + kGrace + kAbsence;
    wait.ends = **ends;
  }
  for (const auto& [key, end] : *wait.ends) {
    const auto known = answers_.read.find({&sink, key, end});
    if (known != answers_.read.end() && known->second) continue;
    if (known != answers_.read.end()) return false;
    auto read = ownership_.is_read(source, sink, key, end);
    if (!read) return read;
    answers_.read[{&sink, key, end}] = *read;
    if (!*read) return false;
  }
  return true;
}

Result<std::optional<DefinitionWatch::Ends>> DefinitionWatch::ends_of(SourceRuntime& source, const std::string& topic) {
  if (const auto known = answers_.ends.find({&source, topic}); known != answers_.ends.end()) return known->second;
  auto found = ask_ends(source, topic);
  if (found) answers_.ends[{&source, topic}] = *found;
  return found;
}

Result<std::optional<DefinitionWatch::Ends>> DefinitionWatch::ask_ends(SourceRuntime& source, const std::string& topic) {
  std::vector<int32_t> partitions;
  auto listed = source.source().list([&](std::string_view name, int32_t number) {
    if (name == topic) partitions.push_back(number);
    return true;
  });
  if (!listed) return std::move(listed.error());
  if (partitions.empty()) return std::optional<Ends>();
  Ends ends;
  for (const int32_t number : partitions) {
    auto bounds = source.source().bounds(topic, number);
    if (!bounds) return std::move(bounds.error());
    if (bounds->end > bounds->first) ends[{source.name(), topic, number}] = bounds->end;
  }
  return std::optional<Ends>(std::move(ends));
}

}  // namespace cdcrt::runtime
