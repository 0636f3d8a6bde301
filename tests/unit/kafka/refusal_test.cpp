#include "kafka/refusal.hpp"

#include <doctest/doctest.h>
#include <librdkafka/rdkafka.h>

#include <string>

using namespace cdcrt;
using kafka::Refusal;

// Texts of librdkafka 2.0.2 with OpenSSL 3.0, as brokers of Kafka 3.9 and 4.1 made it say them.
TEST_CASE("refusal: it is known who refuses whom") {
  const auto of = [](int code, const char* text) { return kafka::refusal_of(code, text); };
  CHECK(
      of(RD_KAFKA_RESP_ERR__AUTHENTICATION,
         "sasl_ssl://kafka1:9093/bootstrap: SASL authentication error: Authentication failed during authentication due to invalid credentials "
         "with SASL mechanism SCRAM-SHA-512 (after 366ms in state AUTH_REQ)") == Refusal::kLogin);
  CHECK(of(RD_KAFKA_RESP_ERR__AUTHENTICATION, "Failed to acquire SASL OAUTHBEARER token: no way") == Refusal::kToken);
  CHECK(
      of(RD_KAFKA_RESP_ERR__SSL,
         "ssl://kafka1:9093/bootstrap: SSL handshake failed: error:0A000086:SSL routines::certificate verify failed: broker certificate could "
         "not be verified, verify that ssl.ca.location is correctly configured or root CA certificates are installed") == Refusal::kBroker);
  for (const char* alert : {"ssl://kafka1:9093/1: error:0A00045C:SSL routines::tlsv13 alert certificate required: SSL alert number 116",
                            "ssl://kafka1:9093/1: error:0A000415:SSL routines::sslv3 alert certificate expired: SSL alert number 45",
                            "ssl://kafka1:9093/1: error:0A000418:SSL routines::tlsv1 alert unknown ca: SSL alert number 48"}) {
    CHECK(of(RD_KAFKA_RESP_ERR__SSL, alert) == Refusal::kClient);
    CHECK(of(RD_KAFKA_RESP_ERR__TRANSPORT, alert) == Refusal::kClient);
  }
  for (const char* other : {"kafka1:9093/bootstrap: Connect to ipv4#127.0.0.1:9093 failed: Connection refused",
                            "ssl://kafka1:9093/bootstrap: SSL handshake failed: Disconnected: connecting to a PLAINTEXT broker listener?"})
    CHECK(of(RD_KAFKA_RESP_ERR__TRANSPORT, other) == Refusal::kNone);
  CHECK(of(RD_KAFKA_RESP_ERR__TIMED_OUT, "alert unknown ca") == Refusal::kNone);
}

TEST_CASE("refusal: what this client said of a token itself is no other refusal") {
  const std::string text = std::string("Failed to acquire SASL OAUTHBEARER token: ") + kafka::Tokens::kRefused;
  CHECK(kafka::refusal_of(RD_KAFKA_RESP_ERR__AUTHENTICATION, text) == Refusal::kNone);
}

TEST_CASE("refusal: an operator reads place and reason, without names of threads and numbers") {
  const auto status =
      kafka::refused(Refusal::kLogin, "kafka1:9093",
                     "sasl_ssl://kafka1:9093/bootstrap: SASL authentication error: Authentication failed: Invalid username or "
                     "password (after 366ms in state AUTH_REQ)",
                     {}, {});
  CHECK(status.code() == CDCRT_AUTH);
  CHECK(
      status.message() ==
      "the brokers at kafka1:9093 refuse the credentials: kafka1:9093: SASL authentication error: Authentication failed: Invalid username or "
      "password");
  CHECK(status.hint() == "check security.protocol, sasl.mechanisms, sasl.username and sasl.password in the librdkafka table");
}

TEST_CASE("broker identity: what OpenSSL accepts is accepted, and nothing else") {
  kafka::BrokerIdentity identity;
  CHECK(identity.judge("kafka1:9093", 0, 0, {}));
  CHECK(identity.last().what.empty());
  for (const int error : {1, 10, 18, 20, 62, 9999}) {
    CHECK_FALSE(identity.judge("kafka1:9093", error, 0, "no certificate"));
    CHECK(identity.last().what.find("kafka1:9093") != std::string::npos);
    CHECK_FALSE(identity.last().hint.empty());
  }
}
