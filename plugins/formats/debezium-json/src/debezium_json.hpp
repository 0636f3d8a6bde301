// The format debezium-json: settings. What an event is, and what becomes of it, is in libraries/debezium.
#pragma once

#include "debezium/json_format.hpp"

namespace cdcrt::debezium_json {

class DebeziumJson : public debezium::JsonFormat {
 public:
  static constexpr const char* kSummary = "Row changes written by Debezium with JsonConverter: with schemas, without, or flattened";
  static const char* notes();

  sdk::Status configure(const sdk::Config& config) override;
};

}  // namespace cdcrt::debezium_json
