// Digests that S3 asks for.
#pragma once

#include <string>
#include <string_view>

namespace cdcrt::aws {

/// Lower-case hex, 64 characters.
std::string sha256_hex(std::string_view data);
/// Base64, 44 characters: x-amz-checksum-sha256.
std::string sha256_base64(std::string_view data);
/// Base64, 24 characters: Content-MD5. Empty where OpenSSL refuses MD5 (FIPS mode).
std::string md5_base64(std::string_view data);

}  // namespace cdcrt::aws
