// The format debezium-json: settings and the batch loop.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "cdcrt/sdk/format.hpp"
#include "event_decoder.hpp"

namespace cdcrt::debezium_json {

class DebeziumJson : public sdk::Format {
 public:
  /// Throws sdk::Failure when a setting is wrong.
  explicit DebeziumJson(const sdk::Config& config);
  sdk::Status decode(sdk::Messages messages, sdk::RowBuilder& rows) override;

 private:
  TopicState& state(std::string_view topic);

  Settings settings_;
  EventDecoder decoder_{settings_};
  std::unordered_map<std::string, std::unique_ptr<TopicState>> topics_;
};

}  // namespace cdcrt::debezium_json
