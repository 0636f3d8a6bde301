// Refusal: a broker that does not let this client in, or that this client does not trust, as an operator needs to hear it.
#pragma once

#include <string>
#include <string_view>

#include "cdcrt/sdk/status.hpp"
#include "kafka/broker_identity.hpp"
#include "kafka/security.hpp"

namespace cdcrt::kafka {

enum class Refusal {
  kNone,    ///< the network's trouble, or another's
  kLogin,   ///< the broker refused user, password or token, or does not know the mechanism
  kToken,   ///< there is no token to log in with
  kBroker,  ///< the broker's certificate is not trusted
  kClient   ///< the broker refused this client's certificate, or misses one
};

/// `code`: rd_kafka_resp_err_t, with what librdkafka said of it.
Refusal refusal_of(int code, std::string_view text);

/// AUTH, with what happened, where, why and what to do. `text`: what librdkafka said, without secrets; `problem`: of a BrokerIdentity.
sdk::Status refused(Refusal refusal, const std::string& brokers, const std::string& text, const BrokerIdentity::Problem& problem,
                    const Security& security);

/// The option or property to look at where brokers hang up on a client that says nothing wrong: encrypted and not, one side each.
std::string advice_on_protocol(const Security& security);

}  // namespace cdcrt::kafka
