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
  static constexpr const char* kSummary = "Row changes written by Debezium with JsonConverter: with schemas, without, or flattened";
  static constexpr const char* kLicense = "Apache-2.0";
  static const char* notes();

  sdk::Status configure(const sdk::Config& config) override;
  sdk::Status decode(sdk::Messages messages, sdk::RowBuilder& rows) override;

 private:
  TopicState& state(std::string_view topic);

  Settings settings_;
  EventDecoder decoder_{settings_};
  std::unordered_map<std::string, std::unique_ptr<TopicState>> topics_;
};

}  // namespace cdcrt::debezium_json
