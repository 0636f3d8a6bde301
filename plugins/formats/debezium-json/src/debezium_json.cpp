#include "debezium_json.hpp"

namespace cdcrt::debezium_json {

using debezium::Events;
using debezium::Tombstones;

sdk::Status DebeziumJson::configure(const sdk::Config& config) {
  const std::string unavailable = config.string("unavailable_value");
  if (unavailable.empty() || unavailable == "hex:") {
    return sdk::Status::bad_config("unavailable_value", "must not be empty: every empty text would count as unavailable");
  }
  settings_.unavailable = debezium::UnavailableValue(unavailable);
  settings_.tombstones = config.choice<Tombstones>(
      "tombstones", {{"auto", Tombstones::kAuto}, {"delete", Tombstones::kDelete}, {"ignore", Tombstones::kIgnore}});
  settings_.events =
      config.choice<Events>("events", {{"auto", Events::kAuto}, {"envelope", Events::kEnvelope}, {"flattened", Events::kFlattened}});
  settings_.ignore_keys = config.string("keys") == "ignore";
  settings_.metadata_prefix = config.string("metadata_prefix");
  return debezium::TopicRule::parse(config.string("table_from_topic"), settings_.topic_rule);
}

sdk::Status DebeziumJson::decode(sdk::Messages messages, sdk::RowBuilder& rows) {
  return decoder_.decode(messages, topics_.of(messages.topic()), rows);
}

}  // namespace cdcrt::debezium_json
