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
#include "kafka/refusal.hpp"
#include "kafka/security.hpp"
#include "row_message.hpp"

struct rd_kafka_s;

namespace cdcrt::kafka_sink {

struct Settings {
  std::string brokers;
  kafka::Properties properties;  ///< of the operator
  kafka::Security security;
  std::chrono::milliseconds connect_timeout{0}, delivery_timeout{0};
};

/// One thread at a time.
class Producer {
 public:
  /// BAD_CONFIG where librdkafka refuses a property. Connects to nothing yet.
  sdk::Status open(const Settings& settings);
  /// UNREACHABLE: no broker answers; AUTH: one refuses this client, or is not trusted.
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
  void on_error(int code, const char* text);
  [[nodiscard]] std::string last_error();
  /// OK: no broker refused this client, and it trusts those it met.
  [[nodiscard]] sdk::Status refusal();
  rd_kafka_s* handle_ = nullptr;
  Settings settings_;
  kafka::BrokerIdentity identity_;
  kafka::Refusal refusal_ = kafka::Refusal::kNone;
  std::mutex mutex_;
  std::string last_error_, refusal_text_, failed_;
};

}  // namespace cdcrt::kafka_sink
