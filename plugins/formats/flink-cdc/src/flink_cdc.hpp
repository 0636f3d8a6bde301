// The format flink-cdc: settings. What an event is, and what becomes of it, is in libraries/debezium.
#pragma once

#include "debezium/json_format.hpp"

namespace cdcrt::flink_cdc {

class FlinkCdc : public debezium::JsonFormat {
 public:
  static constexpr const char* kSummary = "Row changes written by Flink CDC with JsonDebeziumDeserializationSchema";
  static const char* notes();

  sdk::Status configure(const sdk::Config& config) override;
};

}  // namespace cdcrt::flink_cdc
