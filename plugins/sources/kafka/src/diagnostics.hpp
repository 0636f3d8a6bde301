// Diagnostics: what librdkafka says about its connections.
#pragma once

#include <mutex>
#include <string>

#include "cdcrt/sdk/host.hpp"
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
  /// A broker refused the credentials, and none has been reached since.
  [[nodiscard]] bool is_refused() const;
  /// No broker can be reached: true once per outage.
  [[nodiscard]] bool take_outage();
  /// A broker answered.
  void reached();

 private:
  sdk::Host host_;
  const Properties properties_;
  mutable std::mutex mutex_;
  std::string last_;
  bool is_refused_ = false, is_outage_ = false;
};

}  // namespace cdcrt::kafka_source
