#include "kafka/refusal.hpp"

#include <librdkafka/rdkafka.h>

#include <chrono>

namespace cdcrt::kafka {
namespace {

bool holds(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// Alerts by which a TLS server speaks of the client's certificate (RFC 8446, 6.2), as OpenSSL names them.
constexpr const char* kAlerts[] = {"alert certificate required",    "alert bad certificate",     "alert certificate expired",
                                   "alert certificate revoked",     "alert certificate unknown", "alert unknown ca",
                                   "alert unsupported certificate", "alert access denied",       "alert decrypt error"};

/// What of librdkafka's sentence is worth reading: without the names of its threads and OpenSSL's numbers.
std::string plain(const std::string& text) {
  const std::size_t alert = text.find("alert ");
  if (alert != std::string::npos) return "TLS " + text.substr(alert, text.find_first_of(":(", alert) - alert);
  std::string kept = text.substr(0, text.rfind(" (after "));
  // "sasl_ssl://kafka1:9093/bootstrap: SASL authentication error: ...": the place stays.
  if (const auto scheme = kept.find("://"); scheme != std::string::npos && scheme < 16) kept.erase(0, scheme + 3);
  if (const auto role = kept.find("/bootstrap: "); role != std::string::npos) kept.replace(role, 12, ": ");
  return kept;
}

sdk::Status refused_client(const std::string& brokers, const std::string& text, const Security& security) {
  const std::string why = plain(text);
  if (!security.is_by_options() || security.certificate() == nullptr) {
    return sdk::Status::error(CDCRT_AUTH, "the brokers at " + brokers + " want a certificate of this client: " + why,
                              security.is_by_options()
                                  ? "give tls.certificate and tls.key, or use a listener that takes a login"
                                  : "check ssl.certificate.location and ssl.key.location in the librdkafka table, or give "
                                    "tls.certificate and tls.key");
  }
  const Certificate& own = *security.certificate();
  std::string message = "the brokers at " + brokers + " refuse the certificate of this client (" + own.subject + "): " + why;
  const auto now = std::chrono::system_clock::now();
  if (own.not_after < now)
    return sdk::Status::error(CDCRT_AUTH, message + "; it expired on " + text_of(own.not_after),
                              "renew it, and give the new one with tls.certificate and tls.key");
  if (own.not_before > now)
    return sdk::Status::error(CDCRT_AUTH, message + "; it is good only from " + text_of(own.not_before) + " on",
                              "check this machine's clock");
  return sdk::Status::error(CDCRT_AUTH, std::move(message),
                            "the brokers must trust the CA that signed it, " + own.issuer +
                                ", and tls.certificate must hold the certificates between the two; the broker's log says more");
}

bool is_scram(const Security& security) {
  if (security.is_by_options()) return security.mechanism().rfind("SCRAM", 0) == 0;
  return security.table_mechanism().rfind("SCRAM", 0) == 0;
}

sdk::Status refused_login(const std::string& brokers, const std::string& text, const Security& security) {
  const std::string who =
      security.user().empty() ? (security.tokens() ? "the token" : "the credentials") : "the login of user '" + security.user() + "'";
  std::string hint;
  if (!security.is_by_options()) {
    hint = "check security.protocol, sasl.mechanisms, sasl.username and sasl.password in the librdkafka table";
  } else if (holds(text, "supported mechanisms") || holds(text, "nsupported SASL mechanism")) {
    hint = "choose a mechanism that the listener has with sasl.mechanism";
  } else if (security.mechanism() == "AWS_MSK_IAM") {
    hint =
        "the identity needs kafka-cluster:Connect on the cluster; check which one it is (environment, sasl.profile), sasl.region, and this "
        "machine's clock, which is signed too";
  } else if (security.tokens()) {
    hint = "look at what the broker expects of a token (issuer, audience, scope), and at its log";
  } else {
    hint = "check sasl.username and sasl.password, and that the user is known for " + security.mechanism();
  }
  // It sends its half of the nonce twice, which brokers put up with until 3.9 (CHANGELOG of 2.6.1).
  if (is_scram(security) && rd_kafka_version() < 0x020601ff) {
    hint += "; brokers of Kafka 4.0 and later refuse every SCRAM login of this machine's librdkafka " +
            std::string(rd_kafka_version_str()) + ", whatever the password: there take librdkafka 2.6.1 or later, or another mechanism";
  }
  return sdk::Status::error(CDCRT_AUTH, "the brokers at " + brokers + " refuse " + who + ": " + plain(text), std::move(hint));
}

}  // namespace

Refusal refusal_of(int code, std::string_view text) {
  if (code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED ||
      code == RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM)
    return holds(text, Tokens::kRefused)                                                        ? Refusal::kNone  // told before
           : holds(text, "acquire SASL OAUTHBEARER token") || holds(text, "no token available") ? Refusal::kToken
                                                                                                : Refusal::kLogin;
  if (code != RD_KAFKA_RESP_ERR__SSL && code != RD_KAFKA_RESP_ERR__TRANSPORT) return Refusal::kNone;
  for (const char* alert : kAlerts) {
    if (holds(text, alert)) return Refusal::kClient;
  }
  if (code == RD_KAFKA_RESP_ERR__SSL && (holds(text, "certificate verify failed") || holds(text, "verify broker certificate") ||
                                         holds(text, "did not provide a certificate")))
    return Refusal::kBroker;
  return Refusal::kNone;
}

sdk::Status refused(Refusal refusal, const std::string& brokers, const std::string& text, const BrokerIdentity::Problem& problem,
                    const Security& security) {
  switch (refusal) {
    case Refusal::kClient: return refused_client(brokers, text, security);
    case Refusal::kToken: {
      const auto failure = security.tokens() ? security.tokens()->failure() : sdk::Status();
      if (failure.ok()) return sdk::Status::error(CDCRT_AUTH, "there is no token to log in with at " + brokers + ": " + plain(text));
      // Who asks later may be answered: a service that is away is no refusal.
      return sdk::Status::error(failure.code() == CDCRT_RETRY || failure.code() == CDCRT_UNREACHABLE ? CDCRT_RETRY : CDCRT_AUTH,
                                "there is no token to log in with at " + brokers + ": " + std::string(failure.message()),
                                std::string(failure.hint()));
    }
    case Refusal::kBroker:
      if (!problem.what.empty())
        return sdk::Status::error(CDCRT_AUTH, "the brokers at " + brokers + " are not trusted: " + problem.what, problem.hint);
      return sdk::Status::error(CDCRT_AUTH, "the brokers at " + brokers + " are not trusted: " + plain(text),
                                "check tls.ca, and the certificates of the brokers");
    default: return refused_login(brokers, text, security);
  }
}

std::string advice_on_protocol(const Security& security) {
  if (!security.is_by_options())
    return "check the option brokers, the network, and how to connect: tls.enabled, sasl.mechanism (or security.protocol in the librdkafka table)";
  return std::string("check the option brokers and the network, and whether the listener is one ") +
         (security.has_tls() ? "with" : "without") + " TLS (tls.enabled) and " +
         (security.mechanism().empty() ? "without a login (sasl.mechanism)" : "with a login (sasl.mechanism)");
}

}  // namespace cdcrt::kafka
