#include "flink_cdc.hpp"

namespace cdcrt::flink_cdc {

sdk::Status FlinkCdc::configure(const sdk::Config& config) {
  const std::string unavailable = config.string("unavailable_value");
  if (unavailable.empty() || unavailable == "hex:") {
    return sdk::Status::bad_config("unavailable_value", "must not be empty: every empty text would count as unavailable");
  }
  settings_.unavailable = debezium::UnavailableValue(unavailable);
  settings_.writer = debezium::Writer::kFlink;
  settings_.events = debezium::Events::kEnvelope;
  settings_.tombstones = debezium::Tombstones::kIgnore;
  settings_.ignore_keys = true;
  settings_.full_before = config.string("replica_identity") == "full";
  return {};
}

sdk::Status FlinkCdc::decode(sdk::Messages messages, sdk::RowBuilder& rows) {
  return decoder_.decode(messages, topics_.of(messages.topic()), rows);
}

}  // namespace cdcrt::flink_cdc
