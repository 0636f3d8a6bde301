#include "flink_cdc.hpp"

namespace cdcrt::flink_cdc {

sdk::Status FlinkCdc::configure(const sdk::Config& config) {
  if (auto read = read_unavailable(config); !read) return read;
  settings_.writer = debezium::Writer::kFlink;
  settings_.events = debezium::Events::kEnvelope;
  settings_.tombstones = debezium::Tombstones::kIgnore;
  settings_.ignore_keys = true;
  settings_.full_before = config.string("replica_identity") == "full";
  return {};
}

}  // namespace cdcrt::flink_cdc
