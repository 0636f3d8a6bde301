#include "debezium/json_format.hpp"

#include <string>

namespace cdcrt::debezium {

sdk::Status JsonFormat::read_unavailable(const sdk::Config& config) {
  const std::string unavailable = config.string(kUnavailableOption.key);
  if (unavailable.empty() || unavailable == "hex:") {
    return sdk::Status::bad_config(kUnavailableOption.key, "must not be empty: every empty text would count as unavailable");
  }
  settings_.unavailable = UnavailableValue(unavailable);
  return {};
}

sdk::Status JsonFormat::decode(sdk::Messages messages, sdk::RowBuilder& rows) {
  return decoder_.decode(messages, topics_.of(messages.topic()), rows);
}

}  // namespace cdcrt::debezium
