// The options of TLS and logins, which the source and the sink have alike. Read by kafka::Security.
#pragma once

#include <array>
#include <cstddef>

#include "cdcrt/sdk/option.hpp"

namespace cdcrt::kafka {

inline constexpr const char* kMechanisms[] = {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER", "AWS_MSK_IAM", nullptr};

inline constexpr cdcrt_option kSecurityOptions[] = {
    sdk::option::boolean("tls.enabled")
        .shared()
        .example("true")
        .doc("Whether connections are encrypted, and brokers show a certificate. Without it: where another option of `tls` or `sasl` is "
             "given. `false` has to be said where a login is to go over connections that anybody can read."),
    sdk::option::text("tls.ca")
        .shared()
        .example("\"${file:/etc/kafka/ca.pem}\"")
        .doc("The certificates that sign those of the brokers: the text of a PEM file. Without it, the system's list."),
    sdk::option::text("tls.certificate")
        .shared()
        .example("\"${file:/run/secrets/kafka.crt}\"")
        .doc("This client's own certificate (mutual TLS), with those between it and its CA behind it: the text of a PEM file."),
    sdk::option::text("tls.key")
        .secret()
        .shared()
        .example("\"${file:/run/secrets/kafka.key}\"")
        .doc("The private key of `tls.certificate`: the text of a PEM file."),
    sdk::option::text("tls.key_password")
        .secret()
        .shared()
        .example("\"${file:/run/secrets/kafka.key.password}\"")
        .doc("Password of `tls.key`, where it is encrypted."),
    sdk::option::boolean("tls.verify_hostname")
        .advanced()
        .shared()
        .default_value("true")
        .doc("Whether a broker's certificate must be for the name that it is called by. `false` takes every certificate that the CA "
             "signed: whoever has one of them can pretend to be the broker."),
    sdk::option::one_of("sasl.mechanism", kMechanisms)
        .shared()
        .example("\"SCRAM-SHA-512\"")
        .doc(
            "How this client logs in. `AWS_MSK_IAM`: with an identity of Amazon's IAM, as a token for OAUTHBEARER, which Amazon MSK takes at "
            "its IAM listeners. Without it there is no login."),
    sdk::option::text("sasl.username").shared().example("\"cdcrt\"").doc("User, of PLAIN and SCRAM."),
    sdk::option::text("sasl.password").secret().shared().example("\"${file:/run/secrets/kafka}\"").doc("Password, of PLAIN and SCRAM."),
    sdk::option::path("sasl.token_file")
        .shared()
        .example("\"/var/run/secrets/tokens/kafka\"")
        .doc(
            "OAUTHBEARER: a file with the token (a JSON Web Token), which is read again whenever a new one is needed: Kubernetes' projected "
            "service account tokens, or what another program renews."),
    sdk::option::text("sasl.token_endpoint")
        .shared()
        .example("\"https://login.example.net/oauth2/token\"")
        .doc("OAUTHBEARER: where tokens are asked for with `sasl.client_id` and `sasl.client_secret` (OAuth 2.0 client credentials)."),
    sdk::option::text("sasl.client_id").shared().example("\"cdcrt\"").doc("Name of this client at the token endpoint."),
    sdk::option::text("sasl.client_secret").secret().shared().example("\"${file:/run/secrets/kafka-client}\"").doc("Its secret."),
    sdk::option::text("sasl.scope").shared().example("\"kafka\"").doc("Scope that is asked for at the token endpoint."),
    sdk::option::text("sasl.token_endpoint_ca")
        .advanced()
        .shared()
        .example("\"${file:/etc/login/ca.pem}\"")
        .doc("The certificates that sign that of the token endpoint: the text of a PEM file. Without it, the system's list."),
    sdk::option::map("sasl.extensions")
        .advanced()
        .shared()
        .example("{ logicalCluster = \"lkc-1\" }")
        .doc("OAUTHBEARER: what is sent beside the token, where a provider asks for it."),
    sdk::option::text("sasl.region")
        .shared()
        .example("\"eu-west-1\"")
        .doc(
            "AWS_MSK_IAM: region of the cluster. Without it, that in the names of `brokers`, else the environment's (AWS_REGION) or profile's."),
    sdk::option::text("sasl.profile")
        .shared()
        .example("\"etl\"")
        .doc(
            "AWS_MSK_IAM: profile of ~/.aws/credentials or ~/.aws/config that is the identity: keys, credential_process, or role_arn. Without "
            "it the first of these that is configured: environment, web identity (IRSA), profile, container (Pod Identity), instance."),
    sdk::option::duration("sasl.token_lifetime")
        .advanced()
        .shared()
        .default_value("15min")
        .between(std::chrono::seconds(5), std::chrono::minutes(15))
        .doc("AWS_MSK_IAM: how long a token is good; a new one is made when four fifths of it are over."),
};

/// The table of a plugin: its own options, and these.
template <std::size_t Count>
constexpr auto with_security(const cdcrt_option (&own)[Count]) {
  std::array<cdcrt_option, Count + std::size(kSecurityOptions)> all{};
  std::size_t next = 0;
  for (const auto& option : own) all[next++] = option;
  for (const auto& option : kSecurityOptions) all[next++] = option;
  return all;
}

}  // namespace cdcrt::kafka
