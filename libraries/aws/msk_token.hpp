// Tokens of IAM for Amazon MSK: what a client shows a broker by SASL OAUTHBEARER in place of a password.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "aws/credentials.hpp"

namespace cdcrt::aws {

struct MskToken {
  std::string text;  ///< never printed, never logged
  std::chrono::system_clock::time_point expires_at;
};

/// A presigned request for kafka-cluster:Connect, base64url without padding, as Amazon's own signers make it
/// (https://github.com/aws/aws-msk-iam-sasl-signer-python). Touches nothing outside. A token is good no longer than the keys.
MskToken msk_token(const Credentials& keys, const std::string& region, std::chrono::seconds lifetime,
                   std::chrono::system_clock::time_point now);

/// The region in the name of a broker of MSK, of a list of them the first: "eu-west-1" of
/// "b-1.shop.a1b2c3.c2.kafka.eu-west-1.amazonaws.com:9098". Empty: it is none.
std::string region_of_msk_brokers(std::string_view brokers);

}  // namespace cdcrt::aws
