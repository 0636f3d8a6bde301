#include "runtime/destinations.hpp"

#include "route/second_source.hpp"
#include "runtime/log.hpp"

namespace cdcrt::runtime {
namespace {

/// A table of the same source by its whole name, as patterns see it.
route::SourceTable table_named(std::string_view name, route::SourceTable table) {
  const std::size_t last = name.rfind('.');
  table.table = name.substr(last == std::string_view::npos ? 0 : last + 1);
  name = last == std::string_view::npos ? std::string_view() : name.substr(0, last);
  const std::size_t dot = name.rfind('.');
  table.schema = name.substr(dot == std::string_view::npos ? 0 : dot + 1);
  table.database = dot == std::string_view::npos ? std::string_view() : name.substr(0, dot);
  return table;
}

}  // namespace

Destinations::Destinations(const manifest::Manifest& manifest, const event::ShapeRegistry& shapes,
                           std::vector<std::unique_ptr<SinkRuntime>>& sinks, std::vector<std::unique_ptr<SourceRuntime>>& sources)
    : manifest_(manifest), shapes_(shapes), sinks_(sinks), sources_(sources), router_(manifest) {}

std::size_t KnownDestinations::place_of(uint32_t topic, uint64_t shape) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t place = (((shape * 0x9E3779B97F4A7C15ULL) ^ (uint64_t{topic} * 0xC2B2AE3D27D4EB4FULL)) >> 24) & mask;
  while (slots_[place].shape != kNone && (slots_[place].shape != shape || slots_[place].topic != topic)) place = (place + 1) & mask;
  return place;
}

const Destination* KnownDestinations::find(uint32_t topic, uint64_t shape) const {
  if (slots_.empty()) return nullptr;
  const Slot& slot = slots_[place_of(topic, shape)];
  return slot.shape == kNone ? nullptr : &slot.destination;
}

void KnownDestinations::grow(std::size_t slots) {
  std::vector<Slot> before(slots);
  before.swap(slots_);
  for (const Slot& slot : before) {
    if (slot.shape != kNone) slots_[place_of(slot.topic, slot.shape)] = slot;
  }
}

const Destination& KnownDestinations::add(uint32_t topic, uint64_t shape, Destination destination) {
  constexpr std::size_t kFirst = 64;
  if (count_ >= kMost) {
    slots_.clear();
    count_ = 0;
  }
  if (slots_.empty()) slots_.resize(kFirst);
  if (2 * (count_ + 1) > slots_.size()) grow(2 * slots_.size());
  Slot& slot = slots_[place_of(topic, shape)];
  if (slot.shape == kNone) ++count_;
  slot = {shape, topic, destination};
  return slot.destination;
}

const Destination& Destinations::of(const Flow& flow, uint32_t shape_id, uint64_t generation, KnownDestinations& known) {
  const uint64_t shape = event::ShapeRegistry::lasting_id(generation, shape_id);
  if (const Destination* found = known.find(flow.topic, shape)) return *found;
  Destination made = resolve(flow.partition, shape_id);
  made.shape = &shapes_.get(shape_id);
  return known.add(flow.topic, shape, made);
}

Destination Destinations::resolve(const progress::Partition& partition, uint32_t shape_id) {
  Destination destination;
  const event::Shape& shape = shapes_.get(shape_id);
  const route::SourceTable table{partition.source(), partition.topic(), shape.database, shape.schema, shape.table, shape.server};
  const std::string name = route::dotted(table);
  const std::lock_guard lock(mutex_);
  const route::SourceName source{name, shape.server};
  SinkRuntime* sink = sinks_.front().get();
  // The manifest does not say where its rows go: nothing is passed over, the next start reads them again, and the others go on.
  const auto refused = [&](const Error& error, const route::Route& route) {
    destination.table = &sink->refused_table(source, route, error);
    return destination;
  };
  router_.note(table);
  auto route = router_.route(table);
  if (!route) return refused(route.error(), manifest_.defaults);
  if (*route == nullptr) {
    for (const auto& each : sinks_) each->accepted(source);
    if (ignored_.insert(name).second) log(CDCRT_LOG_INFO, "routes", "no route names table " + name + ": its rows are ignored and counted");
    return destination;
  }
  for (const auto& candidate : sinks_) {
    if (candidate->name() == (*route)->sink) sink = candidate.get();
  }
  auto target = router_.target_for(**route, table, sink->has_schemas());
  if (!target) return refused(target.error(), **route);
  const std::string schema = sink->has_schemas() ? target->schema : std::string();
  const std::string target_name = schema.empty() ? target->table : schema + "." + target->table;
  if (sink->keeps_in(schema, target->table)) {
    router_.disown(**route, *target, sink->has_schemas());
    return refused(make_error(CDCRT_BAD_CONFIG,
                              "source table '" + name + "' would be written into '" + target_name +
                                  "', in which cdcrt keeps its own progress (the source is a target of cdcrt, too?)",
                              "leave it out with `except`, or let its route name another `table`, or the sink another `progress_schema`"),
                   **route);
  }
  // Who came first also holds after a restart.
  const route::SourceName first = sink->stored_source(target_name);
  if (auto second = route::refuse_second_source(**route, first, table, target_name, sink->name(), sink->has_schemas())) {
    router_.disown(**route, *target, sink->has_schemas());
    return refused(*second, **route);
  }
  std::vector<std::string> told;
  for (const auto& column : shape.columns) {
    if (shape.keyed && column.key_ordinal > 0) told.push_back(column.name);
  }
  apply::Table& taking =
      sink->table(schema, target->table, source, **route, [this](const progress::PartitionKey& key) -> progress::Partition* {
        for (const auto& runtime : sources_) {
          if (runtime->name() == key.source) return &runtime->flow(key.topic, key.number).partition;
        }
        return nullptr;
      });
  // It stops as a whole: the rows of both are in one progress, which must not pass those that are left.
  const auto stop_if = [&](const route::Route& first_route, const std::string& first_name) {
    if (taking.identity().events || first_name == name) return;
    if (auto other = route::refuse_other_key(first_route, first_name, **route, name, target_name, told))
      taking.stop(explain(*other), nullptr);
  };
  stop_if(taking.identity().route, taking.identity().source_name);
  if (!first.name.empty() && first.name != name) {
    const auto first_route = router_.route(table_named(first.name, table));
    if (first_route && *first_route != nullptr) stop_if(**first_route, first.name);
  }
  for (const auto& each : sinks_) each->accepted(source);
  destination.table = &taking;
  destination.sink = sink;
  return destination;
}

std::vector<std::string> Destinations::ignored() const {
  const std::lock_guard lock(mutex_);
  return {ignored_.begin(), ignored_.end()};
}

}  // namespace cdcrt::runtime
