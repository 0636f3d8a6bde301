// The format flink-cdc: settings. What an event is, and what becomes of it, is in libraries/debezium.
#pragma once

#include "cdcrt/sdk/format.hpp"
#include "debezium/event_decoder.hpp"

namespace cdcrt::flink_cdc {

class FlinkCdc : public sdk::Format {
 public:
  static constexpr const char* kSummary = "Row changes written by Flink CDC with JsonDebeziumDeserializationSchema";
  static constexpr const char* kLicense = "Apache-2.0";
  static const char* notes();

  sdk::Status configure(const sdk::Config& config) override;
  sdk::Status decode(sdk::Messages messages, sdk::RowBuilder& rows) override;

 private:
  debezium::Settings settings_;
  debezium::EventDecoder decoder_{settings_};
  debezium::TopicStates topics_;
};

}  // namespace cdcrt::flink_cdc
