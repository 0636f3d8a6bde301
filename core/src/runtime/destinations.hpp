// Destinations: finds the target table of the rows of a shape.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "event/shape.hpp"
#include "route/router.hpp"
#include "runtime/flow.hpp"
#include "runtime/sink_runtime.hpp"
#include "runtime/source_runtime.hpp"

namespace cdcrt::runtime {

/// Where the rows of a table go.
struct Destination {
  apply::Table* table = nullptr;  ///< null: ignored
};

/// What a decode worker remembers of them: by topic and shape, so that the partitions of a topic share it. One thread.
class KnownDestinations {
 public:
  /// Null: not known.
  [[nodiscard]] const Destination* find(uint32_t topic, uint64_t shape) const;
  /// Valid until the next call.
  const Destination& add(uint32_t topic, uint64_t shape, Destination destination);

 private:
  /// Where shapes come and go.
  static constexpr std::size_t kMost = 1 << 16;
  struct Place {
    uint64_t shape;
    uint32_t topic;
    bool operator==(const Place&) const = default;
  };
  struct PlaceHash {
    std::size_t operator()(const Place& place) const { return (place.shape * 0x9E3779B97F4A7C15ULL) ^ (uint64_t{place.topic} << 17); }
  };
  std::unordered_map<Place, Destination, PlaceHash> all_;
};

/// Any thread.
class Destinations {
 public:
  Destinations(const manifest::Manifest& manifest, const event::ShapeRegistry& shapes, std::vector<std::unique_ptr<SinkRuntime>>& sinks,
               std::vector<std::unique_ptr<SourceRuntime>>& sources);

  /// Resolved once for each topic and shape that `known` remembers. Valid until the next call for the same `known`.
  const Destination& of(const Flow& flow, uint32_t shape, KnownDestinations& known);
  /// The same without a memory.
  Destination resolve(const progress::Partition& partition, uint32_t shape);
  /// Which patterns of routes a table met so far.
  [[nodiscard]] std::vector<route::Router::PatternUse> pattern_uses() const { return router_.uses(); }
  [[nodiscard]] std::vector<route::Router::KeyRuleUse> key_rule_uses() const { return router_.key_rule_uses(); }
  [[nodiscard]] const std::string& key_file() const { return manifest_.key_file; }
  /// Tables that no route names, seen so far.
  [[nodiscard]] std::vector<std::string> ignored() const;

 private:
  const manifest::Manifest& manifest_;
  const event::ShapeRegistry& shapes_;
  std::vector<std::unique_ptr<SinkRuntime>>& sinks_;
  std::vector<std::unique_ptr<SourceRuntime>>& sources_;
  mutable std::mutex mutex_;
  route::Router router_;
  std::set<std::string> ignored_;
};

}  // namespace cdcrt::runtime
