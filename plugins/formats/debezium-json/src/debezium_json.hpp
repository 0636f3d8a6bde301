// The format debezium-json: settings and the batch loop.
#pragma once

#include "cdcrt/sdk/format.hpp"
#include "debezium/event_decoder.hpp"

namespace cdcrt::debezium_json {

class DebeziumJson : public sdk::Format {
 public:
  static constexpr const char* kSummary = "Row changes written by Debezium with JsonConverter: with schemas, without, or flattened";
  static constexpr const char* kLicense = "Apache-2.0";
  static const char* notes();

  sdk::Status configure(const sdk::Config& config) override;
  sdk::Status decode(sdk::Messages messages, sdk::RowBuilder& rows) override;

 private:
  debezium::Settings settings_;
  debezium::EventDecoder decoder_{settings_};
  debezium::TopicStates topics_;
};

}  // namespace cdcrt::debezium_json
