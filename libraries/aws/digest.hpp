// Digests that S3 and signatures ask for.
#pragma once

#include <string>
#include <string_view>

namespace cdcrt::aws {

/// Lower-case hex, 64 characters.
std::string sha256_hex(std::string_view data);
/// Base64, 44 characters: x-amz-checksum-sha256.
std::string sha256_base64(std::string_view data);
/// 32 bytes, as they are.
std::string hmac_sha256(std::string_view key, std::string_view data);
/// Lower-case hex of any bytes.
std::string to_hex(std::string_view bytes);
/// Base64, 24 characters: Content-MD5. Empty where OpenSSL refuses MD5 (FIPS mode).
std::string md5_base64(std::string_view data);

}  // namespace cdcrt::aws
