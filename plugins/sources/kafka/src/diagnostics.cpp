#include "diagnostics.hpp"

#include <librdkafka/rdkafka.h>

#include <cstring>

namespace cdcrt::kafka_source {

void Diagnostics::log(int syslog_level, const char* facility, const char* text) {
  constexpr int kError = 3;
  const bool is_warning = std::strcmp(facility, "CONFWARN") == 0;
  const cdcrt_log_level level = is_warning ? CDCRT_LOG_WARNING : CDCRT_LOG_DEBUG;
  if (host_.wants(level)) host_.log(level, without_secrets("librdkafka: " + std::string(facility) + ": " + text, properties_));
  if (syslog_level <= kError) {
    const std::lock_guard lock(mutex_);
    last_ = without_secrets(text, properties_);
  }
}

void Diagnostics::error(int code, const char* text) {
  if (host_.wants(CDCRT_LOG_DEBUG)) host_.log(CDCRT_LOG_DEBUG, without_secrets("librdkafka: " + std::string(text), properties_));
  const std::lock_guard lock(mutex_);
  if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
    is_outage_ = true;
    return;  // says less than the complaint before it
  }
  if (code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED) is_refused_ = true;
  last_ = without_secrets(text, properties_);
}

std::string Diagnostics::last() const {
  const std::lock_guard lock(mutex_);
  return last_;
}

bool Diagnostics::is_refused() const {
  const std::lock_guard lock(mutex_);
  return is_refused_;
}

bool Diagnostics::take_outage() {
  const std::lock_guard lock(mutex_);
  const bool is_outage = is_outage_;
  is_outage_ = false;
  return is_outage;
}

void Diagnostics::reached() {
  const std::lock_guard lock(mutex_);
  is_refused_ = is_outage_ = false;
}

}  // namespace cdcrt::kafka_source
