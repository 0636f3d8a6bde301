#include "diagnostics.hpp"

#include <librdkafka/rdkafka.h>

#include <cstring>

namespace cdcrt::kafka_source {
namespace {

// librdkafka keeps back what a broker says again for 30 s (2.0.2: rdkafka_broker.c, rd_kafka_broker_set_error).
constexpr std::chrono::seconds kRefusalLasts{40};

}  // namespace

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
  last_ = without_secrets(text, properties_);
  if (const auto refusal = kafka::refusal_of(code, text); refusal != kafka::Refusal::kNone) {
    refusal_ = refusal;
    refusal_text_ = last_;
    refused_at_ = std::chrono::steady_clock::now();
  }
}

std::string Diagnostics::last() const {
  const std::lock_guard lock(mutex_);
  return last_;
}

kafka::Refusal Diagnostics::refusal() const {
  const std::lock_guard lock(mutex_);
  return std::chrono::steady_clock::now() - refused_at_ < kRefusalLasts ? refusal_ : kafka::Refusal::kNone;
}

std::string Diagnostics::refusal_text() const {
  const std::lock_guard lock(mutex_);
  return refusal_text_;
}

bool Diagnostics::take_outage() {
  const std::lock_guard lock(mutex_);
  const bool is_outage = is_outage_;
  is_outage_ = false;
  return is_outage;
}

void Diagnostics::reached() {
  const std::lock_guard lock(mutex_);
  refusal_ = kafka::Refusal::kNone;
  is_outage_ = false;
}

}  // namespace cdcrt::kafka_source
