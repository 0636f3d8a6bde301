#include "kafka/broker_identity.hpp"

#include <openssl/x509_vfy.h>

#include <algorithm>

#include "kafka/pem.hpp"

namespace cdcrt::kafka {
namespace {

constexpr std::size_t kMaxNames = 10;

std::string names(const Certificate& certificate) {
  std::string text;
  for (std::size_t i = 0; i < std::min(certificate.names.size(), kMaxNames); ++i) text += (i == 0 ? "" : ", ") + certificate.names[i];
  return certificate.names.size() > kMaxNames ? text + ", ..." : text;
}

BrokerIdentity::Problem explain(std::string_view broker, int error, int depth, const Certificate& certificate) {
  const std::string host(broker.substr(0, broker.rfind(':')));
  const std::string whose =
      depth == 0 ? "the certificate of the broker " + std::string(broker) + " (" + certificate.subject + ")"
                 : "the certificate " + certificate.subject + ", which signed that of the broker " + std::string(broker) + ",";
  switch (error) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return {
          whose + (certificate.names.empty() ? " names no host" : " is for " + names(certificate)) + ", not for '" + host + "'",
          "call the brokers by a name that the certificate has (in the option brokers here, and in advertised.listeners at the brokers), or "
          "give them a certificate for this name"};
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return {whose + " expired on " + text_of(certificate.not_after),
              "renew it at the broker; when it is not over yet, this machine's clock is wrong"};
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return {whose + " is good only from " + text_of(certificate.not_before) + " on",
              "check this machine's clock, and the broker's certificate"};
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return {
          whose + " was signed by " + certificate.issuer + ", which is not among the certificates that are trusted",
          "give the certificate of the CA that signed it with tls.ca; without tls.ca the system's list counts (package ca-certificates)"};
    default:
      return {whose + " is refused: " + X509_verify_cert_error_string(error),
              "look at it: openssl s_client -connect " + std::string(broker)};
  }
}

}  // namespace

bool BrokerIdentity::judge(std::string_view broker, int error, int depth, std::string_view der) {
  if (error == X509_V_OK) return true;
  auto problem = explain(broker, error, depth, read_certificate(der));
  const std::lock_guard lock(mutex_);
  last_ = std::move(problem);
  return false;
}

BrokerIdentity::Problem BrokerIdentity::last() const {
  const std::lock_guard lock(mutex_);
  return last_;
}

}  // namespace cdcrt::kafka
