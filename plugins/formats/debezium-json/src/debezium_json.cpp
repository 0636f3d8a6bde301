#include "debezium_json.hpp"

namespace cdcrt::debezium_json {

using debezium::Events;
using debezium::Tombstones;

sdk::Status DebeziumJson::configure(const sdk::Config& config) {
  if (auto read = read_unavailable(config); !read) return read;
  settings_.tombstones = config.choice<Tombstones>(
      "tombstones", {{"auto", Tombstones::kAuto}, {"delete", Tombstones::kDelete}, {"ignore", Tombstones::kIgnore}});
  settings_.events =
      config.choice<Events>("events", {{"auto", Events::kAuto}, {"envelope", Events::kEnvelope}, {"flattened", Events::kFlattened}});
  settings_.ignore_keys = config.string("keys") == "ignore";
  settings_.metadata_prefix = config.string("metadata_prefix");
  return debezium::TopicRule::parse(config.string("table_from_topic"), settings_.topic_rule);
}

}  // namespace cdcrt::debezium_json
