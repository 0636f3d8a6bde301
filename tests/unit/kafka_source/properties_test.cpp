#include "properties.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace cdcrt::kafka_source;
namespace sdk = cdcrt::sdk;

namespace {

struct Failure {
  std::string message, hint, key;
};

Failure refused(const Properties& properties) {
  auto status = check_properties(properties);
  REQUIRE(status.code() == CDCRT_BAD_CONFIG);
  Failure failure{std::string(status.message()), std::string(status.hint()), {}};
  cdcrt_error error{};
  error.size = sizeof error;
  sdk::Status::hand_over(std::move(status), &error);
  failure.key = error.config_key;
  error.release(&error);
  return failure;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("librdkafka properties: good ones pass") {
  CHECK(check_properties({}).ok());
  CHECK(check_properties(
            {{"security.protocol", "SASL_SSL"}, {"sasl.mechanisms", "PLAIN"}, {"session.timeout.ms", "6000"}, {"sasl.password", "x"}})
            .ok());
}

TEST_CASE("librdkafka properties: a misspelt one is refused with what was meant") {
  const auto failure = refused({{"client.id", "x"}, {"securty.protocol", "SSL"}});
  CHECK(failure.key == "librdkafka.securty.protocol");
  CHECK(has(failure.message, "securty.protocol"));
  CHECK(failure.hint == "did you mean 'security.protocol'?");
  CHECK(has(refused({{"sasl.pasword", "x"}}).hint, "sasl.password"));
}

TEST_CASE("librdkafka properties: one that resembles nothing is refused without a guess") {
  const auto failure = refused({{"completely.other.thing", "1"}});
  CHECK_FALSE(has(failure.hint, "did you mean"));
  CHECK(has(failure.hint, "CONFIGURATION.md"));
}

TEST_CASE("librdkafka properties: a bad value is refused with librdkafka's reason") {
  const auto failure = refused({{"security.protocol", "SASL"}});
  CHECK(failure.key == "librdkafka.security.protocol");
  CHECK(has(failure.message, "SASL"));
}

TEST_CASE("librdkafka properties: those of the source are refused with the option to use") {
  CHECK(has(refused({{"bootstrap.servers", "x"}}).hint, "brokers"));
  CHECK(has(refused({{"metadata.broker.list", "x"}}).hint, "brokers"));
  CHECK(has(refused({{"group.id", "x"}}).hint, "group"));
  CHECK(has(refused({{"group.instance.id", "x"}}).hint, "instance"));
  CHECK(has(refused({{"isolation.level", "read_committed"}}).hint, "isolation_level"));
  CHECK(has(refused({{"partition.assignment.strategy", "range"}}).hint, "assignment"));
  CHECK(has(refused({{"auto.offset.reset", "earliest"}}).hint, "start"));
  CHECK(has(refused({{"enable.partition.eof", "true"}}).hint, "stop"));
  CHECK(has(refused({{"enable.auto.commit", "true"}}).hint, "target"));
  CHECK(has(refused({{"enable.auto.offset.store", "true"}}).hint, "target"));
}

TEST_CASE("librdkafka properties: secrets are told from other properties and taken out of texts") {
  for (const char* name : {"sasl.password", "ssl.key.password", "ssl.keystore.password", "ssl.key.pem", "sasl.oauthbearer.config",
                           "sasl.oauthbearer.client.secret"}) {
    CAPTURE(name);
    CHECK(is_secret_property(name));
  }
  for (const char* name : {"sasl.username", "security.protocol", "ssl.ca.location", "sasl.oauthbearer.token.endpoint.url"}) {
    CAPTURE(name);
    CHECK_FALSE(is_secret_property(name));
  }
  const Properties properties = {{"sasl.username", "reader"}, {"sasl.password", "hunter2"}};
  CHECK(without_secrets("reader said hunter2, hunter2", properties) == "reader said ***, ***");
}
