// BrokerIdentity: what is wrong with a broker's certificate, in words.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

namespace cdcrt::kafka {

/// Asked by librdkafka for each certificate of a chain after OpenSSL has judged it. It only listens: what OpenSSL refuses stays refused.
/// Any thread.
class BrokerIdentity {
 public:
  /// Of rd_kafka_conf_set_ssl_cert_verify_cb: `error` is OpenSSL's X509_V_ERR_*, 0 where it finds nothing wrong. The answer: whether the
  /// certificate is accepted.
  bool judge(std::string_view broker, int error, int depth, std::string_view der);

  /// What was refused last, and what to do: empty where nothing was.
  struct Problem {
    std::string what, hint;
  };
  [[nodiscard]] Problem last() const;

 private:
  mutable std::mutex mutex_;
  Problem last_;
};

}  // namespace cdcrt::kafka
