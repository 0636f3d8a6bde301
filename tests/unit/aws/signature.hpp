// Signature version 4 as a service computes it: written apart from what signs, to check that.
#pragma once

#include <string>

#include "aws/http_server.hpp"

namespace cdcrt::test {

std::string sha256_hex(const std::string& text);
std::string sha256_base64(const std::string& text);

/// Empty: the Authorization header is right for `secret_key`. Else what differs.
std::string why_signature_is_wrong(const ServerRequest& request, const std::string& secret_key);

}  // namespace cdcrt::test
