#include "properties.hpp"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <memory>

#include "cdcrt/sdk/near_names.hpp"

namespace cdcrt::kafka_source {
namespace {

struct Owned {
  const char* name;
  const char* advice;
};

// What this source relies on for its guarantees, and what has an option of its own.
constexpr Owned kOwned[] = {
    {"bootstrap.servers", "use the option brokers"},
    {"metadata.broker.list", "use the option brokers"},
    {"group.id", "use the option group"},
    {"group.instance.id", "use the option instance"},
    {"isolation.level", "use the option isolation_level"},
    {"partition.assignment.strategy", "use the option assignment"},
    {"auto.offset.reset", "use the option start; an offset that is no longer retained is an error, never a jump"},
    {"enable.auto.commit", "progress is kept in the target; the group's offset is committed by this source once it is durable there"},
    {"auto.commit.enable", "progress is kept in the target; the group's offset is committed by this source once it is durable there"},
    {"enable.auto.offset.store", "progress is kept in the target; the group's offset is committed by this source once it is durable there"},
    {"enable.partition.eof", "use the option stop"},
    {"queued.max.messages.kbytes", "use the option queue_memory"},
    {"log.queue", "log lines go to the log of this process"},
};

}  // namespace

bool is_secret_property(std::string_view name) {
  for (const std::string_view part : {"password", "secret", "token", "ssl.key.pem", "ssl_key", "sasl.oauthbearer.config", "credential"}) {
    if (name.find(part) != std::string_view::npos && name != "sasl.oauthbearer.token.endpoint.url") return true;
  }
  return false;
}

std::vector<std::string> known_properties() {
  const std::unique_ptr<rd_kafka_conf_t, decltype(&rd_kafka_conf_destroy)> configuration(rd_kafka_conf_new(), rd_kafka_conf_destroy);
  const std::unique_ptr<rd_kafka_topic_conf_t, decltype(&rd_kafka_topic_conf_destroy)> topic(rd_kafka_topic_conf_new(),
                                                                                             rd_kafka_topic_conf_destroy);
  std::vector<std::string> names;
  const auto add = [&](const char** pairs, size_t count) {
    for (size_t i = 0; i + 1 < count; i += 2) names.emplace_back(pairs[i]);
    rd_kafka_conf_dump_free(pairs, count);
  };
  size_t count = 0;
  const char** pairs = rd_kafka_conf_dump(configuration.get(), &count);
  add(pairs, count);
  pairs = rd_kafka_topic_conf_dump(topic.get(), &count);
  add(pairs, count);
  // Named in librdkafka's CONFIGURATION.md, but dumped only where they are set.
  for (const char* name : {"sasl.username", "sasl.password", "ssl.ca.location", "ssl.key.location", "ssl.key.password",
                           "ssl.certificate.location", "ssl.keystore.location", "ssl.keystore.password", "ssl.cipher.suites", "debug",
                           "client.rack", "topic.blacklist", "security.protocol", "sasl.mechanism", "sasl.mechanisms"}) {
    names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

sdk::Status check_properties(const Properties& properties) {
  const std::unique_ptr<rd_kafka_conf_t, decltype(&rd_kafka_conf_destroy)> configuration(rd_kafka_conf_new(), rd_kafka_conf_destroy);
  for (const auto& [name, value] : properties) {
    const std::string key = "librdkafka." + name;
    for (const auto& owned : kOwned) {
      if (name == owned.name) return sdk::Status::bad_config(key, "this property belongs to the source itself: " + name, owned.advice);
    }
    char reason[512] = "";
    const auto result = rd_kafka_conf_set(configuration.get(), name.c_str(), value.c_str(), reason, sizeof reason);
    if (result == RD_KAFKA_CONF_OK) continue;
    if (result == RD_KAFKA_CONF_UNKNOWN) {
      std::string hint = sdk::did_you_mean(sdk::near_names(name, known_properties(), 2));
      if (hint.empty()) hint = "the properties are those of CONFIGURATION.md of librdkafka " + std::string(rd_kafka_version_str());
      return sdk::Status::bad_config(key, "librdkafka: " + std::string(reason), hint);
    }
    return sdk::Status::bad_config(key, is_secret_property(name) ? "librdkafka: the value of " + name + " is not valid"
                                                                 : without_secrets("librdkafka: " + std::string(reason), properties));
  }
  return {};
}

std::string without_secrets(std::string text, const Properties& properties) {
  for (const auto& [name, value] : properties) {
    // Shorter ones would also take innocent letters out of the text.
    if (value.size() < 3 || !is_secret_property(name)) continue;
    for (size_t at = text.find(value); at != std::string::npos; at = text.find(value, at + 3)) text.replace(at, value.size(), "***");
  }
  return text;
}

}  // namespace cdcrt::kafka_source
