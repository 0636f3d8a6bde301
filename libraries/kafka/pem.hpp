// Certificates and keys as PEM texts: whether they are what they should be, and what an operator is told of them.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "cdcrt/sdk/status.hpp"

namespace cdcrt::kafka {

struct Certificate {
  std::string subject, issuer;     ///< "CN=kafka1, O=shop"
  std::vector<std::string> names;  ///< hosts and addresses that it is for
  std::chrono::system_clock::time_point not_before, not_after;
};

/// The certificates of a PEM text, in its order. BAD_CONFIG for `option` where it holds none, or anything that cannot be read.
sdk::Status read_certificates(const std::string& option, const std::string& pem, std::vector<Certificate>& to);

/// BAD_CONFIG where `key` is no private key, its password is missing or wrong, or it is not that of the first certificate of
/// `certificates`. Options are named tls.key, tls.key_password and tls.certificate.
sdk::Status check_key(const std::string& certificates, const std::string& key, const std::string& password);

/// Of a certificate in DER, as TLS carries it. Empty texts where it cannot be read.
Certificate read_certificate(std::string_view der);

/// "2026-01-31 12:00:00 UTC"
std::string text_of(std::chrono::system_clock::time_point time);

}  // namespace cdcrt::kafka
