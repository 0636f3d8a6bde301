#include "runtime/destinations.hpp"

#include "runtime/log.hpp"

namespace cdcrt::runtime {

Destinations::Destinations(const manifest::Manifest& manifest, const event::ShapeRegistry& shapes, std::vector<std::unique_ptr<SinkRuntime>>& sinks,
                           std::vector<std::unique_ptr<SourceRuntime>>& sources)
    : manifest_(manifest), shapes_(shapes), sinks_(sinks), sources_(sources), router_(manifest) {}

const Flow::Destination& Destinations::of(Flow& flow, uint32_t shape) {
  // Where shapes come and go, a partition remembers the latest of them.
  constexpr std::size_t kMaxRemembered = 1024;
  if (flow.destinations.size() >= kMaxRemembered && !flow.destinations.contains(shape)) flow.destinations.clear();
  Flow::Destination& destination = flow.destinations[shape];
  if (!destination.known) destination = resolve(flow.partition, shape);
  return destination;
}

Flow::Destination Destinations::resolve(const progress::Partition& partition, uint32_t shape_id) {
  Flow::Destination destination;
  destination.known = true;
  const event::Shape& shape = shapes_.get(shape_id);
  const route::SourceTable table{partition.source(), partition.topic(), shape.database, shape.schema, shape.table};
  const std::string name = route::dotted(table);
  const std::lock_guard lock(mutex_);
  const auto problem = [&](const Error& error) {
    destination.problem = explain(error);
    return destination;
  };
  auto route = router_.route(table);
  if (!route) return problem(route.error());
  if (*route == nullptr) {
    if (ignored_.insert(name).second) log(CDCRT_LOG_INFO, "routes", "no route names table " + name + ": its rows are ignored and counted");
    return destination;
  }
  SinkRuntime* sink = sinks_.front().get();
  for (const auto& candidate : sinks_) {
    if (candidate->name() == (*route)->sink) sink = candidate.get();
  }
  auto target = router_.target_for(**route, table, sink->has_schemas());
  if (!target) return problem(target.error());
  const std::string schema = sink->has_schemas() ? target->schema : std::string();
  destination.table = &sink->table(schema, target->table, name, **route, [this](const progress::PartitionKey& key) -> progress::Partition* {
    for (const auto& source : sources_) {
      if (source->name() == key.source) return &source->flow(key.topic, key.number).partition;
    }
    return nullptr;
  });
  return destination;
}

std::vector<std::string> Destinations::ignored() const {
  const std::lock_guard lock(mutex_);
  return {ignored_.begin(), ignored_.end()};
}

}  // namespace cdcrt::runtime
