// Producer: messages into topics of Kafka, acknowledged by every replica in sync.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cdcrt/sdk/status.hpp"
#include "row_message.hpp"

struct rd_kafka_s;

namespace cdcrt::kafka_sink {

struct Settings {
  std::string brokers;
  std::vector<std::pair<std::string, std::string>> properties;
  std::chrono::milliseconds connect_timeout{0}, delivery_timeout{0};
};

/// One thread at a time.
class Producer {
 public:
  /// BAD_CONFIG where librdkafka refuses a property. Connects to nothing yet.
  sdk::Status open(const Settings& settings);
  /// UNREACHABLE: no broker answers.
  sdk::Status check();
  ~Producer();
  Producer() = default;
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;

  /// Hands a message over; it is not sent yet.
  sdk::Status produce(const std::string& topic, const RowMessage& message);
  /// Waits until every message was acknowledged. RETRY: some were not, and all of them are to be given again.
  sdk::Status flush();

 private:
  [[nodiscard]] std::string last_error();
  rd_kafka_s* handle_ = nullptr;
  Settings settings_;
  std::mutex mutex_;
  std::string last_error_, failed_;
};

}  // namespace cdcrt::kafka_sink
