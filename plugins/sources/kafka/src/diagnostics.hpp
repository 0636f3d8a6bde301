// Diagnostics: what librdkafka says about its connections.
#pragma once

#include <chrono>
#include <mutex>
#include <string>

#include "cdcrt/sdk/host.hpp"
#include "kafka/broker_identity.hpp"
#include "kafka/refusal.hpp"
#include "properties.hpp"

namespace cdcrt::kafka_source {

/// Keeps the last complaint for the error that an operator sees; the lines themselves go to the debug log, because librdkafka
/// repeats them at every attempt to connect. Any thread. Refers to nothing but the host's services.
class Diagnostics {
 public:
  Diagnostics(sdk::Host host, Properties properties) : host_(std::move(host)), properties_(std::move(properties)) {}

  void log(int syslog_level, const char* facility, const char* text);
  /// `code`: rd_kafka_resp_err_t.
  void error(int code, const char* text);
  /// Empty when nothing was said. Without secrets.
  [[nodiscard]] std::string last() const;
  /// A broker refused this client or this client a broker, lately, and none has been reached since.
  [[nodiscard]] bool is_refused() const { return refusal() != kafka::Refusal::kNone; }
  [[nodiscard]] kafka::Refusal refusal() const;
  /// What was said of it. Without secrets.
  [[nodiscard]] std::string refusal_text() const;
  [[nodiscard]] kafka::BrokerIdentity& identity() { return identity_; }
  /// No broker can be reached: true once per outage.
  [[nodiscard]] bool take_outage();
  /// A broker answered.
  void reached();

 private:
  sdk::Host host_;
  const Properties properties_;
  mutable std::mutex mutex_;
  std::string last_, refusal_text_;
  kafka::Refusal refusal_ = kafka::Refusal::kNone;
  std::chrono::steady_clock::time_point refused_at_{};
  bool is_outage_ = false;
  kafka::BrokerIdentity identity_;
};

}  // namespace cdcrt::kafka_source
